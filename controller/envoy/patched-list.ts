/**
 * Long lists of which a change touches few elements: what ten thousand backends lead to, and what follows
 * from that, element by element. Such a list knows which one it was made from and where it differs, so
 * that what is made of it is made anew in those places only, and not at all where that comes out the same.
 */
import { groupBy } from '../base/group-by.js';
import { memo } from '../base/memo.js';

export interface PatchedList<T> {
  readonly items: readonly T[];
  /** The list that this one was made from, which was made from no other, and the places that differ. */
  readonly patch?: {
    readonly base: PatchedList<T>;
    /** Ascending. */
    readonly places: readonly number[];
  };
}

/** A list that was made from no other. */
export function wholeList<T>(items: readonly T[]): PatchedList<T> {
  return { items };
}

/** What is at a place of a list instead of what its base has there. */
export type Replacement<T> = readonly [place: number, item: T];

/** `base` with `replacements`, in ascending order of places; `base` itself where they are what it has. */
export function patchList<T>(
  base: PatchedList<T>,
  replacements: readonly Replacement<T>[],
): PatchedList<T> {
  const different = replacements.filter(([place, item]) => base.items[place] !== item);
  if (different.length === 0) {
    return base;
  }
  const items = [...base.items];
  for (const [place, item] of different) {
    items[place] = item;
  }
  return { items, patch: { base, places: different.map(([place]) => place) } };
}

/**
 * A function from lists to lists of what `make` makes of each element, which must depend on that element
 * and its place alone. Called once for each list; where a list was made from another, `make` is asked
 * for the places that differ, and the answer is what that other list became if they come out the same.
 */
export function mapPatched<T, R>(
  make: (item: T, place: number) => R,
): (list: PatchedList<T>) => PatchedList<R> {
  const mapped: (list: PatchedList<T>) => PatchedList<R> = memo(({ items, patch }) =>
    patch === undefined
      ? wholeList(items.map(make))
      : patchList(mapped(patch.base), replacementsOf(items, patch.places, make)),
  );
  return mapped;
}

function replacementsOf<T, R>(
  items: readonly T[],
  places: readonly number[],
  make: (item: T, place: number) => R,
): readonly Replacement<R>[] {
  return places.map((place) => [place, make(items[place] as T, place)]);
}

/**
 * A function from lists to their elements by the keys of each, in the list's order. Where a list was made
 * from another and each element has the keys that it had there, so were the lists of those elements.
 */
export function groupPatched<T, K>(
  keysOf: (item: T) => readonly K[],
): (list: PatchedList<T>) => ReadonlyMap<K, PatchedList<T>> {
  const grouped: (list: PatchedList<T>) => Groups<T, K> = memo((list) => {
    const { items, patch } = list;
    const isAlike = patch?.places.every((place) =>
      areAlike(keysOf(items[place] as T), keysOf(patch.base.items[place] as T)),
    );
    return patch === undefined || isAlike !== true
      ? groupAll(items, keysOf)
      : patchGroups(grouped(patch.base), items, patch.places, keysOf);
  });
  return (list) => grouped(list).lists;
}

interface Groups<T, K> {
  readonly lists: ReadonlyMap<K, PatchedList<T>>;
  /** Of each list's elements, in the list that they were taken from. */
  readonly places: ReadonlyMap<K, readonly number[]>;
}

function groupAll<T, K>(items: readonly T[], keysOf: (item: T) => readonly K[]): Groups<T, K> {
  const places = groupBy(items.keys(), (place) => keysOf(items[place] as T));
  const lists = new Map(
    [...places].map(([key, list]) => [key, wholeList(list.map((place) => items[place] as T))]),
  );
  return { lists, places };
}

function patchGroups<T, K>(
  base: Groups<T, K>,
  items: readonly T[],
  changed: readonly number[],
  keysOf: (item: T) => readonly K[],
): Groups<T, K> {
  const replacements = new Map<K, Replacement<T>[]>();
  for (const place of changed) {
    const item = items[place] as T;
    for (const key of keysOf(item)) {
      const inGroup = base.places.get(key)?.indexOf(place) ?? -1;
      replacements.set(key, [...(replacements.get(key) ?? []), [inGroup, item]]);
    }
  }
  const lists = new Map(base.lists);
  for (const [key, list] of replacements) {
    lists.set(key, patchList(base.lists.get(key) ?? wholeList([]), list));
  }
  return { lists, places: base.places };
}

function areAlike<K>(left: readonly K[], right: readonly K[]): boolean {
  return left.length === right.length && left.every((key, index) => key === right[index]);
}
