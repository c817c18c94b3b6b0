/**
 * The controller's state as the API shows it: the whole in one page. Pure, so that the CLI, a dashboard
 * and the tests read the same types. The first four fields of `StatusView` are the stable contract.
 */
import { diffMeshes } from '../diff/diff-meshes.js';
import type { ProxyStatus } from '../loop/ports.js';
import type { DurableState, LoopState, MeshState, SourceStatus } from '../loop/state.js';
import type { MemberView } from '../replicas/view.js';
import { isEnded, type Rollout } from '../rollout/rollout.js';
import { proxyState } from './proxy-view.js';
import {
  type RepositoryView,
  type RevisionStateView,
  type SourceView,
  spokesman,
  viewRepositories,
  viewRevisionState,
  viewSource,
  worstSource,
} from './repository-view.js';
import {
  type CommitView,
  type HeldView,
  type RolloutView,
  viewCommit,
  viewHeld,
  viewRollout,
} from './rollout-view.js';

export interface StatusView {
  /**
   * Of several repositories the one that needs attention most: one whose newest commit is rejected before
   * one that is not served in full, before the one that changed last.
   */
  readonly revision: RevisionStateView;
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
  /** Of several repositories one that cannot be reached before one that can. */
  readonly source: SourceView;
  /** Each repository by its name in the configuration; empty where there is only one. */
  readonly repositories: readonly RepositoryView[];
  /** The commits named in `revision` and `repositories`, by id. */
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
  const sources = sourcesOf(state, replicas);
  const commits = [...durable.repositories.values()].flatMap(({ desired, applied, attempted }) =>
    [desired, applied, attempted].filter((commit) => commit !== undefined),
  );
  return {
    revision: viewRevisionState(spokesman(durable)),
    meshes: viewMeshes(durable),
    rollouts: viewRollouts(state, nowMs).filter(({ phase }) => !isEnded(phase)),
    proxies: countProxies(proxies),
    held: [...durable.held.values()].map(viewHeld),
    source: viewSource(worstSource(sources)),
    repositories: viewRepositories(durable, sources),
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

/** A follower looks at no repository: what the leader last said of them. */
function sourcesOf(
  { sources }: LoopState,
  replicas: MemberView | undefined,
): ReadonlyMap<string, SourceStatus> {
  const leader = replicas?.replicas.find(({ role }) => role === 'leading');
  return leader?.sources === undefined ? sources : new Map(leader.sources);
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
