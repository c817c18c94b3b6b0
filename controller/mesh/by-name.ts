/** Lists that are sorted by name, as all of a mesh are. */
import { compareText } from '../base/problem.js';

interface Named {
  readonly name: string;
}

/** Where in `list`, from `start` on, the element called `name` is or would be. */
export function placeOf(list: readonly Named[], name: string, start = 0): number {
  let [low, high] = [start, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareText(list[middle]?.name ?? '', name) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** The element of `list` that is called `name`. */
export function findByName<T extends Named>(list: readonly T[], name: string): T | undefined {
  const found = list[placeOf(list, name)];
  return found?.name === name ? found : undefined;
}

/** What `before` has that `after` has not, and the other way about, by identity. */
export function listDifference<T extends Named>(
  before: readonly T[],
  after: readonly T[],
): { readonly gone: readonly T[]; readonly come: readonly T[] } {
  const gone: T[] = [];
  const come: T[] = [];
  let [left, right] = [0, 0];
  while (left < before.length || right < after.length) {
    const [old, next] = [before[left], after[right]];
    if (old === next) {
      left += 1;
      right += 1;
    } else if (next === undefined || (old !== undefined && compareText(old.name, next.name) <= 0)) {
      gone.push(old as T);
      left += 1;
    } else {
      come.push(next);
      right += 1;
    }
  }
  return { gone, come };
}
