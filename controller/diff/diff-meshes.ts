/**
 * `diffMeshes(applied, desired)`: which resources differ. Whole resources, since they are what is stored,
 * held and compared; `classify.ts` says what the difference means inside one.
 */
import { compareText } from '../base/problem.js';
import { sameValue } from '../base/same-value.js';
import { placeOf } from '../mesh/by-name.js';
import {
  type Mesh,
  type Resource,
  type ResourceKind,
  type ResourceRef,
  resourceKey,
  resourcesOf,
} from '../mesh/model.js';
import type { ResourceChange } from './change.js';

/** The kinds of resources in the order of their keys. */
const kinds: readonly ResourceKind[] = [
  'GatewayRoute',
  'Mesh',
  'RolloutPolicy',
  'VirtualGateway',
  'VirtualNode',
  'VirtualRouter',
  'VirtualService',
];

/**
 * The differences, sorted by key. Both meshes have the same name. What is the same object in both is not
 * looked into, so this costs a comparison of identities for each resource, and more for what differs.
 */
export function diffMeshes(applied: Mesh, desired: Mesh): readonly ResourceChange[] {
  return kinds.flatMap((kind) => {
    const [before, after] = [resourcesOf(applied, kind), resourcesOf(desired, kind)];
    return before === after ? [] : diffLists({ mesh: applied.name, kind }, before, after);
  });
}

/** Of two lists that are sorted by name. */
function diffLists(
  of: Pick<ResourceRef, 'mesh' | 'kind'>,
  applied: readonly Resource[],
  desired: readonly Resource[],
): readonly ResourceChange[] {
  const changes: ResourceChange[] = [];
  let [left, right] = [0, 0];
  while (left < applied.length || right < desired.length) {
    const [old, next] = [applied[left] ?? null, desired[right] ?? null];
    if (old === next) {
      left += 1;
      right += 1;
      continue;
    }
    const order = compareNames(old, next);
    const before = order <= 0 ? old : null;
    const after = order >= 0 ? next : null;
    left += Number(before !== null);
    right += Number(after !== null);
    if (!sameResource(before, after)) {
      const name = before?.name ?? after?.name ?? '';
      changes.push({ ref: { ...of, name }, before, after });
    }
  }
  return changes;
}

/** What is not there comes last. */
function compareNames(left: Resource | null, right: Resource | null): number {
  if (left === null || right === null) {
    return Number(left === null) - Number(right === null);
  }
  return compareText(left.name, right.name);
}

/** `mesh` with the `after` of every change in place of what it had. Lists without changes stay the same. */
export function applyChanges(
  mesh: Mesh,
  changes: readonly Pick<ResourceChange, 'ref' | 'after'>[],
): Mesh {
  if (changes.length === 0) {
    return mesh;
  }
  const byKey = new Map(changes.map((change) => [resourceKey(change.ref), change]));
  const sorted = [...byKey.values()].sort((left, right) =>
    compareText(left.ref.name, right.ref.name),
  );
  const replace = <R extends Resource>(kind: R['kind'], list: readonly R[]): readonly R[] => {
    const own = sorted.filter(({ ref }) => ref.kind === kind);
    return own.length === 0 ? list : replaceByName(list, own);
  };
  const [settings = mesh.settings] = replace('Mesh', [mesh.settings]);
  return {
    name: mesh.name,
    settings,
    virtualNodes: replace('VirtualNode', mesh.virtualNodes),
    virtualServices: replace('VirtualService', mesh.virtualServices),
    virtualRouters: replace('VirtualRouter', mesh.virtualRouters),
    virtualGateways: replace('VirtualGateway', mesh.virtualGateways),
    gatewayRoutes: replace('GatewayRoute', mesh.gatewayRoutes),
    rolloutPolicies: replace('RolloutPolicy', mesh.rolloutPolicies),
  };
}

/** `list`, which is sorted by name as `changes` are, with each change in its place. */
function replaceByName<R extends Resource>(
  list: readonly R[],
  changes: readonly Pick<ResourceChange, 'ref' | 'after'>[],
): readonly R[] {
  const replaced: R[] = [];
  let start = 0;
  const copyUntil = (end: number): void => {
    for (; start < end; start += 1) {
      replaced.push(list[start] as R);
    }
  };
  for (const { ref, after } of changes) {
    copyUntil(placeOf(list, ref.name, start));
    if (after !== null) {
      replaced.push(after as R);
    }
    start += Number(list[start]?.name === ref.name);
  }
  copyUntil(list.length);
  return replaced;
}

/** A mesh of which nothing exists yet: what a first revision is compared with. */
export function emptyMesh(like: Pick<Mesh, 'name' | 'settings'>): Mesh {
  return {
    name: like.name,
    settings: like.settings,
    virtualNodes: [],
    virtualServices: [],
    virtualRouters: [],
    virtualGateways: [],
    gatewayRoutes: [],
    rolloutPolicies: [],
  };
}

/** Equal in meaning. By identity first: what did not change is usually the same object. */
export function sameResource(left: Resource | null, right: Resource | null): boolean {
  return sameValue(left, right);
}
