/**
 * The world as the state machine sees it, and what of it a step has to wait for: proxies that owe an
 * acknowledgement, and a wave that reaches at least one of those that are there.
 */
import type { Evidence } from './gates/kind.js';
import { wavePlace } from './mix.js';
import type { Rollout } from './rollout.js';

/** What the engine sees of the world at one moment. */
export interface World extends Evidence {
  /** Connected proxies that have not acknowledged what the rollout serves. */
  readonly owing: (rollout: Rollout) => readonly OwingProxy[];
  /** `ProxyIdentity.instance` of the connected proxies that the rollout concerns. */
  readonly instancesOf: (rollout: Rollout) => readonly string[];
  /** What its policy is after and is not done yet, for people; empty: it may start. */
  readonly before: (rollout: Rollout) => readonly string[];
  /** A proxy that is silent for longer is reported and left out. */
  readonly ackDeadlineMs: number;
}

/** A proxy that owes an acknowledgement. */
export interface OwingProxy {
  /** A name for people. */
  readonly id: string;
  readonly connectedAtMs: number;
}

/**
 * The share of the present step; or more, just enough for one, where that reaches none of the proxies
 * that are there, since a wave without proxies proves nothing.
 */
export function waveOf(rollout: Rollout, world: World): number {
  const step = rollout.plan.steps[rollout.step];
  if (step === undefined || step.stage === 'weights' || step.progress === 100) {
    return 1;
  }
  const share = Math.max(step.progress / 100, rollout.waveShare);
  const places = world.instancesOf(rollout).map((instance) => wavePlace(rollout.id, instance));
  const isReached = places.length === 0 || places.some((place) => place < share);
  return isReached ? share : Math.min(1, Math.min(...places) + Number.EPSILON);
}

/** Proxies that owe an acknowledgement and have not been silent for too long yet. */
export function youngProxies(rollout: Rollout, world: World): readonly OwingProxy[] {
  return world.owing(rollout).filter((proxy) => !isSilent(proxy, rollout, world));
}

/** Ids of the others that owe one: they are reported and left out. */
export function silentProxies(rollout: Rollout, world: World): readonly string[] {
  const silent = world.owing(rollout).filter((proxy) => isSilent(proxy, rollout, world));
  return silent.map(({ id }) => id);
}

function isSilent({ connectedAtMs }: OwingProxy, rollout: Rollout, world: World): boolean {
  const askedAtMs = Math.max(connectedAtMs, rollout.stepEnteredAtMs);
  return world.nowMs - askedAtMs >= world.ackDeadlineMs;
}

/** Proxies that come and go without a word hold nothing up for longer than one that stays. */
export function mustWait(rollout: Rollout, world: World): boolean {
  const isLate = world.nowMs - rollout.stepEnteredAtMs >= world.ackDeadlineMs;
  return !isLate && youngProxies(rollout, world).length > 0;
}
