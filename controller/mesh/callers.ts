/**
 * References against their direction: which resources name one. Found list by list; of a list that differs
 * in a few resources from the one before, only those are read.
 */
import { groupBy } from '../base/group-by.js';
import { listDifference, placeOf } from './by-name.js';
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
  return namingKinds.flatMap((kind) => callersIn(mesh, kind).get(keyOf(ref)) ?? []);
}

/** Resources of one list, in its order, by the key of what they name. */
type Callers = ReadonlyMap<string, readonly Resource[]>;

/** For as long as the list lives. */
const known = new WeakMap<readonly Resource[], Callers>();

/** The newest list of each mesh and kind: what the next one is most likely to resemble. */
const newest = new Map<string, WeakRef<readonly Resource[]>>();

/** To read the whole list again costs less than to change more of it one by one. */
const changesMax = 128;

function callersIn(mesh: Mesh, kind: ResourceKind): Callers {
  const list = resourcesOf(mesh, kind);
  const found = known.get(list);
  if (found !== undefined) {
    return found;
  }
  const place = `${mesh.name}/${kind}`;
  const before = newest.get(place)?.deref();
  const callers = (before && changedCallers(before, list)) ?? groupBy(list, keysNamedBy);
  known.set(list, callers);
  newest.set(place, new WeakRef(list));
  return callers;
}

/** The callers in `list` by those in `before`; undefined where the two differ in much. */
function changedCallers(
  before: readonly Resource[],
  list: readonly Resource[],
): Callers | undefined {
  const { gone, come } = listDifference(before, list);
  if (gone.length + come.length > changesMax) {
    return undefined;
  }
  const callers = new Map(known.get(before));
  for (const resource of gone) {
    for (const key of keysNamedBy(resource)) {
      const rest = (callers.get(key) ?? []).filter((other) => other !== resource);
      callers.set(key, rest);
      if (rest.length === 0) {
        callers.delete(key);
      }
    }
  }
  for (const resource of come) {
    for (const key of keysNamedBy(resource)) {
      const others = callers.get(key) ?? [];
      callers.set(key, others.toSpliced(placeOf(others, resource.name), 0, resource));
    }
  }
  return callers;
}

function keysNamedBy(resource: Resource): readonly string[] {
  return referencesOf('', resource).map(keyOf);
}

function keyOf({ kind, name }: Pick<ResourceRef, 'kind' | 'name'>): string {
  return `${kind}/${name}`;
}
