/**
 * From a revision to its meshes, in one call: decode, resolve, and every problem of the source, the
 * files and the meshes together, in one order. It is what `validate`, `plan` and the controller
 * itself go by, so all three say the same.
 */
import { compareProblems, hasErrors, type Problem } from '../base/problem.js';
import type { Revision } from '../base/revision.js';
import type { ProviderName } from '../mesh/gates.js';
import type { Mesh, Origin } from '../mesh/model.js';
import { resolveMeshes } from '../mesh/resolve-meshes.js';
import { decodeRevision } from './decode-revision.js';
import { decodeProblem } from './problems.js';

export interface LoadedMeshes {
  /** Sorted by name; empty where a problem is an error. */
  readonly meshes: readonly Mesh[];
  /** Where each resource stands, by resource key. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** In the order of `compareProblems`, at most `problemsMax` and one that counts the rest. */
  readonly problems: readonly Problem[];
}

/** What a person reads, a chat message holds and a commit status links to. */
export const problemsMax = 100;

/**
 * `providers` are those that the operator configured, which gates may name; undefined: they are not known
 * here, and a gate that names one is warned of.
 */
export function loadMeshes(
  revision: Pick<Revision, 'files' | 'problems'>,
  providers?: readonly ProviderName[],
): LoadedMeshes {
  const decoded = decodeRevision(revision);
  const { meshes, origins, problems } = resolveMeshes({
    documents: decoded.documents,
    unreadNames: decoded.unreadNames,
    providers,
    isComplete: decoded.isComplete && !hasErrors(revision.problems),
  });
  const found = [...revision.problems, ...decoded.problems, ...problems];
  return {
    meshes: hasErrors(found) ? [] : meshes,
    origins,
    problems: limitProblems(found, decoded.omitted),
  };
}

/** Errors are kept before warnings, so that no limit ever hides why a revision was rejected. */
function limitProblems(problems: readonly Problem[], omitted: number): readonly Problem[] {
  const errors = problems.filter(({ severity }) => severity === 'error').sort(compareProblems);
  const warnings = problems.filter(({ severity }) => severity === 'warning').sort(compareProblems);
  const shown = [...errors, ...warnings].slice(0, problemsMax).sort(compareProblems);
  const rest = problems.length + omitted - shown.length;
  if (rest === 0) {
    return shown;
  }
  const place = { file: '', line: 0, column: 0 };
  const message = `${rest} more problems are not shown; correct these first`;
  const severity = errors.length > problemsMax || omitted > 0 ? 'error' : 'warning';
  return [...shown, decodeProblem('HG0001', place, message, { severity })];
}
