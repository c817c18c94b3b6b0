/**
 * Whether changes can be applied without others: nothing may name what is not there. Asked for each group
 * of a commit, so it looks at what changes and at nothing else of the mesh.
 */
import { memo } from '../base/memo.js';
import { compareText } from '../base/problem.js';
import { type Mesh, resourceKey } from '../mesh/model.js';
import { allResources, keyIn, referencesOf } from '../mesh/references.js';
import type { ResourceChange } from './change.js';

/**
 * Keys of what would be named and not be there, were `changes` and nothing else applied to `mesh`; sorted.
 * What `mesh` itself lacks is not among them.
 */
export function missingFor(mesh: Mesh, changes: readonly ResourceChange[]): readonly string[] {
  const { present, callers } = indexOf(mesh);
  const changed = new Map(changes.map((change) => [resourceKey(change.ref), change.after]));
  const isThere = (key: string) =>
    changed.has(key) ? changed.get(key) !== null : present.has(key);
  const missing = new Set<string>();
  for (const [key, after] of changed) {
    if (after === null) {
      if (callers.get(key)?.some((caller) => !changed.has(caller))) {
        missing.add(key);
      }
    } else {
      for (const named of referencesOf(mesh.name, after).map(resourceKey)) {
        if (!isThere(named)) {
          missing.add(named);
        }
      }
    }
  }
  return [...missing].sort(compareText);
}

interface ReferenceIndex {
  readonly present: ReadonlySet<string>;
  /** For each key the keys of those that name it. */
  readonly callers: ReadonlyMap<string, readonly string[]>;
}

const indexOf = memo((mesh: Mesh): ReferenceIndex => {
  const present = new Set<string>();
  const callers = new Map<string, string[]>();
  for (const resource of allResources(mesh)) {
    const key = keyIn(mesh.name, resource);
    present.add(key);
    for (const named of referencesOf(mesh.name, resource).map(resourceKey)) {
      const known = callers.get(named);
      if (known === undefined) {
        callers.set(named, [key]);
      } else {
        known.push(key);
      }
    }
  }
  return { present, callers };
});
