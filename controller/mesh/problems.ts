/**
 * What a mesh can have wrong although each of its documents is well formed: references (HG04xx, found
 * here), settings that contradict one another (HG05xx) and rollout policies (HG06xx; decoding finds
 * those that lie within one document); and how the checks of this folder report it.
 */
import type { Problem } from '../base/problem.js';
import { type FieldPath, type MeshDocument, renderPath } from './document.js';
import { policyProblems } from './policy-problems.js';
import { referenceProblems } from './reference-problems.js';
import { settingProblems } from './setting-problems.js';

export const meshProblems = {
  ...referenceProblems,
  ...settingProblems,
  ...policyProblems,
} as const;

export type MeshProblemCode = keyof typeof meshProblems;

/** Facts of a problem beside its place and text. */
export type ProblemDetails = Pick<Problem, 'found' | 'allowed' | 'suggestion'>;

/** Adds a problem of `document` at `path`; `text` goes on from the resource's kind and name. */
export type Report = (
  document: MeshDocument,
  code: MeshProblemCode,
  path: FieldPath,
  text: string,
  details?: ProblemDetails,
) => void;

/** Codes that make a revision odd and not wrong. */
const warnings: ReadonlySet<MeshProblemCode> = new Set([
  'HG0410',
  'HG0413',
  'HG0415',
  'HG0511',
  'HG0512',
  'HG0513',
  'HG0514',
  'HG0518',
  'HG0521',
  'HG0607',
  'HG0615',
]);

export function severityOf(code: MeshProblemCode): Problem['severity'] {
  return warnings.has(code) ? 'warning' : 'error';
}

/** A problem of which it is not yet known where it stands. */
export interface Reported {
  readonly document: MeshDocument;
  readonly path: FieldPath;
  readonly code: MeshProblemCode;
  readonly text: string;
  readonly details: ProblemDetails;
}

/** A `Report` that collects into `reported`. */
export function reportInto(reported: Reported[]): Report {
  return (document, code, path, text, details = {}) => {
    reported.push({ document, code, path, text, details });
  };
}

/** Asks the document where the field stands, which may cost the parsing of its file. */
export function placeProblem({ document, code, path, text, details }: Reported): Problem {
  const resource = `${document.kind} ${document.name}`;
  return {
    code,
    severity: severityOf(code),
    message: `${resource}: ${text}`,
    ...document.locate(path),
    resource,
    path: renderPath(path),
    ...details,
  };
}
