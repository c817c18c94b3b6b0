/**
 * The world as the state machine sees it, and what of it a step has to wait for: proxies that owe an
 * acknowledgement, a quorum of them, and a wave that reaches at least one of those that are there.
 */
import type { ConcernedProxy } from './concerned.js';
import type { Evidence } from './gates/kind.js';
import { isInWave, servedStep, wavePlace } from './mix.js';
import type { Rollout } from './rollout.js';

/** What the engine sees of the world at one moment. */
export interface World extends Evidence {
  /** The connected proxies that the rollout concerns. */
  readonly proxies: (rollout: Rollout) => readonly ConcernedProxy[];
  /** What its policy is after and is not done yet, for people; empty: it may start. */
  readonly before: (rollout: Rollout) => readonly string[];
  /** A proxy that is silent for longer is reported and left out, where the policy says nothing. */
  readonly ackDeadlineMs: number;
}

/**
 * The share of the present step; or more, just enough for one, where that reaches none of the proxies
 * that are there, since a wave without proxies proves nothing.
 */
export function waveOf(rollout: Rollout, world: World): number {
  const step = rollout.plan.steps[rollout.step];
  if (step === undefined || step.stage !== 'config' || step.progress === 100) {
    return 1;
  }
  const share = Math.max(step.progress / 100, rollout.waveShare);
  const places = world.proxies(rollout).map(({ instance }) => wavePlace(rollout.id, instance));
  const isReached = places.length === 0 || places.some((place) => place < share);
  return isReached ? share : Math.min(1, Math.min(...places) + Number.EPSILON);
}

/** How long all proxies are waited for. */
export function ackDeadlineOf({ plan }: Rollout, world: Pick<World, 'ackDeadlineMs'>): number {
  return plan.proxies.deadlineMs ?? world.ackDeadlineMs;
}

/** Proxies that owe an acknowledgement and have not been silent for too long yet. */
export function youngProxies(rollout: Rollout, world: World): readonly ConcernedProxy[] {
  return owing(rollout, world).filter((proxy) => !isSilent(proxy, rollout, world));
}

/** Ids of the others that owe one: they are reported and left out. */
export function silentProxies(rollout: Rollout, world: World): readonly string[] {
  const silent = owing(rollout, world).filter((proxy) => isSilent(proxy, rollout, world));
  return silent.map(({ id }) => id);
}

/** Those that have not acknowledged what the rollout serves. */
export function owing(rollout: Rollout, world: World): readonly ConcernedProxy[] {
  return world.proxies(rollout).filter(({ hasAcked }) => !hasAcked);
}

function isSilent({ connectedAtMs }: ConcernedProxy, rollout: Rollout, world: World): boolean {
  const askedAtMs = Math.max(connectedAtMs, rollout.stepEnteredAtMs);
  return world.nowMs - askedAtMs >= ackDeadlineOf(rollout, world);
}

/** Proxies that come and go without a word hold nothing up for longer than one that stays. */
export function mustWait(rollout: Rollout, world: World): boolean {
  const isLate = world.nowMs - rollout.stepEnteredAtMs >= ackDeadlineOf(rollout, world);
  return !isLate && youngProxies(rollout, world).length > 0;
}

/** How many of the proxies that the step gives something else have taken it. */
export interface Taken {
  readonly count: number;
  readonly of: number;
  /** Percent; 100 where there is no proxy. */
  readonly share: number;
}

export function takenBy(rollout: Rollout, proxies: readonly ConcernedProxy[]): Taken {
  // Who is outside the wave is given nothing, and has acknowledged that.
  const isWave = servedStep(rollout)?.stage === 'config';
  const reached = proxies.filter(({ instance }) => !isWave || isInWave(rollout, instance));
  const count = reached.filter(({ hasAcked }) => hasAcked).length;
  const of = reached.length;
  return { count, of, share: of === 0 ? 100 : (count / of) * 100 };
}

/** False where too few have taken it to say anything of the step: then nobody is left out. */
export function hasQuorum(rollout: Rollout, world: World): boolean {
  const { quorum } = rollout.plan.proxies;
  return takenBy(rollout, world.proxies(rollout)).share >= quorum;
}
