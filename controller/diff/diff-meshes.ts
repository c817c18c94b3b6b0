/**
 * `diffMeshes(applied, desired)`: which resources differ. Whole resources, since they are what is stored,
 * held and compared; `classify.ts` says what the difference means inside one.
 */
import { compareText } from '../base/problem.js';
import { sameValue } from '../base/same-value.js';
import { type Mesh, type Resource, type ResourceRef, resourceKey } from '../mesh/model.js';
import { allResources, keyIn } from '../mesh/references.js';
import type { ResourceChange } from './change.js';

/** The differences, sorted by key. Both meshes have the same name. */
export function diffMeshes(applied: Mesh, desired: Mesh): readonly ResourceChange[] {
  const before = resourcesByKey(applied);
  const after = resourcesByKey(desired);
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort(compareText);
  const changes: ResourceChange[] = [];
  for (const key of keys) {
    const left = before.get(key) ?? null;
    const right = after.get(key) ?? null;
    if (!sameResource(left, right)) {
      changes.push({ ref: refOf(applied.name, left, right), before: left, after: right });
    }
  }
  return changes;
}

/** `mesh` with the `after` of every change in place of what it had. */
export function applyChanges(mesh: Mesh, changes: readonly ResourceChange[]): Mesh {
  if (changes.length === 0) {
    return mesh;
  }
  const byKey = resourcesByKey(mesh);
  for (const change of changes) {
    if (change.after === null) {
      byKey.delete(resourceKey(change.ref));
    } else {
      byKey.set(resourceKey(change.ref), change.after);
    }
  }
  return meshOf(mesh, [...byKey.values()]);
}

/** `base` with `resources` in place of all that it has. Settings that are missing stay `base`'s. */
function meshOf(base: Mesh, resources: readonly Resource[]): Mesh {
  const sorted = [...resources].sort((left, right) => compareText(left.name, right.name));
  return {
    name: base.name,
    settings: sorted.find((resource) => resource.kind === 'Mesh') ?? base.settings,
    virtualNodes: sorted.filter((resource) => resource.kind === 'VirtualNode'),
    virtualServices: sorted.filter((resource) => resource.kind === 'VirtualService'),
    virtualRouters: sorted.filter((resource) => resource.kind === 'VirtualRouter'),
    virtualGateways: sorted.filter((resource) => resource.kind === 'VirtualGateway'),
    gatewayRoutes: sorted.filter((resource) => resource.kind === 'GatewayRoute'),
    rolloutPolicies: sorted.filter((resource) => resource.kind === 'RolloutPolicy'),
  };
}

/** A mesh of which nothing exists yet: what a first revision is compared with. */
export function emptyMesh(like: Mesh): Mesh {
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

function resourcesByKey(mesh: Mesh): Map<string, Resource> {
  return new Map(allResources(mesh).map((resource) => [keyIn(mesh.name, resource), resource]));
}

function refOf(mesh: string, before: Resource | null, after: Resource | null): ResourceRef {
  const resource = after ?? before;
  if (resource === null) {
    throw new Error('assertion failed: a change has neither a before nor an after');
  }
  return { mesh, kind: resource.kind, name: resource.name };
}
