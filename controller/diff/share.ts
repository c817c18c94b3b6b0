/**
 * Structural sharing: a resource that did not change keeps its identity from revision to revision, and
 * with it everything that was translated and encoded from it.
 */
import type { Mesh, Resource } from '../mesh/model.js';
import { sameResource } from './diff-meshes.js';

/** `next`, with the objects of `previous` wherever they mean the same; `previous` itself where all do. */
export function shareMesh(previous: Mesh | undefined, next: Mesh): Mesh {
  if (previous === undefined) {
    return next;
  }
  const settings = sameResource(previous.settings, next.settings)
    ? previous.settings
    : next.settings;
  const shared: Mesh = {
    name: next.name,
    settings,
    virtualNodes: shareList(previous.virtualNodes, next.virtualNodes),
    virtualServices: shareList(previous.virtualServices, next.virtualServices),
    virtualRouters: shareList(previous.virtualRouters, next.virtualRouters),
    virtualGateways: shareList(previous.virtualGateways, next.virtualGateways),
    gatewayRoutes: shareList(previous.gatewayRoutes, next.gatewayRoutes),
    rolloutPolicies: shareList(previous.rolloutPolicies, next.rolloutPolicies),
  };
  const isSame = (Object.keys(shared) as (keyof Mesh)[]).every(
    (key) => shared[key] === previous[key],
  );
  return isSame ? previous : shared;
}

function shareList<T extends Resource>(previous: readonly T[], next: readonly T[]): readonly T[] {
  if (previous === next) {
    return previous;
  }
  let place = 0;
  // Both are sorted by name.
  const shared = next.map((resource) => {
    if (resource === previous[place]) {
      place += 1;
      return resource;
    }
    while (place < previous.length && (previous[place] as T).name < resource.name) {
      place += 1;
    }
    const candidate = previous[place];
    return candidate?.name === resource.name && sameResource(candidate, resource)
      ? candidate
      : resource;
  });
  const isSame =
    shared.length === previous.length &&
    shared.every((resource, index) => resource === previous[index]);
  return isSame ? previous : shared;
}
