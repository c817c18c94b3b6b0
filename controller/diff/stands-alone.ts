/**
 * Whether changes can be applied without others: nothing may name what is not there. Asked for each group
 * of a commit, so it looks at what changes and at nothing else of the mesh.
 */
import { compareText } from '../base/problem.js';
import { callersOf } from '../mesh/callers.js';
import { findResource, type Mesh, type ResourceRef, resourceKey } from '../mesh/model.js';
import { keyIn, referencesOf } from '../mesh/references.js';
import type { ResourceChange } from './change.js';

/**
 * Keys of what would be named and not be there, were `changes` and nothing else applied to `mesh`; sorted.
 * What `mesh` itself lacks is not among them.
 */
export function missingFor(mesh: Mesh, changes: readonly ResourceChange[]): readonly string[] {
  const changed = new Map(changes.map((change) => [resourceKey(change.ref), change.after]));
  const isThere = (ref: ResourceRef): boolean => {
    const after = changed.get(resourceKey(ref));
    return after === undefined ? findResource(mesh, ref) !== undefined : after !== null;
  };
  const missing = new Set<string>();
  for (const { ref } of changes) {
    const key = resourceKey(ref);
    const after = changed.get(key) ?? null;
    if (after === null) {
      if (callersOf(mesh, ref).some((caller) => !changed.has(keyIn(mesh.name, caller)))) {
        missing.add(key);
      }
    } else {
      for (const named of referencesOf(mesh.name, after)) {
        if (!isThere(named)) {
          missing.add(resourceKey(named));
        }
      }
    }
  }
  return [...missing].sort(compareText);
}
