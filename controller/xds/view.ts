/**
 * What a stream wants of one type as one shared set, where it wants what other streams want too: all of a
 * set, or the names of a list that others have sent as well. It is what makes a connecting proxy cost
 * its messages and not its resources.
 */
import { PatchedMap } from '../base/patched-map.js';
import { identityMemo } from '../envoy/memo.js';
import { sameReferences } from '../envoy/resource-set.js';
import type { EncodedResource, ResourceSet, Snapshot } from '../envoy/snapshot.js';
import { desiredResource } from './snapshot-changes.js';
import type { TypeState } from './type-state.js';

export interface View {
  /** The resources that are wanted and desired. */
  readonly set: ResourceSet;
  /** Names that are wanted and of which there is no resource. */
  readonly missing: readonly string[];
}

const views = identityMemo<View>();
const noneMissing: readonly string[] = [];

/** Undefined where the stream wants what hardly another one does. */
export function viewOf(snapshot: Snapshot, state: TypeState): View | undefined {
  const { isWildcard, names } = state.subscription;
  const set = snapshot[state.type];
  if (isWildcard) {
    return names.size === 0 ? { set, missing: noneMissing } : undefined;
  }
  const list = names.whole;
  if (list === undefined) {
    return undefined;
  }
  const parents = state.type === 'endpoint' ? [sameReferences(snapshot.cluster)] : [];
  return views([list, set, ...parents], '', () => {
    const base = set.patch && viewOf({ ...snapshot, [state.type]: set.patch.base }, state);
    return base === undefined ? namedView(snapshot, state, list) : patchedView(base, set);
  });
}

/** Names that are asked for in so many words and of which there is no resource. */
export function missingNames(snapshot: Snapshot | undefined, state: TypeState): readonly string[] {
  if (snapshot === undefined) {
    return noneMissing;
  }
  const { type, subscription } = state;
  return (
    viewOf(snapshot, state)?.missing ??
    [...subscription.names].filter((name) => desiredResource(snapshot, type, name) === undefined)
  );
}

/** What `base`, a view of the set that `set` was made from, is of `set`. */
function patchedView(base: View, set: ResourceSet): View {
  const { patch } = set;
  if (base.set === patch?.base) {
    return { set, missing: base.missing };
  }
  const seen = (patch?.names ?? []).filter((name) => base.set.byName.has(name));
  const resources = seen.flatMap((name) => set.byName.get(name) ?? []);
  const changed = new Map(resources.map((resource) => [resource.name, resource]));
  return {
    set: {
      version: set.version,
      byName: new PatchedMap(base.set.byName, changed),
      patch: { base: base.set, names: seen },
    },
    missing: base.missing,
  };
}

function namedView(snapshot: Snapshot, { type }: TypeState, list: ReadonlySet<string>): View {
  const found = new Map<string, EncodedResource>();
  const missing: string[] = [];
  for (const name of list) {
    const resource = desiredResource(snapshot, type, name);
    if (resource === undefined) {
      missing.push(name);
    } else {
      found.set(name, resource);
    }
  }
  const set = snapshot[type];
  const isAll =
    found.size === set.byName.size && [...found.keys()].every((name) => set.byName.has(name));
  return { set: isAll ? set : { version: set.version, byName: found }, missing };
}
