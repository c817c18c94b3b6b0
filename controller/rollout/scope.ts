/**
 * Whom a group of changes concerns: which proxies must acknowledge it, and whose figures judge it. Both
 * follow from references alone, so they are the same on every replica and after a restart.
 */
import { pairMemo } from '../base/memo.js';
import type { ChangeGroup } from '../diff/change.js';
import { callersOf } from '../mesh/callers.js';
import {
  findResource,
  type Mesh,
  type Resource,
  type ResourceRef,
  resourceKey,
} from '../mesh/model.js';
import { keyIn, referencesOf } from '../mesh/references.js';

/**
 * Keys of the virtual nodes and gateways whose proxies are given something else because of `group`: the
 * changed ones, and those that reach a changed resource over backends, services and routers. `mesh` is
 * the applied or the desired one; ask for both, since a reference may be new or gone.
 */
export function concernedNodes(group: ChangeGroup, mesh: Mesh): ReadonlySet<string> {
  const changed = group.resources.map(({ ref }) => ref);
  if (changed.some(({ kind }) => kind === 'Mesh')) {
    return new Set(proxied(mesh).map((resource) => keyIn(mesh.name, resource)));
  }
  const changedKeys = new Set(changed.map(resourceKey));
  const concerned = new Set<string>();
  const queue = [...changed];
  const seen = new Set<string>();
  for (let ref = queue.pop(); ref !== undefined; ref = queue.pop()) {
    const key = resourceKey(ref);
    if (seen.has(key)) {
      continue;
    }
    seen.add(key);
    if (ref.kind === 'VirtualNode' || ref.kind === 'VirtualGateway') {
      concerned.add(key);
      if (!changedKeys.has(key)) {
        // A caller is given the change; whoever calls that caller is not.
        continue;
      }
    }
    queue.push(...concernedBy(mesh, ref));
  }
  return concerned;
}

function proxied(mesh: Mesh): readonly Resource[] {
  return [...mesh.virtualNodes, ...mesh.virtualGateways];
}

/** What names `ref`; but a gateway is the caller of its routes, and not the other way about. */
function concernedBy(mesh: Mesh, ref: ResourceRef): readonly ResourceRef[] {
  switch (ref.kind) {
    case 'VirtualGateway':
      return [];
    case 'GatewayRoute': {
      const route = findResource(mesh, ref);
      return route?.kind === 'GatewayRoute'
        ? [{ mesh: mesh.name, kind: 'VirtualGateway', name: route.virtualGateway }]
        : [];
    }
    default:
      return callersOf(mesh, ref).map(({ kind, name }) => ({ mesh: mesh.name, kind, name }));
  }
}

/**
 * Names of the virtual nodes whose answers judge the configuration that `group` changes. Groups and meshes
 * are immutable: they are found once for each pair.
 */
export const judgedNodes = pairMemo((group: ChangeGroup, mesh: Mesh): readonly string[] => {
  const names = new Set<string>();
  const queue = group.resources.flatMap(
    ({ before, after }) => after ?? inItsPlace(mesh, before) ?? [],
  );
  const seen = new Set<Resource>();
  for (let resource = queue.pop(); resource !== undefined; resource = queue.pop()) {
    if (seen.has(resource)) {
      continue;
    }
    seen.add(resource);
    if (resource.kind === 'VirtualNode') {
      names.add(resource.name);
    } else {
      queue.push(...answeringFor(mesh, resource));
    }
  }
  return [...names].sort();
});

/** What takes the requests of `removed`: of a gateway route's, the others of its gateway, if that stays. */
function inItsPlace(mesh: Mesh, removed: Resource | null): Resource | null {
  return removed?.kind === 'GatewayRoute'
    ? (mesh.virtualGateways.find(({ name }) => name === removed.virtualGateway) ?? null)
    : removed;
}

/** What `resource` hands requests to: of a gateway its routes, of such a route its service. */
function answeringFor(mesh: Mesh, resource: Resource): readonly Resource[] {
  if (resource.kind === 'VirtualGateway') {
    return mesh.gatewayRoutes.filter(({ virtualGateway }) => virtualGateway === resource.name);
  }
  return referencesOf(mesh.name, resource)
    .filter(({ kind }) => kind !== 'VirtualGateway')
    .flatMap((ref) => findResource(mesh, ref) ?? []);
}
