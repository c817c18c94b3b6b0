/**
 * Everything that can happen to the loop, and all that a step may ask for. External callbacks only make
 * events; only `step.ts` decides. No behaviour depends on which event woke the loop: each step looks at
 * the whole state again.
 */
import type { Problem } from '../base/problem.js';
import type { Secrets } from '../envoy/secrets.js';
import type { Mesh } from '../mesh/model.js';
import type { Origins } from '../mesh/origins.js';
import type { Measurement } from '../rollout/gates/measurement.js';
import type { HealthSample } from '../rollout/health-history.js';
import type { LatencySample } from '../rollout/latency-history.js';
import type { LoadSample } from '../rollout/load-history.js';
import type { RevisionInfo, RolloutCommand } from '../rollout/rollout.js';
import type { Violation } from './invariants.js';
import type { HistoryEntry, PublisherEvent } from './ports.js';
import type { LoopState, RepositoryText } from './state.js';

export type LoopEvent =
  | ({ readonly kind: 'revisionsRead' } & Reading)
  /** The repository `source` was reached and has nothing new. */
  | { readonly kind: 'sourceUnchanged'; readonly source: string }
  /** So much of the first revision of the repository `source` has come, in whole percent. */
  | { readonly kind: 'sourceFetching'; readonly source: string; readonly percent: number }
  | {
      readonly kind: 'sourceFailed';
      readonly source: string;
      readonly code: string;
      readonly message: string;
      readonly retryInMs: number;
    }
  | Exclude<PublisherEvent, { kind: 'loadReported' | 'statsReported' }>
  | { readonly kind: 'loadReported'; readonly samples: readonly LoadSample[] }
  | {
      readonly kind: 'statsReported';
      readonly latencies: readonly LatencySample[];
      readonly health: readonly HealthSample[];
    }
  | {
      readonly kind: 'command';
      readonly rollout: string;
      readonly command: RolloutCommand;
      readonly by: string;
      readonly reason: string;
    }
  /** A provider answered a gate, or did not. */
  | { readonly kind: 'gateMeasured'; readonly order: string; readonly measurement: Measurement }
  /** All that there are now. */
  | { readonly kind: 'secretsChanged'; readonly secrets: Secrets }
  /** Time has passed. */
  | { readonly kind: 'tick' };

/**
 * What all repositories are, newly read. Each reading says everything, so the newest one stands for all
 * before it.
 */
export interface Reading {
  /** The repositories that answered. */
  readonly sources: readonly string[];
  readonly repositories: readonly RepositoryReading[];
  /** What the newest revisions that go together make; undefined: what was desired before stays. */
  readonly meshes?: readonly Mesh[];
  readonly origins: Origins;
}

export interface RepositoryReading {
  /** Empty where it is the only one. */
  readonly name: string;
  /** The newest revision; undefined: none was read since the start. */
  readonly attempted?: RevisionInfo;
  /** True: `attempted` is part of `meshes`. */
  readonly isAccepted: boolean;
  /** The problems of `attempted`. */
  readonly problems: readonly Problem[];
  /** The files of `attempted` where it is accepted and there are several repositories. */
  readonly text?: RepositoryText;
}

/** What people are told. `notify` turns it into messages; no two share an id. */
export interface Announcement {
  readonly id: string;
  readonly event:
    | 'rollout.started'
    | 'rollout.succeeded'
    | 'rollout.rolledBack'
    | 'rollout.aborted'
    | 'rollout.paused'
    | 'rollout.waitingForApproval'
    | 'rollout.superseded'
    | 'revision.accepted'
    | 'revision.rejected';
  readonly severity: 'info' | 'warning' | 'error';
  readonly mesh: string;
  readonly rollout?: string;
  /** What a rollout is about, by name: its router and each resource that changes. */
  readonly services?: readonly string[];
  readonly revision: RevisionInfo;
  readonly title: string;
  readonly text: string;
  readonly facts: readonly { readonly title: string; readonly value: string }[];
  /** What the commit itself is to say from now on, where its authors look. */
  readonly commit?: CommitStatus;
  readonly atMs: number;
}

/** One line beside a commit, as the servers of Git repositories show it. */
export interface CommitStatus {
  /** `headgate/validate` or `headgate/<mesh>/rollout`: a later status of the same name takes its place. */
  readonly context: string;
  /** `error`: neither good nor bad, since a newer commit came first. */
  readonly state: 'pending' | 'success' | 'failure' | 'error';
  readonly description: string;
}

export type CommandReply =
  | { readonly ok: true; readonly rollout: string }
  | { readonly ok: false; readonly status: 404 | 409 | 503; readonly message: string };

/** Effects in the order in which they must happen: store the state, publish it, then tell people. */
export interface StepResult {
  readonly state: LoopState;
  readonly history: readonly HistoryEntry[];
  readonly announcements: readonly Announcement[];
  /** Only for commands. */
  readonly reply?: CommandReply;
  /** Bugs of ours that were kept from doing harm; undefined: none. */
  readonly violations?: readonly Violation[];
}

/** An event taken in: the state with what it says, before anything follows from it. */
export interface Taken {
  readonly state: LoopState;
  readonly history?: readonly HistoryEntry[];
  readonly reply?: CommandReply;
  /** Repositories of which a revision is seen for the first time, or with another verdict than before. */
  readonly judged?: readonly string[];
}
