/**
 * References against their direction: which resources name one. Found list by list, so that after a commit
 * only the lists that it changed are read anew.
 */
import { memo } from '../base/memo.js';
import {
  type Mesh,
  type Resource,
  type ResourceKind,
  type ResourceRef,
  resourcesOf,
} from './model.js';
import { referencesOf } from './references.js';

const namingKinds: readonly ResourceKind[] = [
  'VirtualNode',
  'VirtualService',
  'VirtualRouter',
  'GatewayRoute',
];

/** The resources of `mesh` that name `ref`, whether that is there or not. */
export function callersOf(
  mesh: Mesh,
  ref: Pick<ResourceRef, 'kind' | 'name'>,
): readonly Resource[] {
  return namingKinds.flatMap((kind) => namedIn(resourcesOf(mesh, kind)).get(keyOf(ref)) ?? []);
}

const namedIn = memo((resources: readonly Resource[]): ReadonlyMap<string, readonly Resource[]> => {
  const named = new Map<string, Resource[]>();
  for (const resource of resources) {
    for (const key of referencesOf('', resource).map(keyOf)) {
      const known = named.get(key);
      if (known === undefined) {
        named.set(key, [resource]);
      } else {
        known.push(resource);
      }
    }
  }
  return named;
});

function keyOf({ kind, name }: Pick<ResourceRef, 'kind' | 'name'>): string {
  return `${kind}/${name}`;
}
