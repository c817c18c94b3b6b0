/**
 * `stepLoop(state, event, settings, nowMs)`: the one state transition of the controller. It takes the
 * event in, lets every rollout make the transition that is due, folds what ended into what is applied
 * or held, and reconciles. It does no I/O: `loop.ts` stores, publishes and tells, in that order.
 */
import { assertNever } from '../base/assert.js';
import { advanceRollout } from '../rollout/advance.js';
import { isEnded, type Rollout } from '../rollout/rollout.js';
import { announcementsOf, announceRevision, historyOf } from './announce.js';
import type { LoopEvent, StepResult, Taken } from './events.js';
import { servedKey, withGeneration } from './generation.js';
import { guardStep } from './invariants.js';
import { takeMeasurement } from './orders.js';
import { reconcile } from './reconcile.js';
import { recordOf } from './record.js';
import { settle } from './settle.js';
import type { DurableState, LoopState } from './state.js';
import { takeCommand } from './take-command.js';
import { loseProxy, reviewAnnounced, takeProxy } from './take-proxy.js';
import { takeRefusal } from './take-refusal.js';
import { takeReading } from './take-revision.js';
import { worldOf } from './world.js';

export interface StepSettings {
  /** A proxy that is silent for longer is reported and left out. */
  readonly ackDeadlineMs: number;
}

/** Ended rollouts that are kept for people; the history keeps their transitions. */
export const endedRolloutsMax = 100;

export function stepLoop(
  state: LoopState,
  event: LoopEvent,
  settings: StepSettings,
  nowMs: number,
): StepResult {
  const taken = takeEvent(state, event, nowMs);
  if (isNews(event)) {
    return { state: withGeneration(state, taken.state), history: [], announcements: [] };
  }
  const { state: advanced, violations } = guardStep(
    { before: state, taken: taken.state, after: advanceAll(state, taken.state, settings, nowMs) },
    settings,
    nowMs,
  );
  const settled = reviewAnnounced(
    settle(state.durable, advanced.durable, nowMs),
    advanced.proxies.values(),
    nowMs,
  );
  const hasMoved = settled !== advanced.durable || asksForMore(state.durable, settled);
  const reconciled = hasMoved ? forgetOld(reconcile(settled, nowMs)) : settled;
  const durable = datePhases(state.durable, reconciled, nowMs);
  const next = withGeneration(state, { ...advanced, durable });
  return {
    state: next,
    history: [...(taken.history ?? []), ...historyOf(state, next, nowMs)],
    announcements: [
      ...(taken.judged ?? []).flatMap((name) => announceRevision(next, name, nowMs)),
      ...announcementsOf(state, next, nowMs),
    ],
    reply: taken.reply,
    ...(violations.length === 0 ? {} : { violations }),
  };
}

/**
 * True for an event that is only taken in: the tick that follows acts on it, and on all of its kind that
 * came with it. A thousand proxies that acknowledge at once cost one look at the rollouts, not a thousand.
 */
export function isNews(event: LoopEvent): boolean {
  switch (event.kind) {
    case 'sourceUnchanged':
    case 'sourceFetching':
    case 'sourceFailed':
    case 'proxyConnected':
    case 'proxyAcked':
    case 'proxyDisconnected':
    case 'loadReported':
    case 'gateMeasured':
    case 'statsReported':
    case 'secretsChanged':
      return true;
    case 'revisionsRead':
    case 'proxyNacked':
    case 'command':
    case 'tick':
      return false;
    default:
      return assertNever(event);
  }
}

function takeEvent(state: LoopState, event: LoopEvent, nowMs: number): Taken {
  switch (event.kind) {
    case 'revisionsRead':
      return takeReading(sourcesAnswered(state, event.sources, nowMs), event, nowMs);
    case 'sourceUnchanged':
      return { state: sourcesAnswered(state, [event.source], nowMs) };
    case 'sourceFetching':
      return { state: sourceFetching(state, event) };
    case 'sourceFailed':
      return { state: sourceFailed(state, event, nowMs) };
    case 'proxyConnected':
    case 'proxyAcked':
      return { state: takeProxy(state, event.proxy, nowMs) };
    case 'proxyNacked':
      return takeRefusal(state, event, nowMs);
    case 'proxyDisconnected':
      return { state: loseProxy(state, event, nowMs) };
    case 'loadReported':
      for (const sample of event.samples) {
        state.load.record(sample);
      }
      return { state };
    case 'gateMeasured':
      return { state: takeMeasurement(state, event) };
    case 'statsReported':
      for (const sample of event.latencies) {
        state.load.latency.record(sample);
      }
      for (const sample of event.health) {
        state.load.health.record(sample);
      }
      return { state };
    case 'command':
      return takeCommand(state, event, nowMs);
    case 'secretsChanged':
      return { state: { ...state, secrets: event.secrets } };
    case 'tick':
      return { state };
    default:
      return assertNever(event);
  }
}

