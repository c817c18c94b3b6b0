/** Work that is done in parts, so that others get the processor in between. */

/** It pauses about every millisecond, and ends with its result. */
export type InParts<T> = Generator<void, T>;

/** Work that can be left and gone on with. */
export interface Resumable<T> {
  /** Does so many units of it at most. True: there is none left. */
  goOn(units: number): boolean;
  /** What it has come to, once there is none left. */
  result(): T;
}

/** All of `work` without a pause. */
export function atOnce<T>(work: Resumable<T>): T {
  work.goOn(Number.POSITIVE_INFINITY);
  return work.result();
}

/** The same with a pause after each `units`. */
export function* inParts<T>(work: Resumable<T>, units: number): InParts<T> {
  while (!work.goOn(units)) {
    yield;
  }
  return work.result();
}
