/**
 * Groups: the connected components of what changes, over the references between the changed resources.
 * Two services changed by one commit are two groups, so one team's failed canary never holds up another's.
 * A gateway route is joined with the routes behind its service in one hop, and so linked with them even
 * where the service between them stays as it is; and one that goes is linked with one that comes in its
 * place, or nobody would answer between the two.
 */
import { compareText } from '../base/problem.js';
import { type Mesh, type Resource, type ResourceRef, resourceKey } from '../mesh/model.js';
import { referencesOf } from '../mesh/references.js';
import type { ChangeGroup, Ends, ResourceChange } from './change.js';
import { classifyChange } from './classify.js';
import { mayMeet } from './takes-requests.js';

/** `changes` that lead to the mesh `ends.desired`, in groups, sorted by name. Each change is in exactly one. */
export function groupChanges(
  ends: Ends,
  changes: readonly ResourceChange[],
): readonly ChangeGroup[] {
  const { desired } = ends;
  const byKey = new Map(changes.map((change) => [resourceKey(change.ref), change]));
  const neighbours = linkChanges(desired, byKey);
  const seen = new Set<string>();
  const groups: ChangeGroup[] = [];
  for (const key of [...byKey.keys()].sort(compareText)) {
    if (!seen.has(key)) {
      const members = reach(key, neighbours, seen);
      groups.push(
        makeGroup(
          ends,
          members.flatMap((member) => byKey.get(member) ?? []),
        ),
      );
    }
  }
  return groups.sort((left, right) => compareText(left.name, right.name));
}

/** One group of `resources`, whether connected or not. At least one resource. */
export function makeGroup(ends: Ends, resources: readonly ResourceChange[]): ChangeGroup {
  const sorted = [...resources].sort((left, right) =>
    compareText(resourceKey(left.ref), resourceKey(right.ref)),
  );
  return {
    mesh: ends.desired.name,
    name: groupName(sorted),
    resources: sorted,
    changes: sorted.flatMap((change) => classifyChange(change, sorted, ends)),
  };
}

/** Both directions of every reference between two changed resources, before or after. */
function linkChanges(
  desired: Mesh,
  byKey: ReadonlyMap<string, ResourceChange>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const neighbours = new Map([...byKey.keys()].map((key) => [key, new Set<string>()]));
  for (const [key, change] of byKey) {
    for (const resource of [change.before, change.after]) {
      const references = resource === null ? [] : linksOf(desired, resource);
      for (const other of references.map(resourceKey)) {
        neighbours.get(other)?.add(key);
        if (neighbours.has(other)) {
          neighbours.get(key)?.add(other);
        }
      }
    }
  }
  for (const [gone, come] of replacedRoutes([...byKey.values()])) {
    neighbours.get(gone)?.add(come);
    neighbours.get(come)?.add(gone);
  }
  return neighbours;
}

/** Keys of gateway routes that go, each with one that comes and may take its requests. */
function replacedRoutes(
  changes: readonly ResourceChange[],
): readonly (readonly [string, string])[] {
  const come = changes.flatMap(({ ref, before, after }) =>
    before === null && after?.kind === 'GatewayRoute'
      ? [{ key: resourceKey(ref), route: after }]
      : [],
  );
  return changes.flatMap(({ ref, before, after }) =>
    before?.kind === 'GatewayRoute' && after === null
      ? come
          .filter(({ route }) => mayMeet(before, route))
          .map(({ key }) => [resourceKey(ref), key] as const)
      : [],
  );
}

/** What `resource` names, and of a gateway route what answers for its service. */
function linksOf(desired: Mesh, resource: Resource): readonly ResourceRef[] {
  const named = referencesOf(desired.name, resource);
  if (resource.kind !== 'GatewayRoute') {
    return named;
  }
  // Where the service itself changes, its own references link what was behind it before.
  const service = desired.virtualServices.find(
    ({ name }) => name === resource.target.virtualService,
  );
  return service === undefined ? named : [...named, ...referencesOf(desired.name, service)];
}

function reach(
  start: string,
  neighbours: ReadonlyMap<string, ReadonlySet<string>>,
  seen: Set<string>,
): readonly string[] {
  const queue = [start];
  const members: string[] = [];
  seen.add(start);
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    members.push(key);
    for (const next of neighbours.get(key) ?? []) {
      if (!seen.has(next)) {
        seen.add(next);
        queue.push(next);
      }
    }
  }
  return members;
}

/** Routers are what people release through; a group without one is named by its first resource. */
function groupName(resources: readonly ResourceChange[]): string {
  const router = resources.find((change) => change.ref.kind === 'VirtualRouter');
  return (router ?? resources[0])?.ref.name ?? 'empty';
}