function sourcesAnswered(state: LoopState, names: readonly string[], nowMs: number): LoopState {
  const sources = new Map(state.sources);
  for (const name of names) {
    const failedAtMs = sources.get(name)?.failedAtMs;
    sources.set(name, { state: 'ok', succeededAtMs: nowMs, failedAtMs });
  }
  return { ...state, sources };
}

/** Of a repository that has answered before nobody waits for this. */
function sourceFetching(
  state: LoopState,
  { source, percent }: Extract<LoopEvent, { kind: 'sourceFetching' }>,
): LoopState {
  const known = state.sources.get(source);
  if (known?.succeededAtMs !== undefined) {
    return state;
  }
  const fetching = { state: 'starting', fetchedPercent: percent } as const;
  return { ...state, sources: new Map(state.sources).set(source, fetching) };
}

function sourceFailed(
  state: LoopState,
  event: Extract<LoopEvent, { kind: 'sourceFailed' }>,
  nowMs: number,
): LoopState {
  const { source, code, message, retryInMs } = event;
  const succeededAtMs = state.sources.get(source)?.succeededAtMs;
  const failing = { succeededAtMs, failedAtMs: nowMs, code, message, retryInMs };
  const sources = new Map(state.sources).set(source, { state: 'failing', ...failing });
  return { ...state, sources };
}

/**
 * One transition for each running rollout, but for those that the event itself moved: what they serve now
 * was not published yet, so nobody can have acknowledged it.
 */
function advanceAll(
  before: LoopState,
  state: LoopState,
  settings: StepSettings,
  nowMs: number,
): LoopState {
  const running = [...state.durable.rollouts.values()].filter(
    (rollout) =>
      !isEnded(rollout.phase) &&
      servedKey(rollout) === servedKey(before.durable.rollouts.get(rollout.id)),
  );
  if (running.length === 0) {
    return state;
  }
  const rollouts = new Map(state.durable.rollouts);
  for (const rollout of running) {
    const world = worldOf(state, rollout, settings, nowMs);
    rollouts.set(rollout.id, advanceRollout(rollout, world));
  }
  return { ...state, durable: { ...state.durable, rollouts } };
}

/** Since when each rollout is in its phase, for people who ask how long it has waited. */
function datePhases(before: DurableState, after: DurableState, nowMs: number): DurableState {
  const moved = [...after.rollouts.values()].filter(({ id, phase }) => {
    const previous = before.rollouts.get(id);
    return previous !== undefined && previous.phase !== phase;
  });
  if (moved.length === 0) {
    return after;
  }
  const rollouts = new Map(after.rollouts);
  for (const rollout of moved) {
    const dated = { ...rollout, sinceMs: nowMs };
    rollouts.set(rollout.id, isEnded(rollout.phase) ? recordOf(dated) : dated);
  }
  return { ...after, rollouts };
}

/** Reconciling is due when what is wanted, or what is held, is not what it was. */
function asksForMore(before: DurableState, after: DurableState): boolean {
  return before.meshes !== after.meshes || before.held !== after.held;
}

function forgetOld(durable: DurableState): DurableState {
  const ended = [...durable.rollouts.values()].filter(
    (rollout) => isEnded(rollout.phase) && !durable.held.has(rollout.id),
  );
  if (ended.length <= endedRolloutsMax) {
    return durable;
  }
  const rollouts = new Map(durable.rollouts);
  for (const rollout of ended.slice(0, ended.length - endedRolloutsMax)) {
    rollouts.delete(rollout.id);
  }
  return { ...durable, rollouts };
}

/**
 * What of the step `before` → `after` may be served although the store cannot keep it: only ways back to
 * the last good state. A crash before it is stored serves the canary again, and fails it again.
 */
export function retreatOnly(before: LoopState, after: LoopState): LoopState {
  const ways = [...after.durable.rollouts].filter(
    ([id, { phase }]) => phase === 'RollingBack' && isGoingOn(before.durable.rollouts.get(id)),
  );
  const rollouts = new Map([...before.durable.rollouts, ...ways]);
  // The step may be durable although its commit failed, and other replicas serve it under its number.
  const numbered = { ...before, generation: Math.max(before.generation, after.generation) };
  return withGeneration(numbered, {
    ...after,
    durable: ways.length === 0 ? before.durable : { ...before.durable, rollouts },
    generation: before.generation,
    servedGeneration: before.servedGeneration,
  });
}

function isGoingOn(rollout: Rollout | undefined): boolean {
  return rollout !== undefined && !isEnded(rollout.phase) && rollout.phase !== 'RollingBack';
}
