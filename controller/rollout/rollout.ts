/**
 * The rollout: the durable state machine that takes one group of changes from applied to desired. Plain
 * JSON, saved whole at each transition and before its effect is served. What a proxy is given follows
 * from `phase`, `step` and `waveShare` alone (`mix.ts`), so a restart serves what was served.
 */
import type { ChangeGroup } from '../diff/change.js';
import type { RolloutTerms } from '../mesh/model.js';
import type { Mirror, RequestMatch } from '../mesh/strategies.js';
import type { JudgeState } from './judge/sequential.js';

/**
 * - `Pending`: accepted; what it adds is served and being acknowledged, and nothing refers to it yet.
 * - `WaitingForApproval`: a person must approve the next step; what the last one served stays.
 * - `WaitingForWindow`: the next step may not be entered at this time; what the last one served stays.
 * - `Progressing`: the step is served, not every proxy has acknowledged it.
 * - `Baking`: acknowledged; the bake time runs and the gates judge.
 * - `Paused`: weights stay where they are until `resume`.
 * - `Completing`: every gate passed; the desired state is served, removals included, and is being acknowledged.
 * - `RollingBack`: the last good state is served and is being acknowledged.
 * - The rest are ends.
 */
export type Phase =
  | 'Pending'
  | 'WaitingForApproval'
  | 'WaitingForWindow'
  | 'Progressing'
  | 'Baking'
  | 'Paused'
  | 'Completing'
  | 'RollingBack'
  | 'Succeeded'
  | 'RolledBack'
  | 'Aborted'
  | 'Superseded';

const endPhases: ReadonlySet<Phase> = new Set(['Succeeded', 'RolledBack', 'Aborted', 'Superseded']);

/** True where nothing will happen to the rollout any more. */
export function isEnded(phase: Phase): boolean {
  return endPhases.has(phase);
}

/** The commit that a rollout brings, for people. */
export interface RevisionInfo {
  readonly id: string;
  /** The repository's name in the configuration; undefined where there is only one. */
  readonly repository?: string;
  readonly author: string;
  /** The message's first line, at most 200 characters. */
  readonly title: string;
  readonly committedAtMs: number;
}

export interface PlanStep {
  /**
   * `config`: `progress` is the share of the proxies that get the new configuration.
   * `weights`: `progress` is how far the weights have come from applied to desired.
   */
  readonly stage: 'config' | 'weights';
  /** 0 to 100; a step of weights at 0 comes before the first of them. */
  readonly progress: number;
  /** Requests that go to the canary from this step on; undefined: as in the step before. */
  readonly match?: RequestMatch;
  /** Copied in this step alone. */
  readonly mirror?: Mirror;
  readonly bakeMs: number;
  readonly approval: boolean;
  /** More than `progress`, where the rollout goes on from another one: what that served. */
  readonly served?: number;
}

/** How far a step comes, in percent. */
export function servedProgress({ progress, served }: PlanStep): number {
  return served ?? progress;
}

/**
 * The policy as it was when the rollout started: later commits do not change it. What `after` waits for
 * follows from the newest commit's policies, which name no circle.
 */
export interface RolloutPlan extends RolloutTerms {
  /** Name of the policy; undefined: the built-in default. */
  readonly policy?: string;
  /** Empty: nothing needs steps; the change is served at once and only acknowledged. */
  readonly steps: readonly PlanStep[];
  /** The good state that it brings back, which is why it takes no steps; undefined: it brings news. */
  readonly returnsTo?: GoodState;
}

/** What was served in full before, and can be again. */
export interface GoodState {
  /** The commit that brought it; undefined: what was there first. */
  readonly revision?: string;
  /** How many rollouts of the same resources lie between: 1 is the state just before. */
  readonly back: number;
  /** Until when it was served. */
  readonly untilMs: number;
}

/** Where a sequential gate stands: everything before `untilMs` is in `judge`. */
export interface GateMemory {
  readonly judge: JudgeState;
  /** When the step that `judge` is in began to count. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Only for latencies. */
  readonly bound?: SlowBound;
}

/** What counts as slow, fixed before the answers that are judged by it. */
export interface SlowBound {
  /** A bound of Envoy's buckets, or the policy's own. */
  readonly ms: number;
  readonly fixedAtMs: number;
}

export type Verdict = 'pass' | 'fail' | 'none';

