/**
 * A rollout as the API shows it. The fields up to `reason` are the stable contract; what follows them
 * was added for people and may grow. Times are ISO 8601 in UTC, shares are percent with at most two
 * decimals, and what was not measured is null rather than left out.
 */
import { renderDuration } from '../base/duration.js';
import type { LoopState } from '../loop/state.js';
import { type ResourceKind, resourceOfKey } from '../mesh/model.js';
import { concernedProxies, wayOf } from '../rollout/concerned.js';
import { describeStep, describeSticky, labelOfStep } from '../rollout/describe-step.js';
import { servedStep } from '../rollout/mix.js';
import {
  type GateResult,
  type HeldChange,
  isEnded,
  type RevisionInfo,
  type Rollout,
} from '../rollout/rollout.js';
import { type RolloutTarget, rolloutTargets, weightProgress } from '../rollout/targets.js';
import { bakedAtMs, waitsFor } from '../rollout/waits.js';

export interface RolloutView {
  readonly id: string;
  readonly mesh: string;
  readonly name: string;
  readonly phase: Rollout['phase'];
  /** 0 to 100: how far traffic has come, or for a change of configuration alone the proxies. */
  readonly progress: number;
  readonly step: {
    /** Steps that were entered: 0 before the first, `count` in the last. */
    readonly index: number;
    readonly count: number;
  };
  readonly targets: readonly TargetView[];
  readonly gates: readonly GateView[];
  /** The commit's id. */
  readonly revision: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  /** Why it is in its phase. */
  readonly reason: string;
  /** What must happen before it goes on by itself; undefined where it has ended. */
  readonly waitsFor?: string;
  /** Since when it is in its phase. */
  readonly since: string;
  /** The newer commit that waits for its end, as its policy says. */
  readonly followedBy?: string;
  /** True: it failed, and is not tried again before a commit changes it or somebody says retry. */
  readonly isHeld?: boolean;
  /** Connected ones that it concerns; undefined where it has ended. */
  readonly proxies?: { readonly concerned: number; readonly acknowledged: number };
  /** When the bake time of the present step ends, while it bakes. */
  readonly bakeEndsAt?: string;
  readonly commit: CommitView;
  /** Undefined: the built-in policy. */
  readonly policy?: string;
  readonly steps: readonly {
    readonly stage: 'config' | 'weights';
    readonly progress: number;
    readonly bake: string;
    readonly approval: boolean;
    /** `25 %`, `match`, `mirror` or `preview`. */
    readonly label: string;
    /** `requests with header x-canary = always go to the canary`. */
    readonly text: string;
  }[];
  /** `one client stays on one version, by cookie version`; undefined: each request is drawn anew. */
  readonly sticky?: string;
  /** The verdicts on which each step was left, in order. */
  readonly evidence: readonly {
    /** From 1, as `step.index` counts. */
    readonly step: number;
    readonly at: string;
    readonly gates: readonly GateView[];
  }[];
  readonly changes: readonly {
    readonly kind: string;
    readonly name: string;
    readonly route?: string;
    readonly class: string;
    readonly action: string;
  }[];
}

/** All four in percent of the route's traffic. */
export interface TargetView {
  readonly router: string;
  readonly route: string;
  readonly virtualNode: string;
  readonly port: number;
  readonly applied: number;
  readonly desired: number;
  readonly served: number;
  /** Null without traffic. */
  readonly actual: number | null;
}

export interface GateView {
  readonly name: string;
  readonly verdict: GateResult['verdict'];
  /** Null where nothing was measured. */
  readonly observed: number | null;
  /** Null where the gate has no figure. */
  readonly limit: number | null;
  readonly samples: number;
  readonly at: string;
  /** `success rate 70.97% < 99% (31 requests, 6s)`; empty before the first measurement. */
  readonly text: string;
  readonly failures: number;
  /** Measurements in a row that were not possible. */
  readonly errors: number;
  /** Why there is no verdict, as `query-no-series`. */
  readonly code?: string;
  /** True: it reports and decides nothing. */
  readonly dryRun?: boolean;
}

export interface CommitView {
  /** Its repository's name in the configuration; undefined where there is only one. */
  readonly repository?: string;
  readonly author: string;
  readonly title: string;
  readonly committedAt: string;
}

/** A change that failed and is not tried again by itself. */
export interface HeldView {
  readonly rollout: string;
  readonly mesh: string;
  readonly name: string;
  readonly reason: string;
  readonly since: string;
  readonly revision: string;
  /** What it asked for: of each resource a hash of its content, null where it is removed. */
  readonly resources: readonly {
    readonly kind: ResourceKind;
    readonly name: string;
    readonly content: string | null;
  }[];
}

