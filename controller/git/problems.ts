/**
 * What the source itself refuses about a revision, before any YAML is parsed: codes HG0101 to HG0199.
 * Each is a mistake in the mesh repository, so each is data on the revision and never an exception.
 */
import type { Problem, ProblemCode } from '../base/problem.js';

/** Every code of this stage with its short title; the text of a problem says what was found. */
export const sourceProblemTitles = {
  HG0101: 'configured path is no folder',
  HG0102: 'file too large',
  HG0103: 'revision too large',
  HG0104: 'too many files',
  HG0105: 'symbolic link',
  HG0106: 'submodule',
  HG0107: 'Git LFS pointer',
  HG0108: 'unusable file name',
  HG0109: 'file names that some disks cannot tell apart',
  HG0110: 'not a regular file',
  HG0111: 'no mesh file',
  HG0112: 'commit signature',
  HG0113: 'unusable .headgateignore',
} as const satisfies Readonly<Record<ProblemCode, string>>;

export type SourceProblemCode = keyof typeof sourceProblemTitles;

/** An error about `file` as a whole (it has no line); an empty `file` means the whole revision. */
export function sourceProblem(
  code: SourceProblemCode,
  file: string,
  message: string,
  details: Pick<Problem, 'found' | 'allowed'> = {},
): Problem {
  return { code, severity: 'error', message, file, line: 0, column: 0, ...details };
}
