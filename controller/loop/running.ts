/** The rollouts of a mesh that have not ended. */
import { memo } from '../base/memo.js';
import { isEnded, type Rollout } from '../rollout/rollout.js';
import type { DurableState } from './state.js';

/** By mesh, oldest first. Found once for a state, whoever asks. */
export const runningOf = memo((durable: DurableState): ReadonlyMap<string, readonly Rollout[]> => {
  const running = new Map<string, Rollout[]>();
  for (const rollout of durable.rollouts.values()) {
    if (!isEnded(rollout.phase)) {
      const known = running.get(rollout.mesh);
      if (known === undefined) {
        running.set(rollout.mesh, [rollout]);
      } else {
        known.push(rollout);
      }
    }
  }
  return running;
});

/** Oldest first. */
export function runningRollouts(durable: DurableState, mesh: string): readonly Rollout[] {
  return runningOf(durable).get(mesh) ?? [];
}
