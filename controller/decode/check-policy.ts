/**
 * What a RolloutPolicy's schema cannot say: order, sums and ranges of durations, and of its gates what
 * `check-gate.ts` finds.
 */
import { renderDuration } from '../base/duration.js';
import type { RolloutPolicy, RolloutStep } from '../mesh/model.js';
import { bakeMaxMs, stepDeadlineMaxMs } from '../mesh/policy-defaults.js';
import { checkDuration } from './check-duration.js';
import { checkGates } from './check-gate.js';
import type { Finding } from './finding.js';

const secondMs = 1000;

export function checkPolicy(policy: RolloutPolicy): readonly Finding[] {
  const { steps, gates, stepDeadlineMs } = policy;
  const longestBakeMs = Math.max(...steps.map(({ bakeMs }) => bakeMs));
  return [
    ...checkProgress(steps),
    ...steps.flatMap(({ bakeMs }, index) =>
      checkDuration(bakeMs, ['spec', 'steps', index, 'bake'], [0, bakeMaxMs]),
    ),
    ...checkDuration(stepDeadlineMs, ['spec', 'stepDeadline'], [secondMs, stepDeadlineMaxMs]),
    ...checkDeadline(stepDeadlineMs, longestBakeMs),
    ...checkGates(gates, steps),
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
