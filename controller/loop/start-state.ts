/** The state at the start: what the store kept, and nothing yet of the world. */
import type { LoadHistory } from '../rollout/load-history.js';
import { isEnded, type Rollout } from '../rollout/rollout.js';
import { allLost } from './announced.js';
import type { DurableState, LoopState } from './state.js';

/** Every proxy has yet to say what it has, and every gate to see its first request. */
export function startState(stored: DurableState, load: LoadHistory, nowMs: number): LoopState {
  const rollouts = new Map(
    [...stored.rollouts].map(([id, rollout]) => [id, startOver(rollout, nowMs)]),
  );
  const durable = { ...stored, rollouts, announced: allLost(stored.announced, nowMs) };
  const running = [...rollouts.values()].filter(({ phase }) => !isEnded(phase));
  return {
    durable,
    source: { state: 'starting' },
    proxies: new Map(),
    origins: new Map(),
    load,
    measured: new Map(),
    secrets: new Map(),
    generation: durable.meshes.size === 0 ? 0 : 1,
    servedGeneration: new Map(running.map((rollout) => [rollout.id, 1])),
  };
}

/** Time in which nobody looked bakes nothing and meets no deadline. */
function startOver(rollout: Rollout, nowMs: number): Rollout {
  const { phase, ackedAtMs, pausedAtMs } = rollout;
  if (isEnded(phase)) {
    return rollout;
  }
  // What is paused goes on from when it was paused, whenever that is.
  const fromMs = phase === 'Paused' ? (pausedAtMs ?? nowMs) : nowMs;
  return {
    ...rollout,
    stepEnteredAtMs: fromMs,
    ackedAtMs: ackedAtMs === undefined ? undefined : fromMs,
  };
}
