/**
 * The whole state of the controller. The durable part is what the store keeps, value by value; the rest
 * is what the world has told since the start and would tell again.
 */
import type { Problem } from '../base/problem.js';
import type { Secrets } from '../envoy/secrets.js';
import type { Mesh } from '../mesh/model.js';
import type { Origins } from '../mesh/origins.js';
import type { Measured } from '../rollout/gates/measurement.js';
import type { LoadHistory } from '../rollout/load-history.js';
import type { HeldChange, RevisionInfo, Rollout } from '../rollout/rollout.js';
import type { Announced } from './announced.js';
import type { Past } from './past.js';
import type { ProxyStatus } from './ports.js';

/** What one repository asks for, as far as it was read. */
export interface RevisionState {
  /** The newest revision that was valid, and goes together with those of the other repositories. */
  readonly desired?: RevisionInfo;
  /** When it became that; of two repositories the later one is the cause of what both changed. */
  readonly desiredAtMs?: number;
  /** The newest revision of which everything is served. */
  readonly applied?: RevisionInfo;
  /** The newest revision that was seen, valid or not. */
  readonly attempted?: RevisionInfo;
  /** The problems of `attempted`. */
  readonly problems: readonly Problem[];
}

/** One mesh: what is served when no rollout runs, and what Git asks for. */
export interface MeshState {
  readonly applied: Mesh;
  readonly desired: Mesh;
}

/** The files of a repository's newest valid revision: what the others' new revisions are joined with. */
export interface RepositoryText {
  /** The revision's id. */
  readonly id: string;
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

/** Kept in the store. */
export interface DurableState {
  /** By the repository's name in the configuration, which is empty where there is only one. */
  readonly repositories: ReadonlyMap<string, RevisionState>;
  /** By the repository's name; empty where there is only one. */
  readonly texts: ReadonlyMap<string, RepositoryText>;
  /**
   * Which repository declares a resource, or did before it was removed, by resource key; empty where there
   * is only one.
   */
  readonly owners: ReadonlyMap<string, string>;
  /** By mesh name. */
  readonly meshes: ReadonlyMap<string, MeshState>;
  /** By id; ended ones stay until `endedRolloutsMax` are kept. */
  readonly rollouts: ReadonlyMap<string, Rollout>;
  /** By the id of the rollout that failed. */
  readonly held: ReadonlyMap<string, HeldChange>;
  /** What rollouts replaced, for the way back to it. */
  readonly past: Past;
  /** Endpoints that proxies announced. */
  readonly announced: Announced;
  /** The number of the next rollout. */
  readonly nextRollout: number;
}

export interface SourceStatus {
  readonly state: 'starting' | 'ok' | 'failing';
  /** While the first revision comes: how much of it has. */
  readonly fetchedPercent?: number;
  /** When it last answered, and when it last failed. */
  readonly succeededAtMs?: number;
  readonly failedAtMs?: number;
  readonly code?: string;
  readonly message?: string;
  readonly retryInMs?: number;
}

export interface LoopState {
  readonly durable: DurableState;
  /** By the repository's name; one that is not here has not answered yet. */
  readonly sources: ReadonlyMap<string, SourceStatus>;
  /** By proxy id. */
  readonly proxies: ReadonlyMap<string, ProxyStatus>;
  /** Where each resource of the desired meshes stands. */
  readonly origins: Origins;
  readonly load: LoadHistory;
  /** The newest answer to each gate that asks the outside, by the id of its order. */
  readonly measured: ReadonlyMap<string, Measured>;
  /** Certificates and authorities that proxies may ask for; never stored. */
  readonly secrets: Secrets;
  /** The term in which this process decides; 0 where there are no terms. */
  readonly epoch: number;
  /** The newest publication's number: none is used for two things, in whatever term. */
  readonly generation: number;
  /** The publication that first served a rollout's present position, by rollout id. */
  readonly servedGeneration: ReadonlyMap<string, number>;
}
