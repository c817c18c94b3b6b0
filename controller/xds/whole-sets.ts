/**
 * What is known of whole resource sets: worked out once, for all streams that are sent them. Sets do not
 * change, so everything here is kept for as long as they live.
 */
import { memo } from '../base/memo.js';
import { identityMemo } from '../envoy/memo.js';
import { isLong, namesByType } from '../envoy/references.js';
import { sameReferences } from '../envoy/resource-set.js';
import {
  type EncodedResource,
  type ResourceReference,
  type ResourceSet,
  type ResourceType,
  resourceTypes,
} from '../envoy/snapshot.js';
import { responseBytesMax } from './limits.js';

const lists = new WeakMap<ResourceSet, readonly EncodedResource[]>();

/** The resources of `set` in its order, the same array for everybody. */
export function resourcesOf(set: ResourceSet): readonly EncodedResource[] {
  const list = lists.get(set) ?? [...set.byName.values()];
  lists.set(set, list);
  return list;
}

const disjoint = identityMemo<boolean>();

export function areDisjoint(left: ResourceSet, right: ResourceSet): boolean {
  return (
    left !== right &&
    disjoint([left, right], '', () => {
      for (const name of right.byName.keys()) {
        if (left.byName.has(name)) {
          return false;
        }
      }
      return true;
    })
  );
}

const partsOf = new WeakMap<ResourceSet, readonly ResourceSet[]>();

/** `set` itself where it fits into one response, else sets that do and that are it together. */
export function responseParts(set: ResourceSet): readonly ResourceSet[] {
  const parts = partsOf.get(set) ?? divide(set);
  partsOf.set(set, parts);
  return parts;
}

function divide(set: ResourceSet): readonly ResourceSet[] {
  const parts: EncodedResource[][] = [];
  let sizeBytes = Number.POSITIVE_INFINITY;
  for (const resource of set.byName.values()) {
    const bytes = bytesInResponse(resource);
    sizeBytes += bytes;
    if (sizeBytes > responseBytesMax) {
      sizeBytes = bytes;
      parts.push([]);
    }
    parts.at(-1)?.push(resource);
  }
  return parts.length < 2
    ? [set]
    : parts.map((part) => ({
        version: set.version,
        byName: new Map(part.map((resource) => [resource.name, resource])),
      }));
}

/** Tags and lengths around a resource, and around each thing in it; rounded up. */
const framingBytes = 24;

/** What `resource` adds to a response, in delta with its name and its version. */
export function bytesInResponse({ name, version, any }: EncodedResource): number {
  return any.length + bytesOfName(name) + version.length + framingBytes;
}

/** What a name adds to a response that removes it. */
export function bytesOfName(name: string): number {
  return Buffer.byteLength(name) + framingBytes;
}

/** Names of one type that resources of a set refer to. */
export interface References {
  readonly type: ResourceType;
  readonly names: ReadonlySet<string>;
  /** Every resource of the set refers to at least one. */
  readonly isByAll: boolean;
}

const referencesBySet = new WeakMap<ResourceSet, readonly References[]>();

/** What the resources of `set` refer to, by type, in the order of make-before-break. */
export function referencesOf(set: ResourceSet): readonly References[] {
  const referring = sameReferences(set);
  const references = referencesBySet.get(referring) ?? collectReferences(referring);
  referencesBySet.set(referring, references);
  return references;
}

function collectReferences(set: ResourceSet): readonly References[] {
  const [only] = set.byName.size === 1 ? set.byName.values() : [];
  if (only !== undefined && isLong(only.references)) {
    // The names stay the same set, of which much is known, when the one resource of a set changes.
    return [...namesByType(only.references)].map(([type, names]) => ({
      ...{ type, names, isByAll: true },
    }));
  }
  const found = new Map<ResourceType, { names: Set<string>; referring: number }>();
  for (const { references } of set.byName.values()) {
    const types = new Set<ResourceType>();
    for (const { type, name } of references) {
      const entry = found.get(type) ?? { names: new Set(), referring: 0 };
      found.set(type, entry);
      entry.names.add(name);
      entry.referring += Number(!types.has(type));
      types.add(type);
    }
  }
  return resourceTypes.flatMap((type) => {
    const entry = found.get(type);
    const isByAll = entry?.referring === set.byName.size;
    return entry === undefined ? [] : [{ type, names: entry.names, isByAll }];
  });
}

/** The names of the resources of `set` that refer to `reference`. */
export function referrersOf(
  set: ResourceSet,
  { type, name }: ResourceReference,
): readonly string[] {
  return referrersInSet(sameReferences(set)).get(type)?.get(name) ?? [];
}

const referrersInSet = memo((set: ResourceSet) => referrersByReference(set.byName.values()));

/** The names of those of `resources` that refer to something, by its type and its name. */
export function referrersByReference(
  resources: Iterable<EncodedResource>,
): ReadonlyMap<ResourceType, ReadonlyMap<string, readonly string[]>> {
  const found = new Map<ResourceType, Map<string, string[]>>();
  for (const { name: referrer, references } of resources) {
    for (const { type, name } of references) {
      const ofType = found.get(type) ?? new Map<string, string[]>();
      found.set(type, ofType);
      const names = ofType.get(name) ?? [];
      ofType.set(name, names);
      names.push(referrer);
    }
  }
  return found;
}

const contained = identityMemo<boolean>();

/** Every one of `names` is in `all`; both have to be sets that do not change. */
export function containsAll(
  all: ReadonlySet<string> | ReadonlyMap<string, unknown>,
  names: ReadonlySet<string>,
): boolean {
  return contained([all, names], '', () => {
    for (const name of names) {
      if (!all.has(name)) {
        return false;
      }
    }
    return true;
  });
}
