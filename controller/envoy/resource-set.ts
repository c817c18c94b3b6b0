/**
 * Resources to the set of their type. A set's version is a hash of what is in it, so that replicas and
 * restarts agree on it without talking. One that differs from a known set in what a few of its resources
 * are is a patch of that one and costs what differs: nothing of ten thousand others is copied or hashed.
 */
import { present } from '../base/assert.js';
import { contentHash, shortHash } from '../base/hash.js';
import { memo } from '../base/memo.js';
import { PatchedMap } from '../base/patched-map.js';
import { compareText } from '../base/problem.js';
import { contentInterner, identityMemo } from './memo.js';
import type { PatchedList } from './patched-list.js';
import type { EncodedResource, ResourceReference, ResourceSet } from './snapshot.js';

const internSet = contentInterner<ResourceSet>();
const sets = identityMemo<ResourceSet>();
const listedSets = identityMemo<ResourceSet>();

/** The path to the set of a list of thousands is longer than the way to make it. */
const keptListMax = 64;

/** The set of `resources`; of several with one name, which must be equal, one is kept. */
export function resourceSet(resources: readonly EncodedResource[]): ResourceSet {
  return resources.length > keptListMax
    ? sortedSet(resources)
    : sets(resources, '', () => sortedSet(resources));
}

function sortedSet(resources: readonly EncodedResource[]): ResourceSet {
  const sorted = [...resources].sort((left, right) => compareText(left.name, right.name));
  return setOf(new Map(sorted.map((resource) => [resource.name, resource])));
}

function setOf(byName: ReadonlyMap<string, EncodedResource>): ResourceSet {
  const sum = Array.from(byName.values(), digestOf).reduce((all, digest) => all + digest, 0n);
  return summedSet({ sum, byName });
}

/**
 * The version is made of the sum of all digests, so that a change takes one away and adds another. As long as
 * nobody chooses resources in order to find two sets with one sum, it tells them apart as a hash does.
 */
const digestOf = memo(({ name, version }: EncodedResource): bigint =>
  BigInt(`0x${contentHash(`${name}\n${version}`)}`),
);

const sums = new WeakMap<ResourceSet, bigint>();

function summedSet({
  sum,
  ...rest
}: { readonly sum: bigint } & Omit<ResourceSet, 'version'>): ResourceSet {
  const version = shortHash(`${rest.byName.size} ${sum.toString(16)}`);
  const set = internSet(version, () => ({ version, ...rest }));
  sums.set(set, sum);
  return set;
}

/** Only sets that were made here are patched. */
function patchedSum(base: ResourceSet, patch: ReadonlyMap<string, EncodedResource>): bigint {
  let sum = present(sums.get(base), 'a set of sum');
  for (const [name, after] of patch) {
    sum += digestOf(after) - digestOf(present(base.byName.get(name), 'a name of the set'));
  }
  return sum;
}

/** A patch of more than this share of a set is no patch any more. */
const patchShareMax = 1 / 8;

/** `base` with `resources` in place of those that it has under their names, which must all be in it. */
export function patchedSet(base: ResourceSet, resources: readonly EncodedResource[]): ResourceSet {
  const whole = base.patch?.base ?? base;
  const patch = new Map<string, EncodedResource>();
  const mine = (base.patch?.names ?? []).flatMap((name) => base.byName.get(name) ?? []);
  for (const resource of [...mine, ...resources]) {
    if (whole.byName.get(resource.name) === resource) {
      patch.delete(resource.name);
    } else {
      patch.set(resource.name, resource);
    }
  }
  if (patch.size === 0) {
    return whole;
  }
  const byName = new PatchedMap(whole.byName, patch);
  if (patch.size > whole.byName.size * patchShareMax) {
    return setOf(new Map(byName));
  }
  const names = [...patch.keys()];
  return summedSet({ sum: patchedSum(whole, patch), byName, patch: { base: whole, names } });
}

/**
 * The set that refers to the same as `set`, and was perhaps known before: what follows from references alone
 * is found there.
 */
export const sameReferences = memo((set: ResourceSet): ResourceSet => {
  const { patch } = set;
  const isSame = patch?.names.every((name) =>
    areSame(set.byName.get(name)?.references, patch.base.byName.get(name)?.references),
  );
  return patch !== undefined && isSame ? patch.base : set;
});

function areSame(
  left: readonly ResourceReference[] = [],
  right: readonly ResourceReference[] = [],
): boolean {
  return (
    left === right ||
    (left.length === right.length &&
      left.every(({ type, name, use }, index) => {
        const other = right[index];
        return type === other?.type && name === other.name && use === other.use;
      }))
  );
}

/**
 * The set of all resources of `lists` and of `others`. Where a list differs from the one that it was made
 * from in what resources are and not in which there are, the set is a patch of that one's.
 */
export function listedSet(
  lists: readonly PatchedList<readonly EncodedResource[]>[],
  others: readonly EncodedResource[] = [],
): ResourceSet {
  return listedSets([...lists, ...others], String(lists.length), () => {
    const changed = lists.map(changedInPlace);
    if (lists.every(({ patch }) => patch === undefined) || changed.includes(undefined)) {
      return resourceSet([...lists.flatMap(({ items }) => items.flat()), ...others]);
    }
    const base = listedSet(
      lists.map((list) => list.patch?.base ?? list),
      others,
    );
    return patchedSet(
      base,
      changed.flatMap((list) => list ?? []),
    );
  });
}

/** What `list` has that its base has not; undefined where it has other names. */
function changedInPlace({
  items,
  patch,
}: PatchedList<readonly EncodedResource[]>): readonly EncodedResource[] | undefined {
  const places = patch?.places ?? [];
  const isInPlace = places.every((place) => {
    const [before, after] = [patch?.base.items[place] ?? [], items[place] ?? []];
    return (
      before.length === after.length &&
      before.every(({ name }, index) => name === after[index]?.name)
    );
  });
  return isInPlace ? places.flatMap((place) => items[place] ?? []) : undefined;
}
