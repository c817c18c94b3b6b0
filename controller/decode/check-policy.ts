/**
 * What a RolloutPolicy's schema cannot say: order, sums and ranges of durations, names that
 * collide.
 */
import { renderDuration } from '../base/duration.js';
import type { FieldPath } from '../mesh/document.js';
import type { RolloutPolicy, RolloutStep } from '../mesh/model.js';
import { bakeMaxMs, gateWindowMaxMs, stepDeadlineMaxMs } from '../mesh/policy-defaults.js';
import { type Finding, repeated } from './finding.js';

/** Gates that every rollout has, whatever its policy says. */
const builtInGates: ReadonlySet<string> = new Set(['proxies']);

const secondMs = 1000;

export function checkPolicy(policy: RolloutPolicy): readonly Finding[] {
  const { steps, gates, stepDeadlineMs } = policy;
  const longestBakeMs = Math.max(...steps.map(({ bakeMs }) => bakeMs));
  return [
    ...checkProgress(steps),
    ...steps.flatMap(({ bakeMs }, index) =>
      checkDuration(bakeMs, ['spec', 'steps', index, 'bake'], [0, bakeMaxMs]),
    ),
    ...gates.flatMap(({ windowMs, kind }, index) =>
      checkDuration(
        windowMs,
        ['spec', 'gates', index, kind, 'window'],
        [secondMs, gateWindowMaxMs],
      ),
    ),
    ...checkDuration(stepDeadlineMs, ['spec', 'stepDeadline'], [secondMs, stepDeadlineMaxMs]),
    ...checkDeadline(stepDeadlineMs, longestBakeMs),
    ...checkGateNames(gates.map(({ name }) => name)),
  ];
}

function checkProgress(steps: readonly RolloutStep[]): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [index, { progress }] of steps.entries()) {
    const before = steps[index - 1]?.progress ?? 0;
    if (progress <= before) {
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
    const path = ['spec', 'steps', steps.length - 1, 'progress'];
    const text = `the last step has progress ${last}, expected 100; add a step of 100`;
    findings.push({ code: 'HG0602', path, text, details: { found: String(last), allowed: '100' } });
  }
  return findings;
}

function checkDuration(
  durationMs: number,
  path: FieldPath,
  [fromMs, toMs]: readonly [number, number],
): readonly Finding[] {
  if (durationMs >= fromMs && durationMs <= toMs) {
    return [];
  }
  const found = renderDuration(durationMs);
  const allowed = `${renderDuration(fromMs)} to ${renderDuration(toMs)}`;
  const text = `${String(path.at(-1))} is ${found}, expected ${allowed}`;
  return [{ code: 'HG0606', path, text, details: { found, allowed } }];
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

function checkGateNames(names: readonly string[]): readonly Finding[] {
  const twice = repeated(names, (name) => name).map(([index]) => index);
  return names.flatMap((name, index): readonly Finding[] => {
    const isTaken = builtInGates.has(name);
    if (!isTaken && !twice.includes(index)) {
      return [];
    }
    const why = isTaken ? 'the gate that every rollout has' : 'another gate of the policy';
    const text = `gate ${name} has the name of ${why}; rename it`;
    const path = ['spec', 'gates', index, 'name'];
    return [{ code: 'HG0603', path, text, details: { found: name } }];
  });
}
