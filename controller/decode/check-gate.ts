/** What a gate's schema cannot say: ranges of durations, names that collide, steps that are not there. */
import { nearestName } from '../base/nearest-name.js';
import type { FieldPath } from '../mesh/document.js';
import { hasLooseBraces, isTemplateName, namesIn, templateNames } from '../mesh/gate-template.js';
import type { Bounds, Gate, HttpGate, MeasuredGate } from '../mesh/gates.js';
import { leavesBase } from '../mesh/gates.js';
import type { RolloutStep } from '../mesh/model.js';
import {
  gateWindowMaxMs,
  httpTimeoutMs,
  measureIntervalMaxMs,
  queryWindowMaxMs,
} from '../mesh/policy-defaults.js';
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
    case 'latency':
      return [
        ...checkDuration(gate.windowMs, [...path, 'window'], [secondMs, gateWindowMaxMs]),
        ...checkBound(gate.maxMs, [...path, 'max']),
      ];
    case 'query':
      return [
        ...checkDuration(gate.windowMs, [...path, 'window'], [secondMs, queryWindowMaxMs]),
        ...checkInterval(gate, path),
        ...checkBounds(gate, path),
        ...checkTemplate(gate.query, [...path, 'query']),
      ];
    case 'http':
      return [...checkHttp(gate, path), ...checkInterval(gate, path)];
    case 'grpc':
      return checkInterval(gate, path);
    case 'compare':
      return checkBound(gate.slowerThanMs, [...path, 'slowerThan']);
    case 'approval':
    case 'manual':
    case 'health':
      return [];
  }
}

function checkHttp({ path, json, timeoutMs }: HttpGate, at: FieldPath): readonly Finding[] {
  const findings = [...checkTemplate(path, [...at, 'path'])];
  if (leavesBase(path)) {
    const text = `path ${path} leaves the provider's URL; write it without . and .. between slashes`;
    findings.push({ code: 'HG0612', path: [...at, 'path'], text, details: { found: path } });
  }
  if (json !== undefined) {
    findings.push(...checkBounds(json, [...at, 'json']));
  }
  return timeoutMs === undefined
    ? findings
    : [...findings, ...checkDuration(timeoutMs, [...at, 'timeout'], httpTimeoutMs)];
}

function checkInterval({ intervalMs }: MeasuredGate, path: FieldPath): readonly Finding[] {
  return checkDuration(intervalMs, [...path, 'interval'], [secondMs, measureIntervalMaxMs]);
}

/** Bounds that no number fits between, and a value beside bounds, of which one would be ignored. */
function checkBounds(
  { min, max, equals }: Bounds & { readonly equals?: unknown },
  path: FieldPath,
): readonly Finding[] {
  if (equals !== undefined && (min ?? max) !== undefined) {
    const text = 'equals stands beside min or max; keep the one that is meant';
    return [{ code: 'HG0610', path: [...path, 'equals'], place: 'key', text }];
  }
  if (min === undefined || max === undefined || min <= max) {
    return [];
  }
  const text = `min is ${min} and max is ${max}, so no number passes; exchange them`;
  return [{ code: 'HG0610', path: [...path, 'min'], text, details: { found: String(min) } }];
}

function checkTemplate(text: string, path: FieldPath): readonly Finding[] {
  const known = Object.keys(templateNames);
  const unknown = namesIn(text).filter((name) => !isTemplateName(name));
  const findings = [...new Set(unknown)].map((name): Finding => {
    const suggestion = nearestName(name, known);
    const hint =
      suggestion === undefined ? `known are ${known.join(', ')}` : `did you mean ${suggestion}?`;
    const details = { found: name, allowed: known.join(', '), suggestion };
    return { code: 'HG0611', path, text: `{{ ${name} }} stands for nothing; ${hint}`, details };
  });
  if (hasLooseBraces(text)) {
    findings.push({
      code: 'HG0611',
      path,
      text: 'double braces are not in pairs; close each {{ by }}',
    });
  }
  return findings;
}

/** A bound on latencies, where there is one. */
function checkBound(boundMs: number | undefined, path: FieldPath): readonly Finding[] {
  return boundMs === undefined ? [] : checkDuration(boundMs, path, [1, latencyBoundMaxMs]);
}

/** The last of Envoy's buckets. */
const latencyBoundMaxMs = 3_600_000;

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
