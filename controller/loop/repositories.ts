/** Which repository stands behind what is desired: one, or several that each have a part of it. */
import { compareText } from '../base/problem.js';
import { onlyRepository } from '../base/revision.js';
import type { ResourceChange } from '../diff/change.js';
import { diffMeshes } from '../diff/diff-meshes.js';
import { resourceKey } from '../mesh/model.js';
import type { RevisionInfo } from '../rollout/rollout.js';
import type { DurableState, RevisionState } from './state.js';

/**
 * The commit that brings `changes`: that of the repository that declares what they change; of several
 * the one that was accepted last. Undefined where nothing was accepted yet.
 */
export function revisionOf(
  durable: DurableState,
  changes: readonly ResourceChange[],
): RevisionInfo | undefined {
  const owners = new Set(ownersOf(durable, changes));
  const all = [...durable.repositories].filter(([, { desired }]) => desired !== undefined);
  const behind = all.filter(([name]) => owners.has(name));
  return newest(behind.length > 0 ? behind : all)?.desired;
}

function ownersOf({ owners }: DurableState, changes: readonly ResourceChange[]) {
  return changes.map(({ ref }) => owners.get(resourceKey(ref)) ?? onlyRepository);
}

function newest(repositories: readonly (readonly [string, RevisionState])[]) {
  const sorted = repositories.toSorted(
    ([leftName, left], [rightName, right]) =>
      (left.desiredAtMs ?? 0) - (right.desiredAtMs ?? 0) || compareText(leftName, rightName),
  );
  return sorted.at(-1)?.[1];
}

/** A desired revision is applied once nothing of its repository is left to do. */
export function markApplied(durable: DurableState): DurableState {
  const behind = [...durable.repositories].filter(
    ([, { desired, applied }]) => desired?.id !== applied?.id,
  );
  if (behind.length === 0) {
    return durable;
  }
  const changes = [...durable.meshes.values()].flatMap((mesh) =>
    diffMeshes(mesh.applied, mesh.desired),
  );
  const waiting = new Set(ownersOf(durable, changes));
  // What nobody is known to own is everybody's.
  const isAnybodys = durable.repositories.size > 1 && waiting.has(onlyRepository);
  const done = isAnybodys ? [] : behind.filter(([name]) => !waiting.has(name));
  if (done.length === 0) {
    return durable;
  }
  const repositories = new Map(durable.repositories);
  for (const [name, state] of done) {
    repositories.set(name, { ...state, applied: state.desired });
  }
  return { ...durable, repositories };
}
