/** Which resources a resource names: what grouping, ordering and the check of an effective mesh go by. */
import { type Mesh, type Resource, type ResourceRef, resourceKey, resourcesOf } from './model.js';

/** The resources that `resource` of mesh `mesh` names, in no particular order, without repeats. */
export function referencesOf(mesh: string, resource: Resource): readonly ResourceRef[] {
  const byKey = new Map(namedBy(mesh, resource).map((ref) => [resourceKey(ref), ref]));
  return [...byKey.values()];
}

function namedBy(mesh: string, resource: Resource): ResourceRef[] {
  switch (resource.kind) {
    case 'Mesh':
    case 'RolloutPolicy':
      // A policy selects; what it selects may come and go without it.
      return [];
    case 'VirtualNode':
      return resource.backends.map((backend) => ({
        mesh,
        kind: 'VirtualService',
        name: backend.virtualService,
      }));
    case 'VirtualService':
      return resource.provider === undefined ? [] : [providerRef(mesh, resource.provider)];
    case 'VirtualRouter':
      return resource.routes.flatMap((route) =>
        route.targets.map((target) => ({ mesh, kind: 'VirtualNode', name: target.virtualNode })),
      );
    case 'VirtualGateway':
      return [];
    case 'GatewayRoute':
      return [
        { mesh, kind: 'VirtualGateway', name: resource.virtualGateway },
        { mesh, kind: 'VirtualService', name: resource.target.virtualService },
      ];
  }
}

function providerRef(
  mesh: string,
  provider:
    | { kind: 'virtualNode'; virtualNode: string }
    | { kind: 'virtualRouter'; virtualRouter: string },
): ResourceRef {
  return provider.kind === 'virtualNode'
    ? { mesh, kind: 'VirtualNode', name: provider.virtualNode }
    : { mesh, kind: 'VirtualRouter', name: provider.virtualRouter };
}

/** Keys of what `mesh` names and does not have, sorted: empty for every mesh that may be served. */
export function danglingReferences(mesh: Mesh): readonly string[] {
  const present = new Set(allResources(mesh).map((resource) => keyIn(mesh.name, resource)));
  const named = allResources(mesh).flatMap((resource) =>
    referencesOf(mesh.name, resource).map(resourceKey),
  );
  return [...new Set(named.filter((key) => !present.has(key)))].sort();
}

/** Every resource of `mesh`, its settings included. */
export function allResources(mesh: Mesh): readonly Resource[] {
  return [
    ...resourcesOf(mesh, 'Mesh'),
    ...mesh.virtualNodes,
    ...mesh.virtualServices,
    ...mesh.virtualRouters,
    ...mesh.virtualGateways,
    ...mesh.gatewayRoutes,
    ...mesh.rolloutPolicies,
  ];
}

/** The key of `resource`, which is one of mesh `mesh`. */
export function keyIn(mesh: string, resource: Resource): string {
  return resourceKey({ mesh, kind: resource.kind, name: resource.name });
}
