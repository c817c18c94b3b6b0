/** What every form of annotations is made from. */
import type { Problem } from '../base/problem.js';

/** What was looked at. */
export interface Checked {
  /** With paths from the top of the repository, where the reader of the annotations looks for them. */
  readonly problems: readonly Problem[];
  /** Of every file that was read. */
  readonly files: readonly string[];
  /** Of the program, for whoever reads the result. */
  readonly version: string;
}
