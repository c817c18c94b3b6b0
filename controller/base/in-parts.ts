/** Work that is done in parts, so that others get the processor in between. */

/** It pauses about every millisecond, and ends with its result. */
export type InParts<T> = Generator<void, T>;

/** All parts of `work`, one after another. */
export function wholly<T>(work: InParts<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) {
      return step.value;
    }
  }
}
