/** What a rollout policy says where it says nothing; the built-in policy is made of the same. */
import type { RolloutPolicy } from './model.js';

type Defaults = Omit<RolloutPolicy, 'kind' | 'name' | 'labels' | 'selector'>;

/** At 99 % a single error in 100 passes: with fewer requests one error would be a rollback. */
export const gateMinRequests = 100;

/**
 * One false alarm in a hundred rollouts at most is what people still believe; one step in twenty left too
 * early costs little, as the next one is judged again and harm is looked for at each.
 */
export const compareDefaults = { baseline: 'stable', margin: 0, alpha: 0.01, beta: 0.05 } as const;

/** With fewer than 200 answers the 99th percentile is one answer or two. */
export const latencyDefaults = { quantile: 0.99, minRequests: 200 } as const;

/** One of ten endpoints may be restarting; a canary with fewer than ten has all of them. */
export const healthDefaultMin = 90;

export const policyDefaults: Defaults = {
  // Few enough users see the first step that a bad release is an incident of 5 %, and four minutes
  // is what people still wait for.
  steps: [5, 25, 50, 100].map((progress) => ({ progress, bakeMs: 60_000, approval: false })),
  gates: [
    // Needs no figure of the service's own, and no minimum of requests.
    { kind: 'compare', name: 'compare', metric: 'errorRate', ...compareDefaults },
  ],
  failureLimit: 1,
  // A rollout that cannot be measured is no bad one: people look at it, and the step's deadline does.
  onError: 'pause',
  noData: 'wait',
  stepDeadlineMs: 30 * 60_000,
  onStepDeadline: 'pause',
  onFailure: 'rollback',
  onMaxDuration: 'pause',
  atomic: false,
  after: [],
  // The newest commit is what people want, and nothing of it has been proven yet.
  onSupersede: 'restart',
  // Half of the proxies are evidence; of a fleet that is mostly silent nobody knows what it does.
  proxies: { quorum: 50 },
};

/** A working day and its night: who comes back the next morning is still the same client. */
export const stickyTtlDefaultMs = 24 * 3_600_000;

/** From shorter than any rollout to a year, which is as long as browsers keep one. */
export const stickyTtlMs = [60_000, 8760 * 3_600_000] as const;

/** Above this a step's figures say more about yesterday's traffic than about the release. */
export const bakeMaxMs = 168 * 3_600_000;

/** A month: a rollout that takes longer has been forgotten. */
export const stepDeadlineMaxMs = 720 * 3_600_000;

/** A year: who waits longer has forgotten what for. */
export const maxDurationMaxMs = 8760 * 3_600_000;

/** With more revisions than this between, what was good has become another program. */
export const rollbackRevisionsMax = 50;

/** A proxy that is silent for a day is not slow. */
export const ackDeadlineMaxMs = 24 * 3_600_000;

/** As far back as samples are kept (`rollout/sample-log.ts`). */
export const gateWindowMaxMs = 15 * 60_000;

/** A query that looks further back says more about what was before the release. */
export const queryWindowMaxMs = 3_600_000;

/** A gate that is asked less often than once an hour decides on what was long ago. */
export const measureIntervalMaxMs = 3_600_000;

/** From an answer of the same data centre to a load test that is run while it is asked for. */
export const httpTimeoutMs = [100, 600_000] as const;
