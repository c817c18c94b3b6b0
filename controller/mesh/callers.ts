/**
 * References against their direction: which resources name one. Found list by list, so that after a commit
 * only the lists that it changed are read anew.
 */
import { groupBy } from '../base/group-by.js';
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

const namedIn = memo((resources: readonly Resource[]) =>
  groupBy(resources, (resource) => referencesOf('', resource).map(keyOf)),
);

function keyOf({ kind, name }: Pick<ResourceRef, 'kind' | 'name'>): string {
  return `${kind}/${name}`;
}
