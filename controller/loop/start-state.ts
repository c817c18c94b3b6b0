/** The state at the start: what the store kept, and nothing yet of the world. */
import type { LoadHistory } from '../rollout/load-history.js';
import { type GateMemory, type GateResult, isEnded, type Rollout } from '../rollout/rollout.js';
import { allLost, lostSince } from './announced.js';
import { nextGeneration } from './generation.js';
import type { DurableState, LoopState } from './state.js';

/** What a term of leadership starts with besides the durable state. */
export interface TermStart {
  readonly epoch: number;
  /** What the store says was served last, and since when each rollout's position was. */
  readonly served: Served;
  readonly origins: LoopState['origins'];
}

/** What was published last, in whatever term. */
export type Served = Pick<LoopState, 'generation' | 'servedGeneration'>;

export const nothingServed: Served = { generation: 0, servedGeneration: new Map() };

const firstTerm: TermStart = { epoch: 0, served: nothingServed, origins: new Map() };

/** Every proxy has yet to say what it has, and every gate to see its first request. */
export function startState(
  stored: DurableState,
  load: LoadHistory,
  nowMs: number,
  { epoch, served, origins }: TermStart = firstTerm,
): LoopState {
  const rollouts = new Map(
    [...stored.rollouts].map(([id, rollout]) => [id, startOver(rollout, nowMs)]),
  );
  const durable = { ...stored, rollouts, announced: allLost(stored.announced, nowMs) };
  const running = [...rollouts.values()].filter(({ phase }) => !isEnded(phase));
  const { generation: last } = served;
  const generation = durable.meshes.size === 0 ? 0 : nextGeneration({ epoch, generation: last });
  return {
    durable,
    sources: new Map(),
    proxies: new Map(),
    origins,
    load,
    measured: new Map(),
    secrets: new Map(),
    epoch,
    generation,
    servedGeneration: new Map(
      running.map(({ id }) => [id, served.servedGeneration.get(id) ?? generation]),
    ),
  };
}

/**
 * `state` as if the process had just started, but that it knows who is connected: times from before the
 * jump say nothing of how long anything took.
 */
export function afterJump(state: LoopState, nowMs: number): LoopState {
  const { durable } = state;
  state.load.forget();
  const rollouts = new Map(
    [...durable.rollouts].map(([id, rollout]) => [id, runFrom(startOver(rollout, nowMs), nowMs)]),
  );
  const proxies = new Map(
    [...state.proxies].map(([id, proxy]) => [id, { ...proxy, connectedAtMs: nowMs }]),
  );
  const announced = lostSince(durable.announced, nowMs);
  return { ...state, durable: { ...durable, rollouts, announced }, proxies, measured: new Map() };
}

/** Time in which nobody looked bakes nothing and meets no deadline. */
export function startOver(rollout: Rollout, nowMs: number): Rollout {
  const { phase, ackedAtMs, pausedAtMs } = rollout;
  if (isEnded(phase)) {
    return rollout;
  }
  // What is paused goes on from when it was paused, whenever that is.
  const fromMs = phase === 'Paused' ? Math.min(pausedAtMs ?? nowMs, nowMs) : nowMs;
  return {
    ...rollout,
    stepEnteredAtMs: fromMs,
    ackedAtMs: ackedAtMs === undefined ? undefined : fromMs,
    pausedAtMs: pausedAtMs === undefined ? undefined : fromMs,
    gates: rollout.gates.map((result) => notLaterThan(result, nowMs)),
  };
}

function runFrom(rollout: Rollout, nowMs: number): Rollout {
  return isEnded(rollout.phase) ? rollout : { ...rollout, runsFromMs: nowMs };
}

/** A clock that went back must not make a gate wait until it is where it was. */
function notLaterThan(result: GateResult, nowMs: number): GateResult {
  const { memory, partMemories } = result;
  const cut = (one: GateMemory): GateMemory => ({
    ...one,
    untilMs: Math.min(one.untilMs, nowMs),
  });
  const parts = Object.entries(partMemories ?? {}).map(([name, one]) => [name, cut(one)] as const);
  return {
    ...result,
    judgedUntilMs: Math.min(result.judgedUntilMs, nowMs),
    ...(memory === undefined ? {} : { memory: cut(memory) }),
    ...(partMemories === undefined ? {} : { partMemories: Object.fromEntries(parts) }),
  };
}
