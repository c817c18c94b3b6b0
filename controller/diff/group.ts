/**
 * Groups: the connected components of what changes, over the references between the changed resources.
 * Two services changed by one commit are two groups, so one team's failed canary never holds up another's.
 */
import { compareText } from '../base/problem.js';
import { resourceKey } from '../mesh/model.js';
import { referencesOf } from '../mesh/references.js';
import type { ChangeGroup, ResourceChange } from './change.js';
import { classifyChange } from './classify.js';

/** `changes` of one mesh in groups, sorted by name. Each change is in exactly one. */
export function groupChanges(
  mesh: string,
  changes: readonly ResourceChange[],
): readonly ChangeGroup[] {
  const byKey = new Map(changes.map((change) => [resourceKey(change.ref), change]));
  const neighbours = linkChanges(mesh, byKey);
  const seen = new Set<string>();
  const groups: ChangeGroup[] = [];
  for (const key of [...byKey.keys()].sort(compareText)) {
    if (!seen.has(key)) {
      const members = reach(key, neighbours, seen);
      groups.push(
        makeGroup(
          mesh,
          members.flatMap((member) => byKey.get(member) ?? []),
        ),
      );
    }
  }
  return groups.sort((left, right) => compareText(left.name, right.name));
}

/** One group of `resources`, whether connected or not. At least one resource. */
export function makeGroup(mesh: string, resources: readonly ResourceChange[]): ChangeGroup {
  const sorted = [...resources].sort((left, right) =>
    compareText(resourceKey(left.ref), resourceKey(right.ref)),
  );
  return {
    mesh,
    name: groupName(sorted),
    resources: sorted,
    changes: sorted.flatMap(classifyChange),
  };
}

/** Both directions of every reference between two changed resources, before or after. */
function linkChanges(
  mesh: string,
  byKey: ReadonlyMap<string, ResourceChange>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const neighbours = new Map([...byKey.keys()].map((key) => [key, new Set<string>()]));
  for (const [key, change] of byKey) {
    for (const resource of [change.before, change.after]) {
      const references = resource === null ? [] : referencesOf(mesh, resource);
      for (const other of references.map(resourceKey)) {
        neighbours.get(other)?.add(key);
        if (neighbours.has(other)) {
          neighbours.get(key)?.add(other);
        }
      }
    }
  }
  return neighbours;
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
