/**
 * The controller's state as the API shows it: the whole in one page. Pure, so that the CLI, a dashboard
 * and the tests read the same types. The first four fields of `StatusView` are the stable contract.
 */
import { hasErrors, type Problem, renderProblem } from '../base/problem.js';
import { diffMeshes } from '../diff/diff-meshes.js';
import type { ProxyStatus } from '../loop/ports.js';
import type { DurableState, LoopState, MeshState, SourceStatus } from '../loop/state.js';
import type { MemberView } from '../replicas/view.js';
import { isEnded, type RevisionInfo, type Rollout } from '../rollout/rollout.js';
import { proxyState } from './proxy-view.js';
import {
  type CommitView,
  type HeldView,
  type RolloutView,
  viewCommit,
  viewHeld,
  viewRollout,
  viewTime,
} from './rollout-view.js';

export interface StatusView {
  /** Commit ids; null before the first. */
  readonly revision: {
    /** The newest valid commit. */
    readonly desired: string | null;
    /** The newest commit of which everything is served. */
    readonly applied: string | null;
    /** The newest commit, valid or not. */
    readonly attempted: string | null;
    /** Why `attempted` is not `desired`. */
    readonly error?: string;
  };
  readonly meshes: readonly MeshView[];
  /** Those that have not ended. */
  readonly rollouts: readonly RolloutView[];
  readonly proxies: {
    readonly connected: number;
    /** Have acknowledged everything. */
    readonly synced: number;
    /** Have refused something. */
    readonly rejected: number;
  };
  /** Changes that failed: Git asks for them and they are not served. */
  readonly held: readonly HeldView[];
  readonly source: SourceView;
  /** The commits named in `revision`, by id. */
  readonly commits: Readonly<Record<string, CommitView>>;
  /** Who leads and who is there; absent where one controller is alone. */
  readonly replicas?: MemberView;
}

export interface MeshView {
  readonly name: string;
  /**
   * - `synced`: Git and the mesh agree.
   * - `progressing`: a rollout is on the way.
   * - `held`: what differs has failed, and waits for a commit or a person.
   * - `pending`: what differs waits for another rollout to end.
   */
  readonly sync: 'synced' | 'progressing' | 'held' | 'pending';
  readonly virtualNodes: number;
  readonly virtualServices: number;
  readonly virtualRouters: number;
}

export interface SourceView {
  readonly state: SourceStatus['state'];
  readonly lastSuccessAt: string | null;
  /** The last failure, while it lasts. */
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly at: string;
    /** When the next try is due. */
    readonly retryAt?: string;
  };
}

/** The body of every answer that is no success. */
export interface ErrorView {
  readonly error: { readonly code: string; readonly message: string };
}

/** What is looked at: the loop's state, and the proxies as the publisher knows them this moment. */
export interface Moment {
  readonly state: LoopState;
  readonly proxies: readonly ProxyStatus[];
  readonly nowMs: number;
  readonly replicas?: MemberView;
}

export function viewStatus({ state, proxies, nowMs, replicas }: Moment): StatusView {
  const { durable } = state;
  const { desired, applied, attempted, problems } = durable.revision;
  const commits = [desired, applied, attempted].filter((commit) => commit !== undefined);
  return {
    revision: {
      desired: desired?.id ?? null,
      applied: applied?.id ?? null,
      attempted: attempted?.id ?? null,
      error: hasErrors(problems) ? summarize(attempted, problems) : undefined,
    },
    meshes: viewMeshes(durable),
    rollouts: viewRollouts(state, nowMs).filter(({ phase }) => !isEnded(phase)),
    proxies: countProxies(proxies),
    held: [...durable.held.values()].map(viewHeld),
    source: viewSource(sourceOf(state, replicas)),
    commits: Object.fromEntries(commits.map((commit) => [commit.id, viewCommit(commit)])),
    replicas,
  };
}

/** Newest first: those that have ended too, as far as they are kept. */
export function viewRollouts(state: LoopState, nowMs: number): readonly RolloutView[] {
  return [...state.durable.rollouts.values()]
    .sort(compareAge)
    .map((rollout) => viewRollout(state, rollout, nowMs));
}

/** Of two that one commit started, the one with the higher number is the newer. */
function compareAge(left: Rollout, right: Rollout): number {
  const numberOf = ({ id }: Rollout) => Number(id.slice(id.lastIndexOf('-') + 1));
  return right.startedAtMs - left.startedAtMs || numberOf(right) - numberOf(left);
}

export function viewMeshes(durable: DurableState): readonly MeshView[] {
  return [...durable.meshes].map(([name, mesh]) => ({
    name,
    sync: syncOf(name, mesh, durable),
    virtualNodes: mesh.applied.virtualNodes.length,
    virtualServices: mesh.applied.virtualServices.length,
    virtualRouters: mesh.applied.virtualRouters.length,
  }));
}

function countProxies(proxies: readonly ProxyStatus[]): StatusView['proxies'] {
  const states = proxies.map(proxyState);
  return {
    connected: states.length,
    synced: states.filter((proxy) => proxy === 'synced').length,
    rejected: states.filter((proxy) => proxy === 'rejected').length,
  };
}

/** A follower looks at no repository: what the leader last said of it. */
function sourceOf({ source }: LoopState, replicas: MemberView | undefined): SourceStatus {
  return replicas?.replicas.find(({ role }) => role === 'leading')?.source ?? source;
}

function viewSource(source: SourceStatus): SourceView {
  const { state, succeededAtMs, failedAtMs, retryInMs } = source;
  const lastSuccessAt = succeededAtMs === undefined ? null : viewTime(succeededAtMs);
  if (state !== 'failing' || failedAtMs === undefined) {
    return { state, lastSuccessAt };
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

function syncOf(name: string, mesh: MeshState, durable: DurableState): MeshView['sync'] {
  const isOfMesh = (of: { readonly mesh: string }) => of.mesh === name;
  if ([...durable.rollouts.values()].some((of) => isOfMesh(of) && !isEnded(of.phase))) {
    return 'progressing';
  }
  if ([...durable.held.values()].some(isOfMesh)) {
    return 'held';
  }
  return diffMeshes(mesh.applied, mesh.desired).length === 0 ? 'synced' : 'pending';
}

function summarize(attempted: RevisionInfo | undefined, problems: readonly Problem[]): string {
  const errors = problems.filter((problem) => problem.severity === 'error');
  const first = errors[0] === undefined ? '' : renderProblem(errors[0]);
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return `commit ${attempted?.id.slice(0, 12)} is rejected: ${first}${more}`;
}
