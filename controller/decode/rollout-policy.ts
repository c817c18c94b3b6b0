/** A RolloutPolicy document in the model's terms: durations in milliseconds, defaults filled in. */
import type * as yaml from '../generated/schema-types.js';
import type {
  ProxyQuorum,
  RollbackWindow,
  RolloutPolicy,
  RolloutSelector,
  RolloutStep,
  RolloutWindows,
  Weekday,
} from '../mesh/model.js';
import { policyDefaults } from '../mesh/policy-defaults.js';
import { decodeGate } from './gate.js';
import { goDurationMs } from './go-duration.js';

export function rolloutPolicy({ metadata, spec }: yaml.RolloutPolicy): RolloutPolicy {
  const steps = spec.steps?.map(step) ?? policyDefaults.steps;
  return {
    kind: 'RolloutPolicy',
    name: metadata.name,
    labels: metadata.labels ?? {},
    selector: selector(spec.selector),
    steps,
    gates: spec.gates?.map(decodeGate) ?? policyDefaults.gates,
    failureLimit: spec.failureLimit ?? policyDefaults.failureLimit,
    errorLimit: spec.errorLimit,
    onError: spec.onError ?? policyDefaults.onError,
    noData: spec.noData ?? policyDefaults.noData,
    stepDeadlineMs: stepDeadlineMs(spec.stepDeadline, steps),
    onStepDeadline: spec.onStepDeadline ?? policyDefaults.onStepDeadline,
    onFailure: spec.onFailure ?? policyDefaults.onFailure,
    ...(spec.maxDuration === undefined ? {} : { maxDurationMs: goDurationMs(spec.maxDuration) }),
    onMaxDuration: spec.onMaxDuration ?? policyDefaults.onMaxDuration,
    ...(spec.windows === undefined ? {} : { windows: windows(spec.windows) }),
    atomic: spec.atomic ?? policyDefaults.atomic,
    after: spec.after ?? policyDefaults.after,
    onSupersede: spec.onSupersede ?? policyDefaults.onSupersede,
    ...(spec.rollbackWindow === undefined
      ? {}
      : { rollbackWindow: rollbackWindow(spec.rollbackWindow) }),
    proxies: proxies(spec.proxies ?? {}),
  };
}

function rollbackWindow({ revisions, within }: yaml.RollbackWindow): RollbackWindow {
  return { revisions, withinMs: within === undefined ? undefined : goDurationMs(within) };
}

function proxies({ quorum, deadline }: yaml.ProxyQuorum): ProxyQuorum {
  return {
    quorum: quorum ?? policyDefaults.proxies.quorum,
    deadlineMs: deadline === undefined ? undefined : goDurationMs(deadline),
  };
}

function selector(written: yaml.RolloutSelector | undefined): RolloutSelector {
  return {
    isDefault: written === undefined,
    virtualRouters: written?.virtualRouters ?? [],
    virtualNodes: written?.virtualNodes ?? [],
    virtualGateways: written?.virtualGateways ?? [],
    matchLabels: written?.matchLabels ?? {},
  };
}

const everyDay: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

function windows({ allow = [], freeze = [] }: yaml.RolloutWindows): RolloutWindows {
  return {
    allow: allow.map(({ days, ...hours }) => ({
      days: everyDay.filter((day) => days?.includes(day) ?? true),
      ...hours,
    })),
    freeze: freeze.map(({ from, to, ...rest }) => ({
      from: minuteOf(from),
      to: minuteOf(to),
      ...rest,
    })),
  };
}

/** A date alone is its midnight. */
function minuteOf(time: string): string {
  return time.includes('T') ? time : `${time}T00:00`;
}

function step({ progress, bake, approval }: yaml.RolloutStep): RolloutStep {
  return { progress, bakeMs: goDurationMs(bake), approval: approval ?? false };
}

/** A default deadline before the bake time is over would stop every rollout. */
function stepDeadlineMs(written: string | undefined, steps: readonly RolloutStep[]): number {
  if (written !== undefined) {
    return goDurationMs(written);
  }
  const longestBakeMs = Math.max(...steps.map((each) => each.bakeMs));
  return Math.max(policyDefaults.stepDeadlineMs, 2 * longestBakeMs);
}
