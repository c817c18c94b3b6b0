/** The end of maps and sets that would grow for as long as the process runs. */

/**
 * Lets the entries of `map` that were set first go, until it has at most `max`. An entry that is set again
 * keeps its place unless it is deleted before.
 */
export function forgetOldest<Key>(
  map: Pick<Set<Key>, 'size' | 'keys' | 'delete'>,
  max: number,
): void {
  for (const key of map.keys()) {
    if (map.size <= max) {
      return;
    }
    map.delete(key);
  }
}
