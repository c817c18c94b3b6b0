/**
 * The last look at a snapshot before it is served: every resource that another one names is there. A
 * route without its cluster is answered 503, a listener without its routes 404. Secrets are the
 * operator's to bring: what names one that is not there yet waits for it (`secrets.ts`). Sets that were
 * looked at beside one another before are not looked at again.
 */
import { memo, pairMemo } from '../base/memo.js';
import { identityMemo } from './memo.js';
import { isLong, namesByType, typesIn } from './references.js';
import { sameReferences } from './resource-set.js';
import {
  type ResourceReference,
  type ResourceSet,
  type ResourceType,
  resourceTypes,
  type Snapshot,
} from './snapshot.js';

/** One sentence for each dangling reference, in a fixed order; empty where there is none. */
export function checkSnapshot(snapshot: Snapshot): readonly string[] {
  return resourceTypes.flatMap((type) => {
    const set = sameReferences(snapshot[type]);
    // A patch has the names of the set that it was made from.
    const named = typesNamedIn(set).map((each) => snapshot[each].patch?.base ?? snapshot[each]);
    return dangling([set, ...named], type, () => danglingIn(type, set, snapshot));
  });
}

const dangling = identityMemo<readonly string[]>();

/** The types of what the resources of a set name, but for secrets. */
const typesNamedIn = memo(({ byName }: ResourceSet): readonly ResourceType[] => {
  const types = new Set<ResourceType>();
  for (const { references } of byName.values()) {
    for (const type of typesIn(references)) {
      types.add(type);
    }
  }
  types.delete('secret');
  return resourceTypes.filter((type) => types.has(type));
});

function danglingIn(type: ResourceType, set: ResourceSet, snapshot: Snapshot): readonly string[] {
  return [...set.byName.values()].flatMap(({ name, references }) =>
    missing(snapshot, references).map(
      (reference) => `${type} ${name} names ${reference.type} ${reference.name}, which is missing`,
    ),
  );
}

function missing(
  snapshot: Snapshot,
  references: readonly ResourceReference[],
): readonly ResourceReference[] {
  const isMissing = ({ type, name }: ResourceReference) =>
    type !== 'secret' && !snapshot[type].byName.has(name);
  if (!isLong(references)) {
    return references.filter(isMissing);
  }
  const isWhole = [...namesByType(references)].every(
    ([type, names]) => type === 'secret' || hasAll(names, snapshot[type]),
  );
  return isWhole ? [] : references.filter(isMissing);
}

const hasAll = pairMemo((names: ReadonlySet<string>, { byName }: ResourceSet) =>
  [...names].every((name) => byName.has(name)),
);
