/** The rollouts of a mesh that have not ended. */
import { groupBy } from '../base/group-by.js';
import { memo } from '../base/memo.js';
import { isEnded, type Rollout } from '../rollout/rollout.js';
import type { DurableState } from './state.js';

/** By mesh, oldest first. Found once for a state, whoever asks. */
export const runningOf = memo(({ rollouts }: DurableState) =>
  groupBy(rollouts.values(), ({ mesh, phase }) => (isEnded(phase) ? [] : [mesh])),
);

/** Oldest first. */
export function runningRollouts(durable: DurableState, mesh: string): readonly Rollout[] {
  return runningOf(durable).get(mesh) ?? [];
}
