/**
 * Whom a group of changes concerns: which proxies must acknowledge it, and whose figures judge it. Both
 * follow from references alone, so they are the same on every replica and after a restart.
 */
import { memo, pairMemo } from '../base/memo.js';
import type { ChangeGroup } from '../diff/change.js';
import { type Mesh, type Resource, resourceKey } from '../mesh/model.js';
import { allResources, keyIn, referencesOf } from '../mesh/references.js';

/**
 * Keys of the virtual nodes and gateways whose proxies are given something else because of `group`: the
 * changed ones, and those that reach a changed resource over backends, services and routers. `mesh` is
 * the applied or the desired one; ask for both, since a reference may be new or gone.
 */
export function concernedNodes(group: ChangeGroup, mesh: Mesh): ReadonlySet<string> {
  const changed = new Set(group.resources.map((change) => resourceKey(change.ref)));
  if (changed.has(keyIn(mesh.name, mesh.settings))) {
    return new Set(proxied(mesh).map((resource) => keyIn(mesh.name, resource)));
  }
  const callers = callersByKey(mesh);
  const concerned = new Set<string>();
  const queue = [...changed];
  const seen = new Set<string>();
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    if (seen.has(key)) {
      continue;
    }
    seen.add(key);
    if (isProxiedKey(key)) {
      concerned.add(key);
      if (!changed.has(key)) {
        // A caller is given the change; whoever calls that caller is not.
        continue;
      }
    }
    queue.push(...(callers.get(key) ?? []));
  }
  return concerned;
}

function proxied(mesh: Mesh): readonly Resource[] {
  return [...mesh.virtualNodes, ...mesh.virtualGateways];
}

function isProxiedKey(key: string): boolean {
  return key.includes('/VirtualNode/') || key.includes('/VirtualGateway/');
}

/** For each resource the keys of those that name it; a gateway is a caller of its routes' services. */
const callersByKey = memo((mesh: Mesh): ReadonlyMap<string, readonly string[]> => {
  const callers = new Map<string, string[]>();
  const link = (from: string, to: string): void => {
    const known = callers.get(to);
    if (known === undefined) {
      callers.set(to, [from]);
    } else {
      known.push(from);
    }
  };
  for (const resource of allResources(mesh)) {
    const key = keyIn(mesh.name, resource);
    for (const ref of referencesOf(mesh.name, resource)) {
      if (resource.kind === 'GatewayRoute' && ref.kind === 'VirtualGateway') {
        link(resourceKey(ref), key);
      } else {
        link(key, resourceKey(ref));
      }
    }
  }
  return callers;
});

const resourcesByKey = memo(
  (mesh: Mesh): ReadonlyMap<string, Resource> =>
    new Map(allResources(mesh).map((resource) => [keyIn(mesh.name, resource), resource])),
);

/**
 * Names of the virtual nodes whose answers judge the configuration that `group` changes. Groups and meshes
 * are immutable: they are found once for each pair.
 */
export const judgedNodes = pairMemo((group: ChangeGroup, mesh: Mesh): readonly string[] => {
  const names = new Set<string>();
  const byKey = resourcesByKey(mesh);
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
      queue.push(...answeringFor(mesh, resource).flatMap((key) => byKey.get(key) ?? []));
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

/** Keys of what `resource` hands requests to: of a gateway its routes, of such a route its service. */
function answeringFor(mesh: Mesh, resource: Resource): readonly string[] {
  if (resource.kind === 'VirtualGateway') {
    return mesh.gatewayRoutes
      .filter(({ virtualGateway }) => virtualGateway === resource.name)
      .map((route) => keyIn(mesh.name, route));
  }
  return referencesOf(mesh.name, resource)
    .filter(({ kind }) => kind !== 'VirtualGateway')
    .map(resourceKey);
}
