/** What ended in a step: what succeeded becomes part of what is applied, what failed is held. */
import { applyChanges } from '../diff/diff-meshes.js';
import { shareMesh } from '../diff/share.js';
import { isEnded, type Rollout } from '../rollout/rollout.js';
import { holdRollout } from './hold.js';
import { withPast } from './past.js';
import type { DurableState } from './state.js';

/** `after` itself where nothing has ended since `before`. */
export function settle(before: DurableState, after: DurableState, nowMs: number): DurableState {
  const ended = [...after.rollouts.values()].filter((rollout) => {
    const previous = before.rollouts.get(rollout.id);
    return isEnded(rollout.phase) && previous !== undefined && !isEnded(previous.phase);
  });
  if (ended.length === 0) {
    return after;
  }
  const succeeded = ended.filter(({ phase }) => phase === 'Succeeded');
  const failed = ended.filter(({ phase }) => phase === 'RolledBack' || phase === 'Aborted');
  return {
    ...after,
    meshes: applyTo(after.meshes, succeeded),
    past: withPast(after.past, succeeded, nowMs),
    held: new Map([
      ...after.held,
      ...failed.map((rollout) => [rollout.id, holdRollout(rollout, nowMs)] as const),
    ]),
  };
}

/** Thousands may succeed in one step, and a mesh is made anew as a whole: once for all of them. */
function applyTo(
  meshes: DurableState['meshes'],
  succeeded: readonly Rollout[],
): DurableState['meshes'] {
  return new Map(
    [...meshes].map(([name, mesh]) => {
      const resources = succeeded
        .filter((rollout) => rollout.mesh === name)
        .flatMap(({ group }) => group.resources);
      // A mesh that nothing succeeded in keeps its identity, and what was made of it.
      if (resources.length === 0) {
        return [name, mesh];
      }
      const applied = shareMesh(mesh.desired, applyChanges(mesh.applied, resources));
      return [name, { ...mesh, applied }];
    }),
  );
}