export function viewRollout(state: LoopState, rollout: Rollout, nowMs: number): RolloutView {
  const { plan, revision, group } = rollout;
  const way = wayOf(state.durable, rollout.mesh);
  const generation = state.servedGeneration.get(rollout.id) ?? 0;
  const proxies =
    way === undefined || isEnded(rollout.phase)
      ? []
      : concernedProxies(rollout, way, state.proxies, generation);
  return {
    id: rollout.id,
    mesh: rollout.mesh,
    name: rollout.name,
    phase: rollout.phase,
    progress: progressOf(rollout),
    step: { index: rollout.step + 1, count: plan.steps.length },
    targets: rolloutTargets(rollout, state.load, nowMs).map(viewTarget),
    gates: rollout.gates.map(viewGate),
    revision: revision.id,
    startedAt: viewTime(rollout.startedAtMs),
    endedAt: rollout.endedAtMs === undefined ? undefined : viewTime(rollout.endedAtMs),
    reason: rollout.reason,
    waitsFor: waitsFor(rollout, proxies, nowMs),
    since: viewTime(rollout.sinceMs ?? rollout.startedAtMs),
    followedBy: isEnded(rollout.phase) ? undefined : rollout.followedBy,
    isHeld: state.durable.held.has(rollout.id) ? true : undefined,
    proxies: isEnded(rollout.phase)
      ? undefined
      : {
          concerned: proxies.length,
          acknowledged: proxies.filter(({ hasAcked }) => hasAcked).length,
        },
    bakeEndsAt: rollout.phase === 'Baking' ? viewTime(bakedAtMs(rollout, nowMs)) : undefined,
    commit: viewCommit(revision),
    policy: plan.policy,
    steps: plan.steps.map((step) => ({
      stage: step.stage,
      progress: step.progress,
      bake: renderDuration(step.bakeMs),
      approval: step.approval,
      label: labelOfStep(step),
      text: describeStep(step),
    })),
    sticky: plan.sticky && describeSticky(plan.sticky),
    evidence: rollout.evidence.map(({ step, gates, atMs }) => ({
      step: step + 1,
      at: viewTime(atMs),
      gates: gates.map(viewGate),
    })),
    changes: group.changes.map((change) => ({
      kind: change.resource.kind,
      name: change.resource.name,
      route: change.route,
      class: change.class,
      action: change.action,
    })),
  };
}

export function viewHeld(held: HeldChange): HeldView {
  return {
    rollout: held.rollout,
    mesh: held.mesh,
    name: held.name,
    reason: held.reason,
    since: viewTime(held.sinceMs),
    revision: held.revision.id,
    resources: Object.entries(held.wanted).map(([key, content]) => {
      const { kind, name } = resourceOfKey(key);
      return { kind, name, content };
    }),
  };
}

export function viewCommit(revision: RevisionInfo): CommitView {
  return {
    repository: revision.repository,
    author: revision.author,
    title: revision.title,
    committedAt: viewTime(revision.committedAtMs),
  };
}

export function viewGate(result: GateResult): GateView {
  return {
    name: result.name,
    verdict: result.verdict,
    observed: result.observed === undefined ? null : toHundredths(result.observed),
    limit: result.limit ?? null,
    samples: result.samples,
    at: viewTime(result.atMs),
    text: result.text,
    failures: result.failures,
    errors: result.errors ?? 0,
    code: result.code,
    dryRun: result.dryRun,
  };
}

/** `atMs` as `2026-11-22T10:00:00.000Z`. */
export function viewTime(atMs: number): string {
  return new Date(atMs).toISOString();
}

function viewTarget({ actual, ...target }: RolloutTarget): TargetView {
  return {
    router: target.router,
    route: target.route,
    virtualNode: target.virtualNode,
    port: target.port,
    applied: toHundredths(target.applied),
    desired: toHundredths(target.desired),
    served: toHundredths(target.served),
    actual: actual === undefined ? null : toHundredths(actual),
  };
}

/** Weights move after configuration, so a rollout of both counts by its weights: it never goes back. */
function progressOf(rollout: Rollout): number {
  if (rollout.phase === 'Completing' || rollout.phase === 'Succeeded') {
    return 100;
  }
  const movesWeights = rollout.plan.steps.some((step) => step.stage === 'weights');
  return toHundredths(
    movesWeights ? weightProgress(rollout) * 100 : (servedStep(rollout)?.progress ?? 0),
  );
}

function toHundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
