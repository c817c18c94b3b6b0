/**
 * What differs between two states of one resource type, and what follows from a snapshot without being
 * in it. Both are worked out once for all streams that see the same two objects, so that a publication
 * costs each stream only what changed for it.
 */
import { sameReferences } from '../envoy/resource-set.js';
import type { EncodedResource, ResourceSet, ResourceType, Snapshot } from '../envoy/snapshot.js';
import { emptyAssignment } from './empty-assignment.js';

const noNames: readonly string[] = [];
const emptySet: ResourceSet = { version: '', byName: new Map() };

const changesFrom = new WeakMap<ResourceSet, WeakMap<ResourceSet, readonly string[]>>();

/** Names that were added, changed or removed on the way from `before` to `after`. */
export function changedNames(
  before: ResourceSet | undefined,
  after: ResourceSet,
): readonly string[] {
  const from = before ?? emptySet;
  if (from === after) {
    return noNames;
  }
  const known = changesFrom.get(from) ?? new WeakMap<ResourceSet, readonly string[]>();
  changesFrom.set(from, known);
  const changes = known.get(after) ?? compareSets(from, after);
  known.set(after, changes);
  return changes;
}

function compareSets(before: ResourceSet, after: ResourceSet): readonly string[] {
  const differing = patchedNames(before, after);
  if (differing !== undefined) {
    return differing.filter(
      (name) => before.byName.get(name)?.version !== after.byName.get(name)?.version,
    );
  }
  const names: string[] = [];
  for (const [name, resource] of after.byName) {
    const old = before.byName.get(name);
    if (old !== resource && old?.version !== resource.version) {
      names.push(name);
    }
  }
  for (const name of before.byName.keys()) {
    if (!after.byName.has(name)) {
      names.push(name);
    }
  }
  return names;
}

/** The names in which two sets may differ that were made from one; undefined where they were not. */
function patchedNames(before: ResourceSet, after: ResourceSet): readonly string[] | undefined {
  if ((before.patch?.base ?? before) !== (after.patch?.base ?? after)) {
    return undefined;
  }
  return [...new Set([...(before.patch?.names ?? []), ...(after.patch?.names ?? [])])];
}

/** For each set of clusters, the endpoints that they refer to; the assignments are made on first use. */
const assignmentsOf = new WeakMap<ResourceSet, Map<string, EncodedResource | undefined>>();

function emptyAssignmentFor(clusters: ResourceSet, name: string): EncodedResource | undefined {
  const referring = sameReferences(clusters);
  const known = assignmentsOf.get(referring) ?? referencedEndpoints(referring);
  assignmentsOf.set(referring, known);
  if (!known.has(name)) {
    return undefined;
  }
  const assignment = known.get(name) ?? emptyAssignment(name);
  known.set(name, assignment);
  return assignment;
}

function referencedEndpoints(clusters: ResourceSet): Map<string, EncodedResource | undefined> {
  const names = [...clusters.byName.values()]
    .flatMap((cluster) => cluster.references)
    .filter((reference) => reference.type === 'endpoint')
    .map((reference) => reference.name);
  return new Map(names.map((name) => [name, undefined]));
}

/**
 * The resource that `snapshot` has for a proxy under `name`; undefined where there is none. Endpoints of
 * a cluster that has none are an empty assignment: Envoy keeps a cluster warming until it hears
 * something of its endpoints, and silence would hold back every later change of its clusters.
 */
export function desiredResource(
  snapshot: Snapshot,
  type: ResourceType,
  name: string,
): EncodedResource | undefined {
  const resource = snapshot[type].byName.get(name);
  if (resource !== undefined || type !== 'endpoint') {
    return resource;
  }
  return emptyAssignmentFor(snapshot.cluster, name);
}

/** Names of `type` whose desired resource may differ between the two snapshots. */
export function changedResources(
  before: Snapshot,
  after: Snapshot,
  type: ResourceType,
): readonly string[] {
  const names = changedNames(before[type], after[type]);
  if (type !== 'endpoint' || before.cluster === after.cluster) {
    return names;
  }
  const referenced = changedNames(before.cluster, after.cluster)
    .flatMap((name) => [before.cluster.byName.get(name), after.cluster.byName.get(name)])
    .flatMap((cluster) => cluster?.references ?? [])
    .filter((reference) => reference.type === 'endpoint')
    .map((reference) => reference.name);
  return referenced.length === 0 ? names : [...new Set([...names, ...referenced])];
}
