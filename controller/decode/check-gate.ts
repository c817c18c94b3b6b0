/** What a gate's schema cannot say: ranges of durations, names that collide, steps that are not there. */
import type { FieldPath } from '../mesh/document.js';
import type { Gate, RolloutStep } from '../mesh/model.js';
import { gateWindowMaxMs } from '../mesh/policy-defaults.js';
import { checkDuration } from './check-duration.js';
import { type Finding, repeated } from './finding.js';

/** Gates that every rollout has, whatever its policy says. */
const builtInGates: ReadonlySet<string> = new Set(['proxies']);

const secondMs = 1000;

export function checkGates(
  gates: readonly Gate[],
  steps: readonly RolloutStep[],
): readonly Finding[] {
  return [
    ...gates.flatMap((gate, index) => {
      const path = ['spec', 'gates', index];
      return [...checkOwn(gate, [...path, gate.kind]), ...checkSteps(gate, steps, path)];
    }),
    ...checkNames(gates.map(({ name }) => name)),
  ];
}

/** What is peculiar to the gate's kind; `path` leads to the kind's own fields. */
function checkOwn(gate: Gate, path: FieldPath): readonly Finding[] {
  switch (gate.kind) {
    case 'successRate':
      return checkDuration(gate.windowMs, [...path, 'window'], [secondMs, gateWindowMaxMs]);
    case 'compare':
      return [];
  }
}

function checkSteps(
  { name, at, from }: Gate,
  steps: readonly RolloutStep[],
  path: FieldPath,
): readonly Finding[] {
  const known = steps.map(({ progress }) => progress);
  const named = [
    ...(at ?? []).map((progress, index) => ({ progress, place: ['at', index] })),
    ...(from === undefined ? [] : [{ progress: from, place: ['from'] }]),
  ];
  const findings = named
    .filter(({ progress }) => !known.includes(progress))
    .map(({ progress, place }): Finding => {
      const allowed = known.join(', ');
      const text = `gate ${name} is to be asked at ${progress} %, and no step has that progress; there are ${allowed}`;
      const details = { found: String(progress), allowed };
      return { code: 'HG0608', path: [...path, ...place], text, details };
    });
  if (at !== undefined && from !== undefined) {
    const text = `gate ${name} has both at and from; keep the one that says when it is asked`;
    findings.push({ code: 'HG0609', path: [...path, 'from'], place: 'key', text });
  }
  return findings;
}

function checkNames(names: readonly string[]): readonly Finding[] {
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
