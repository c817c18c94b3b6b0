/**
 * What is served of a state, as the inspector compares it. The same objects for the same objects: a mesh is
 * put together, looked through and compared once, however many proxies and moments have it.
 */
import { memo, pairMemo } from '../../controller/base/memo.js';
import { sameValue } from '../../controller/base/same-value.js';
import type { ResourceChange } from '../../controller/diff/change.js';
import { applyChanges } from '../../controller/diff/diff-meshes.js';
import type { DurableState } from '../../controller/loop/state.js';
import type { Mesh, Resource } from '../../controller/mesh/model.js';
import { allResources } from '../../controller/mesh/references.js';
import { effectiveChanges } from '../../controller/rollout/mix.js';
import { isEnded, type Rollout } from '../../controller/rollout/rollout.js';
import { frozen } from './frozen.js';

export const runningOf = memo(({ rollouts }: DurableState): readonly Rollout[] =>
  [...rollouts.values()].filter(({ phase }) => !isEnded(phase)),
);

/** The mesh that `instance` is served; undefined before the first revision. */
export function effectiveFor(durable: DurableState, instance: string): Mesh | undefined {
  const mesh = durable.meshes.get('demo');
  return mesh === undefined ? undefined : servedMesh(mesh.applied, runningOf(durable), instance);
}

/** What `instance` is served of `applied` with `rollouts`. */
export function servedMesh(applied: Mesh, rollouts: readonly Rollout[], instance: string): Mesh {
  const byInstance = servedMeshes(applied, rollouts);
  const mesh = byInstance.get(instance) ?? meshWith(applied, effectiveChanges(rollouts, instance));
  byInstance.set(instance, mesh);
  return mesh;
}

const servedMeshes = pairMemo(
  (_applied: Mesh, _rollouts: readonly Rollout[]) => new Map<string, Mesh>(),
);

/** `applied` with the `after` of every change in place of what it had. */
export function meshWith(applied: Mesh, changes: readonly ResourceChange[]): Mesh {
  const { meshes } = changes.reduce((known, change) => known.next(change), knownOf(applied));
  const mesh = meshes[0] ?? frozen(applyChanges(applied, changes));
  meshes[0] = mesh;
  return mesh;
}

/** What is known of a list of changes: the mesh, once it was made, and the lists that are one longer. */
interface Known {
  readonly meshes: Mesh[];
  readonly next: (change: ResourceChange) => Known;
}

function nothingKnown(): Known {
  return { meshes: [], next: memo((_change: ResourceChange) => nothingKnown()) };
}

const knownOf = memo((_applied: Mesh) => nothingKnown());

const resourcesIn = memo(allResources);

const sameResource = pairMemo((left: Resource, right: Resource) => sameValue(left, right));

/** True where both mean the same. */
export const sameMesh = pairMemo((left: Mesh, right: Mesh): boolean => {
  const [some, others] = [resourcesIn(left), resourcesIn(right)];
  return (
    left.name === right.name &&
    some.length === others.length &&
    some.every((one, index) => {
      const other = others[index];
      return one === other || (other !== undefined && sameResource(one, other));
    })
  );
});

/** True where `instance` is served the same of both. */
export function isServedAlike(left: DurableState, right: DurableState, instance: string): boolean {
  const [one, other] = [effectiveFor(left, instance), effectiveFor(right, instance)];
  return one === undefined || other === undefined ? one === other : sameMesh(one, other);
}

/** `stored`, with the ways back of `present`, which may be served although they are not stored yet. */
export const withRetreats = pairMemo(
  (stored: DurableState, present: DurableState): DurableState => {
    const ways = [...present.rollouts].filter(([id, { phase }]) => {
      const rollout = stored.rollouts.get(id);
      return phase === 'RollingBack' && rollout !== undefined && !isEnded(rollout.phase);
    });
    return { ...stored, rollouts: new Map([...stored.rollouts, ...ways]) };
  },
);
