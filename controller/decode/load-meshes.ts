/**
 * From a revision to its meshes, in one call: decode, resolve, and every problem of the source, the
 * files and the meshes together, in one order. It is what `validate`, `plan` and the controller
 * itself go by, so all three say the same.
 */
import { compareProblems, hasErrors, type Problem } from '../base/problem.js';
import type { Revision } from '../base/revision.js';
import type { MeshDocument } from '../mesh/document.js';
import type { ProviderName } from '../mesh/gates.js';
import type { Mesh } from '../mesh/model.js';
import { type ResolvedMeshes, resolveMeshes } from '../mesh/resolve-meshes.js';
import { type Decoded, decodeRevision } from './decode-revision.js';
import { decodeProblem } from './problems.js';

export interface LoadedMeshes {
  /** Sorted by name; empty where a problem is an error. */
  readonly meshes: readonly Mesh[];
  /** In the order of `compareProblems`, at most `problemsMax` and one that counts the rest. */
  readonly problems: readonly Problem[];
}

/** What a person reads, a chat message holds and a commit status links to. */
export const problemsMax = 100;

/**
 * `providers` are those that the operator configured, which gates may name; undefined: they are not known
 * here, and a gate that names one is warned of. `beside`: revisions of other repositories that the meshes
 * come from as well.
 */
export function loadMeshes(
  revision: RevisionContent,
  providers?: readonly ProviderName[],
  beside: readonly RevisionContent[] = [],
): LoadedMeshes {
  const contents = [revision, ...beside].map(readContent);
  const { meshes, problems, omitted } = linkContents(contents, providers);
  return { meshes, problems: limitProblems(problems, omitted) };
}

/** What of a revision counts here. */
export type RevisionContent = Pick<Revision, 'repository' | 'files' | 'problems'>;

/** A revision by itself: its documents and what is wrong with each, before any refers to another. */
export function readContent(revision: RevisionContent): Decoded {
  const { repository } = revision;
  const decoded = decodeRevision(revision);
  const own = [...revision.problems, ...decoded.problems];
  return {
    ...decoded,
    isComplete: decoded.isComplete && !hasErrors(revision.problems),
    documents:
      repository === undefined
        ? decoded.documents
        : decoded.documents.map((document) => placeIn(document, repository)),
    problems: repository === undefined ? own : own.map((problem) => ({ ...problem, repository })),
  };
}

/** The newest of each document: its file was read from one repository and will be again. */
const placed = new WeakMap<MeshDocument, MeshDocument>();

/** `document` as one of `repository`; the same object for the same two. */
function placeIn(document: MeshDocument, repository: string): MeshDocument {
  const known = placed.get(document);
  if (known?.origin.repository === repository) {
    return known;
  }
  const { origin, locate } = document;
  const result: MeshDocument = {
    ...document,
    origin: { ...origin, repository },
    locate: (path) => ({ ...locate(path), repository }),
  };
  placed.set(document, result);
  return result;
}

/** What several revisions, one of each repository, are together; problems in no particular order. */
export function linkContents(
  contents: readonly Decoded[],
  providers: readonly ProviderName[] | undefined,
): ResolvedMeshes & { readonly omitted: number } {
  const { meshes, origins, problems } = resolveMeshes({
    documents: contents.flatMap(({ documents }) => documents),
    unreadNames: new Set(contents.flatMap(({ unreadNames }) => [...unreadNames])),
    providers,
    isComplete: contents.every(({ isComplete }) => isComplete),
  });
  const found = [...contents.flatMap((content) => content.problems), ...problems];
  const omitted = contents.reduce((sum, content) => sum + content.omitted, 0);
  return { meshes: hasErrors(found) ? [] : meshes, origins, problems: found, omitted };
}

/** Errors are kept before warnings, so that no limit ever hides why a revision was rejected. */
export function limitProblems(problems: readonly Problem[], omitted: number): readonly Problem[] {
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
