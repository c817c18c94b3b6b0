/** A RolloutPolicy document in the model's terms: durations in milliseconds, defaults filled in. */
import { assert } from '../base/assert.js';
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
import { policyDefaults, stickyTtlDefaultMs } from '../mesh/policy-defaults.js';
import type { Mirror, RequestMatch, Sticky } from '../mesh/strategies.js';
import { decodeGate } from './gate.js';
import { goDurationMs } from './go-duration.js';
import { headerMatch } from './matches.js';

export function rolloutPolicy({ metadata, spec }: yaml.RolloutPolicy): RolloutPolicy {
  const steps = stepsOf(spec);
  return {
    kind: 'RolloutPolicy',
    name: metadata.name,
    labels: metadata.labels ?? {},
    selector: selector(spec.selector),
    steps,
    ...(spec.blueGreen === undefined ? {} : { isBlueGreen: true }),
    ...(spec.sticky === undefined ? {} : { sticky: sticky(spec.sticky, steps) }),
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

function stepsOf({ steps, blueGreen }: yaml.RolloutPolicySpec): readonly RolloutStep[] {
  if (blueGreen !== undefined) {
    return blueGreenSteps(blueGreen);
  }
  let progress = 0;
  return (
    steps?.map((written) => {
      progress = written.progress ?? progress;
      return step(written, progress);
    }) ?? policyDefaults.steps
  );
}

function blueGreenSteps(written: yaml.BlueGreen): readonly RolloutStep[] {
  return [step(written.preview, 0), step(written.switch, 100)];
}

function step(written: Omit<yaml.RolloutStep, 'progress'>, progress: number): RolloutStep {
  return {
    progress,
    ...(written.match === undefined ? {} : { match: requestMatch(written.match) }),
    ...(written.mirror === undefined ? {} : { mirror: mirror(written.mirror) }),
    bakeMs: goDurationMs(written.bake),
    approval: written.approval ?? false,
  };
}

function requestMatch({ headers = [], cookies = [] }: yaml.RequestMatch): RequestMatch {
  return {
    headers: headers.map(headerMatch),
    cookies: cookies.map(({ name, match }) =>
      match === undefined ? { name } : { name, ...match },
    ),
  };
}

/** Reading twice harms nobody; whoever writes twice says so. */
const mirrorMethods = ['GET', 'HEAD'] as const;

function mirror({ percent, methods = [...mirrorMethods] }: yaml.Mirror): Mirror {
  return { percent, methods: methods.toSorted() };
}

function sticky({ cookie, header }: yaml.Sticky, steps: readonly RolloutStep[]): Sticky {
  if (cookie === undefined) {
    assert(header !== undefined, 'the schema lets exactly one way of telling clients apart pass');
    return { kind: 'header', name: header.name.toLowerCase() };
  }
  const ttlMs =
    cookie.ttl === undefined
      ? Math.max(stickyTtlDefaultMs, 2 * bakesMs(steps))
      : goDurationMs(cookie.ttl);
  return { kind: 'cookie', name: cookie.name, ttlMs };
}

/** What all of `steps` bake, one after the other. */
export function bakesMs(steps: readonly RolloutStep[]): number {
  return steps.reduce((sum, { bakeMs }) => sum + bakeMs, 0);
}

/** A default deadline before the bake time is over would stop every rollout. */
function stepDeadlineMs(written: string | undefined, steps: readonly RolloutStep[]): number {
  if (written !== undefined) {
    return goDurationMs(written);
  }
  const longestBakeMs = Math.max(...steps.map((each) => each.bakeMs));
  return Math.max(policyDefaults.stepDeadlineMs, 2 * longestBakeMs);
}
