/**
 * What a resource refers to, by type. A route configuration names ten thousand clusters, and its list of
 * them stays when its weights change: what is found in a long list is kept for as long as the list is.
 */
import { memo } from '../base/memo.js';
import { type ResourceReference, type ResourceType, resourceTypes } from './snapshot.js';

/** To look through a list that is no longer costs less than to keep what was found. */
const shortListMax = 16;

export function isLong(references: readonly ResourceReference[]): boolean {
  return references.length > shortListMax;
}

/** Names by type, of the types that are referred to, in the order of make-before-break. Of a long list. */
export const namesByType = memo(collect);

/** The types of `references`, perhaps more than once. */
export function typesIn(references: readonly ResourceReference[]): readonly ResourceType[] {
  return isLong(references)
    ? [...namesByType(references).keys()]
    : references.map(({ type }) => type);
}

/** True where `isMeant` of the type of one of `references`. */
export function refersToType(
  references: readonly ResourceReference[],
  isMeant: (type: ResourceType) => boolean,
): boolean {
  return isLong(references)
    ? typesIn(references).some(isMeant)
    : references.some(({ type }) => isMeant(type));
}

/** True where `reference` is one of `references`, whatever its use. */
export function refersTo(
  references: readonly ResourceReference[],
  { type, name }: ResourceReference,
): boolean {
  return isLong(references)
    ? (namesByType(references).get(type)?.has(name) ?? false)
    : references.some((each) => each.type === type && each.name === name);
}

function collect(
  references: readonly ResourceReference[],
): ReadonlyMap<ResourceType, ReadonlySet<string>> {
  const names = new Map<ResourceType, Set<string>>();
  for (const { type, name } of references) {
    const ofType = names.get(type);
    if (ofType === undefined) {
      names.set(type, new Set([name]));
    } else {
      ofType.add(name);
    }
  }
  return new Map(
    resourceTypes.flatMap((type) => {
      const ofType = names.get(type);
      return ofType === undefined ? [] : [[type, ofType] as const];
    }),
  );
}