export interface GateResult {
  readonly name: string;
  readonly verdict: Verdict;
  /** True: it reports and decides nothing; undefined: it decides. */
  readonly dryRun?: boolean;
  /** What was measured, in the gate's unit; undefined where nothing was. */
  readonly observed?: number;
  /** In the unit of `observed`; undefined where the gate has none, as a person's approval. */
  readonly limit?: number;
  /** Requests that `observed` was computed from. */
  readonly samples: number;
  /** `success rate 70.97% < 99% (31 requests, 6s)`. */
  readonly text: string;
  /** True: there is no verdict yet, and that is no lack of data. Undefined: false. */
  readonly isPending?: boolean;
  /** Why there is no verdict, as `query-no-series`: the same in the API and the metrics. */
  readonly code?: string;
  /** True: there is no verdict, and what was seen speaks against the canary. */
  readonly isContested?: boolean;
  /** Failed verdicts of this gate in this rollout. */
  readonly failures: number;
  /** Measurements in a row that were not possible, the newest included; undefined: none. */
  readonly errors?: number;
  /** Requests from before this were judged already: a failure is counted once. */
  readonly judgedUntilMs: number;
  /** What a gate that judges by all that it has seen goes on from; for nobody else. */
  readonly memory?: GateMemory;
  /** The same by the name of each part of a rollout that is judged part by part. */
  readonly partMemories?: Readonly<Record<string, GateMemory>>;
  readonly atMs: number;
}

/** The verdicts on which a step was left: the reason of every increase of weight. */
export interface StepEvidence {
  /** Index of the step that was left. */
  readonly step: number;
  readonly gates: readonly GateResult[];
  readonly atMs: number;
}

export interface Approval {
  /** The step that may be entered; of a gate the step that it was asked at. */
  readonly step: number;
  /** The gate that a person answered; undefined: the step's own approval. */
  readonly gate?: string;
  readonly by: string;
  readonly reason: string;
  readonly atMs: number;
}

export interface Rollout {
  /** `<name>-<number>`: unique in the store for ever. */
  readonly id: string;
  readonly mesh: string;
  /** The router's name, or that of the first resource that changes. */
  readonly name: string;
  readonly revision: RevisionInfo;
  /** True: not started, and nothing of it is served, since what its policy is after is not done yet. */
  readonly isQueued?: boolean;
  /** The newer commit that waits for its end, since its policy says to finish. */
  readonly followedBy?: string;
  /** True: it went on without the verdicts that its policy asks for, by a person's word or a deadline's. */
  readonly isForced?: boolean;
  readonly group: ChangeGroup;
  readonly plan: RolloutPlan;
  /** Clients that stay are told apart as in this rollout, which it goes on from; undefined: as in no other. */
  readonly circle?: string;
  readonly phase: Phase;
  /** Why it is in its phase: what it waits for, what failed. One sentence, figures included. */
  readonly reason: string;
  /** Index of the step that is served; -1 before the first. */
  readonly step: number;
  /** Share of the proxies, 0 to 1, that get the new configuration (stage `config`). */
  readonly waveShare: number;
  readonly startedAtMs: number;
  /** Since when it is in its phase; undefined: since its start. */
  readonly sinceMs?: number;
  readonly stepEnteredAtMs: number;
  /** The whole may take `maxDurationMs` from then on; undefined: from its start. */
  readonly runsFromMs?: number;
  /** When every connected proxy had acknowledged the step; the bake time runs from here. */
  readonly ackedAtMs?: number;
  readonly pausedAtMs?: number;
  /** The phase that `resume` returns to. */
  readonly pausedFrom?:
    | 'WaitingForApproval'
    | 'WaitingForWindow'
    | 'Progressing'
    | 'Baking'
    | 'Pending';
  readonly endedAtMs?: number;
  /** How a `RollingBack` ends. */
  readonly outcome?: 'RolledBack' | 'Aborted';
  readonly approvals: readonly Approval[];
  /** The newest result of each gate. */
  readonly gates: readonly GateResult[];
  /** One entry for each step that was left forwards, in order. */
  readonly evidence: readonly StepEvidence[];
}

/** True while it moves towards what is desired, or stands on that way: it has not ended, and does not go back. */
export function isUnderWay({ phase, isQueued }: Rollout): boolean {
  return !isEnded(phase) && phase !== 'RollingBack' && isQueued !== true;
}

/** A change that failed: not tried again until a commit changes it or a person says retry. */
export interface HeldChange {
  readonly rollout: string;
  readonly mesh: string;
  readonly name: string;
  readonly reason: string;
  readonly sinceMs: number;
  readonly revision: RevisionInfo;
  /** Content hashes of what was wanted, by resource key; null: the resource's removal. */
  readonly wanted: Readonly<Record<string, string | null>>;
}

export type RolloutCommand = 'pause' | 'resume' | 'promote' | 'abort' | 'retry' | 'approve';
