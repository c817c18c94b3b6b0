/**
 * The repositories as the API shows them: each by itself, and all of them in the one line that a person
 * looks at first.
 */
import { compareText, hasErrors, type Problem, renderProblem } from '../base/problem.js';
import { onlyRepository } from '../base/revision.js';
import type { DurableState, RevisionState, SourceStatus } from '../loop/state.js';
import type { RevisionInfo } from '../rollout/rollout.js';
import { viewTime } from './rollout-view.js';

/** Commit ids; null before the first. */
export interface RevisionStateView {
  /** The newest valid commit. */
  readonly desired: string | null;
  /** The newest commit of which everything is served. */
  readonly applied: string | null;
  /** The newest commit, valid or not. */
  readonly attempted: string | null;
  /** Why `attempted` is not `desired`. */
  readonly error?: string;
}

export interface SourceView {
  readonly state: SourceStatus['state'];
  readonly lastSuccessAt: string | null;
  /** While the first revision comes: how much of it has, in whole percent. */
  readonly fetchedPercent?: number;
  /** The last failure, while it lasts. */
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly at: string;
    /** When the next try is due. */
    readonly retryAt?: string;
  };
}

export interface RepositoryView {
  /** Its name in the configuration. */
  readonly name: string;
  readonly revision: RevisionStateView;
  readonly source: SourceView;
}

/** Sorted by name; empty where there is only one. */
export function viewRepositories(
  { repositories }: DurableState,
  sources: ReadonlyMap<string, SourceStatus>,
): readonly RepositoryView[] {
  const names = new Set([...repositories.keys(), ...sources.keys()]);
  names.delete(onlyRepository);
  return [...names].sort().map((name) => ({
    name,
    revision: viewRevisionState(repositories.get(name) ?? { problems: [] }),
    source: viewSource(sources.get(name) ?? { state: 'starting' }),
  }));
}

export function viewRevisionState(revision: RevisionState): RevisionStateView {
  const { desired, applied, attempted, problems } = revision;
  return {
    desired: desired?.id ?? null,
    applied: applied?.id ?? null,
    attempted: attempted?.id ?? null,
    error: hasErrors(problems) ? summarize(attempted, problems) : undefined,
  };
}

export function viewSource(source: SourceStatus): SourceView {
  const { state, fetchedPercent, succeededAtMs, failedAtMs, retryInMs } = source;
  const lastSuccessAt = succeededAtMs === undefined ? null : viewTime(succeededAtMs);
  if (state !== 'failing' || failedAtMs === undefined) {
    return { state, lastSuccessAt, fetchedPercent };
  }
  return {
    state,
    lastSuccessAt,
    error: {
      code: source.code ?? 'unknown',
      message: source.message ?? '',
      at: viewTime(failedAtMs),
      retryAt: retryInMs === undefined ? undefined : viewTime(failedAtMs + retryInMs),
    },
  };
}

/**
 * The repository that speaks for all of them: one whose newest revision is rejected before one of which
 * something is not applied, before the one that was accepted last. So where its `applied` is its
 * `desired` and it has no error, that is so of every one.
 */
export function spokesman({ repositories }: DurableState): RevisionState {
  const states = [...repositories]
    .sort(([left], [right]) => compareText(left, right))
    .map(([, state]) => state);
  const byAge = states.toSorted(
    (left, right) => (right.desiredAtMs ?? 0) - (left.desiredAtMs ?? 0),
  );
  return (
    states.find(({ problems }) => hasErrors(problems)) ??
    states.find(({ desired, applied }) => desired?.id !== applied?.id) ??
    byAge[0] ?? { problems: [] }
  );
}

/** One that fails before one that has not answered yet, before the one that answered longest ago. */
export function worstSource(sources: ReadonlyMap<string, SourceStatus>): SourceStatus {
  const all = [...sources.values()];
  const byAge = all.toSorted(
    (left, right) => (left.succeededAtMs ?? 0) - (right.succeededAtMs ?? 0),
  );
  return (
    all.find(({ state }) => state === 'failing') ??
    all.find(({ state }) => state === 'starting') ??
    byAge[0] ?? { state: 'starting' }
  );
}

/** The problems of every repository's newest revision. */
export function problemsIn({ repositories }: DurableState): readonly Problem[] {
  return [...repositories.values()].flatMap(({ problems }) => problems);
}

function summarize(attempted: RevisionInfo | undefined, problems: readonly Problem[]): string {
  const errors = problems.filter((problem) => problem.severity === 'error');
  const first = errors[0] === undefined ? '' : renderProblem(errors[0]);
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const of = attempted?.repository === undefined ? '' : ` of ${attempted.repository}`;
  return `commit ${attempted?.id.slice(0, 12)}${of} is rejected: ${first}${more}`;
}
