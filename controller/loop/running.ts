/** The rollouts of a mesh that have not ended. */
import { isEnded, type Rollout } from '../rollout/rollout.js';
import type { DurableState } from './state.js';

/** Oldest first. */
export function runningRollouts(durable: DurableState, mesh: string): readonly Rollout[] {
  return [...durable.rollouts.values()].filter(
    (rollout) => rollout.mesh === mesh && !isEnded(rollout.phase),
  );
}
