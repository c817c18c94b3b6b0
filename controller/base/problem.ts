/**
 * A problem is a mistake in the user's mesh repository. It is data, collected and never thrown; one of
 * severity `error` rejects its whole revision, and what was served stays served.
 */

/** `HG` and four digits; each stage has its table, and `decode/problems.ts` most of them. */
export type ProblemCode = `HG${number}`;

export interface Problem {
  readonly code: ProblemCode;
  readonly severity: 'error' | 'warning';
  /** Lower-case start, subject first: what was found, what is allowed, what to do. No secrets. */
  readonly message: string;
  /** The repository of `file`, by its name in the configuration; undefined where there is only one. */
  readonly repository?: string;
  /** Path inside the mesh repository, `/` as separator; empty where the revision as a whole is meant. */
  readonly file: string;
  /** From 1; 0 where the problem has no line of its own. */
  readonly line: number;
  /** From 1, in UTF-16 units; 0 where the problem has no column. */
  readonly column: number;
  /** `VirtualRouter reviews`, where the problem lies inside a resource. */
  readonly resource?: string;
  /** The field's path, as `spec.routes[0].name`. */
  readonly path?: string;
  /** What stands there, shortened and without secrets. */
  readonly found?: string;
  /** What may stand there. */
  readonly allowed?: string;
  /** The nearest name that would be right. */
  readonly suggestion?: string;
}

/** True where any of `problems` rejects the revision. */
export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === 'error');
}

/**
 * `FILE:LINE:COL: severity HGnnnn message`, the form that editors and CI logs link to; with the name of its
 * repository before it where there are several.
 */
export function renderProblem(problem: Problem): string {
  const place = `${problem.file || '.'}:${problem.line}:${problem.column}`;
  const repository = problem.repository === undefined ? '' : `${problem.repository}: `;
  return `${repository}${place}: ${problem.severity} ${problem.code} ${problem.message}`;
}

/** Orders problems by repository, file, line, column and code: the order in which they are always reported. */
export function compareProblems(left: Problem, right: Problem): number {
  return (
    compareText(left.repository ?? '', right.repository ?? '') ||
    compareText(left.file, right.file) ||
    left.line - right.line ||
    left.column - right.column ||
    compareText(left.code, right.code) ||
    compareText(left.message, right.message)
  );
}

/** Code-unit order: the same in every locale. */
export function compareText(left: string, right: string): number {
  if (left === right) {
    return 0;
  }
  return left < right ? -1 : 1;
}

/** What a code means, for people. */
export interface ProblemEntry {
  readonly title: string;
  /** How it comes about. */
  readonly cause: string;
  /** What to do. */
  readonly resolution: string;
  /** The smallest YAML that has it. */
  readonly example: string;
}
