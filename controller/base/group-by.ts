/** `values` by each of their keys, in the order in which they come; one with several keys is in several groups. */
export function groupBy<T, K>(
  values: Iterable<T>,
  keysOf: (value: T) => Iterable<K>,
): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const value of values) {
    for (const key of keysOf(value)) {
      const group = groups.get(key);
      if (group === undefined) {
        groups.set(key, [value]);
      } else {
        group.push(value);
      }
    }
  }
  return groups;
}
