/** Did-you-mean: the known name that a mistyped one most likely stands for. */

/** Longer names are not compared: the cost is quadratic, and nobody mistypes a name that long. */
const comparedLengthMax = 128;

/**
 * The one of `names` with the fewest edits (insert, delete, replace, swap of neighbours) from `name`, or
 * undefined where even that one is no likely typing error: more than a third of its letters differ.
 */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of names) {
    const edits = countEdits(name.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest && edits <= Math.max(1, Math.floor(candidate.length / 3))) {
      nearest = candidate;
      fewest = edits;
    }
  }
  return nearest;
}

/**
 * `; did you mean reviews-3?` for one who asked for the id `reviews`: its newest, else the one that is
 * nearest. `ids` end in a number each, as `reviews-3`; empty where none is near.
 */
export function hintOfId(asked: string, ids: Iterable<string>): string {
  const all = [...ids];
  const numbers = all
    .filter((id) => id.startsWith(`${asked}-`))
    .map((id) => Number(id.slice(asked.length + 1)))
    .filter(Number.isInteger);
  const meant = numbers.length > 0 ? `${asked}-${Math.max(...numbers)}` : nearestName(asked, all);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

/** Damerau and Levenshtein's distance, in its restricted form (no letter is edited twice). */
function countEdits(left: string, right: string): number {
  if (left.length > comparedLengthMax || right.length > comparedLengthMax) {
    return Number.POSITIVE_INFINITY;
  }
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let edits = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      if (left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        edits = Math.min(edits, at(beforeLast, column - 2) + 1);
      }
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, right.length);
}

/** Outside the table there is nothing to come from. */
function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
