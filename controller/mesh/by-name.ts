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
