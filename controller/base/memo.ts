/**
 * Functions that remember what they made of immutable objects, by identity and for as long as the objects
 * live. What follows from a mesh is so found once for each mesh, however often the loop asks.
 */

/** `make`, called once for each `object`. */
export function memo<A extends object, R>(make: (object: A) => R): (object: A) => R {
  const known = new WeakMap<A, { readonly made: R }>();
  return (object) => {
    const entry = known.get(object) ?? { made: make(object) };
    known.set(object, entry);
    return entry.made;
  };
}

/** `make`, called once for each pair. */
export function pairMemo<A extends object, B extends object, R>(
  make: (left: A, right: B) => R,
): (left: A, right: B) => R {
  const byLeft = memo((left: A) => memo((right: B) => make(left, right)));
  return (left, right) => byLeft(left)(right);
}

/** `make`, called again for an object only where the list has other elements than the last time. */
export function lastListMemo<A extends object, E, R>(
  make: (object: A, list: readonly E[]) => R,
): (object: A, list: readonly E[]) => R {
  const known = new WeakMap<A, { readonly list: readonly E[]; readonly made: R }>();
  return (object, list) => {
    const last = known.get(object);
    const isSame =
      last?.list === list ||
      (last?.list.length === list.length && list.every((one, at) => one === last.list[at]));
    const made = last !== undefined && isSame ? last.made : make(object, list);
    // The newest list is kept, since whoever asks with it asks again.
    known.set(object, { list, made });
    return made;
  };
}
