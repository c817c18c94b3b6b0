/**
 * What a RolloutPolicy's schema cannot say: order, sums and ranges of durations, and of its gates what
 * `check-gate.ts` finds.
 */
import { renderDuration } from '../base/duration.js';
import { isTimeZone } from '../base/local-time.js';
import type * as yaml from '../generated/schema-types.js';
import type { FieldPath } from '../mesh/document.js';
import type { RolloutPolicy, RolloutStep, RolloutWindows } from '../mesh/model.js';
import {
  ackDeadlineMaxMs,
  bakeMaxMs,
  maxDurationMaxMs,
  stepDeadlineMaxMs,
} from '../mesh/policy-defaults.js';
import { checkDuration } from './check-duration.js';
import { checkGates } from './check-gate.js';
import { checkStrategy, stepPath } from './check-strategy.js';
import type { Finding } from './finding.js';
import { bakesMs } from './rollout-policy.js';

const secondMs = 1000;

/** `policy` is what `written` means in the model. */
export function checkPolicy(
  written: yaml.RolloutPolicy,
  policy: RolloutPolicy,
): readonly Finding[] {
  const { steps, gates, stepDeadlineMs } = policy;
  const longestBakeMs = Math.max(...steps.map(({ bakeMs }) => bakeMs));
  return [
    ...(written.spec.blueGreen === undefined ? checkProgress(written, steps) : []),
    ...checkStrategy(written, policy),
    ...steps.flatMap(({ bakeMs }, index) =>
      checkDuration(bakeMs, [...stepPath(written, index), 'bake'], [0, bakeMaxMs]),
    ),
    ...checkDuration(stepDeadlineMs, ['spec', 'stepDeadline'], [secondMs, stepDeadlineMaxMs]),
    ...checkDeadline(stepDeadlineMs, longestBakeMs),
    ...checkGates(gates, steps),
    ...checkMaxDuration(policy),
    ...checkWindows(policy.windows),
    ...checkOptional(
      policy.rollbackWindow?.withinMs,
      ['spec', 'rollbackWindow', 'within'],
      maxDurationMaxMs,
    ),
    ...checkOptional(policy.proxies.deadlineMs, ['spec', 'proxies', 'deadline'], ackDeadlineMaxMs),
    ...checkQuorumDeadline(policy),
  ];
}

/** A duration of at least a second, where there is one. */
function checkOptional(ms: number | undefined, path: FieldPath, maxMs: number): readonly Finding[] {
  return ms === undefined ? [] : checkDuration(ms, path, [secondMs, maxMs]);
}

/** Who is left out is known before the step is given up. */
function checkQuorumDeadline({ proxies, stepDeadlineMs }: RolloutPolicy): readonly Finding[] {
  const { deadlineMs } = proxies;
  if (deadlineMs === undefined || deadlineMs < stepDeadlineMs) {
    return [];
  }
  const found = renderDuration(deadlineMs);
  const allowed = `less than ${renderDuration(stepDeadlineMs)}`;
  const text =
    `the deadline of the proxies is ${found}, so a step would be given up before any of them is ` +
    `left out; use ${allowed}, the stepDeadline`;
  return [
    { code: 'HG0606', path: ['spec', 'proxies', 'deadline'], text, details: { found, allowed } },
  ];
}

function checkMaxDuration({ maxDurationMs, steps }: RolloutPolicy): readonly Finding[] {
  const path = ['spec', 'maxDuration'];
  const togetherMs = bakesMs(steps);
  if (maxDurationMs === undefined || maxDurationMs > togetherMs) {
    return maxDurationMs === undefined
      ? []
      : checkDuration(maxDurationMs, path, [secondMs, maxDurationMaxMs]);
  }
  const found = renderDuration(maxDurationMs);
  const allowed = `more than ${renderDuration(togetherMs)}`;
  const text =
    `maxDuration is ${found}, so steps that bake ${renderDuration(togetherMs)} together could never ` +
    `be completed; use ${allowed}`;
  return [{ code: 'HG0606', path, text, details: { found, allowed } }];
}

function checkWindows(windows: RolloutWindows | undefined): readonly Finding[] {
  const { allow = [], freeze = [] } = windows ?? {};
  const zones = [
    ...allow.map(({ timeZone }, index) => ({ timeZone, list: 'allow', index })),
    ...freeze.map(({ timeZone }, index) => ({ timeZone, list: 'freeze', index })),
  ];
  return [
    ...zones.flatMap(({ timeZone, list, index }) =>
      isTimeZone(timeZone)
        ? []
        : [unknownZone(timeZone, ['spec', 'windows', list, index, 'timeZone'])],
    ),
    ...freeze.flatMap(({ from, to }, index) =>
      from < to ? [] : [emptyFreeze(from, to, ['spec', 'windows', 'freeze', index, 'to'])],
    ),
  ];
}

function unknownZone(timeZone: string, path: FieldPath): Finding {
  const text = `timeZone ${timeZone} is not known; use a name as Europe/Berlin or UTC`;
  return { code: 'HG0616', path, text, details: { found: timeZone } };
}

function emptyFreeze(from: string, to: string, path: FieldPath): Finding {
  const text = `the freeze ends at ${to}, which is not after its start at ${from}; exchange them`;
  return { code: 'HG0617', path, text, details: { found: to, allowed: `after ${from}` } };
}

/** A step that gives no progress stays where the one before it is. */
function checkProgress(
  { spec }: yaml.RolloutPolicy,
  steps: readonly RolloutStep[],
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [index, { progress }] of steps.entries()) {
    const before = steps[index - 1]?.progress ?? 0;
    if (spec.steps?.[index]?.progress !== undefined && progress <= before) {
      const text =
        `spec.steps[${index}].progress is ${progress}, expected more than the ${before} of the ` +
        'step before';
      const path = ['spec', 'steps', index, 'progress'];
      const details = { found: String(progress), allowed: `above ${before}` };
      findings.push({ code: 'HG0601', path, text, details });
    }
  }
  const last = steps.at(-1)?.progress;
  if (last !== 100) {
    const isWritten = spec.steps?.at(-1)?.progress !== undefined;
    const path = ['spec', 'steps', steps.length - 1, ...(isWritten ? ['progress'] : [])];
    const text = `the last step has progress ${last}, expected 100; add a step of 100`;
    findings.push({ code: 'HG0602', path, text, details: { found: String(last), allowed: '100' } });
  }
  return findings;
}

function checkDeadline(stepDeadlineMs: number, longestBakeMs: number): readonly Finding[] {
  if (stepDeadlineMs > longestBakeMs) {
    return [];
  }
  const found = renderDuration(stepDeadlineMs);
  const allowed = `more than ${renderDuration(longestBakeMs)}`;
  const text =
    `stepDeadline is ${found}, so the step that bakes ${renderDuration(longestBakeMs)} could ` +
    `never be completed; use ${allowed}`;
  return [{ code: 'HG0606', path: ['spec', 'stepDeadline'], text, details: { found, allowed } }];
}
