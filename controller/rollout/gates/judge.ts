/**
 * Verdicts: pass, fail or none, each with the figures it was reached by. What holds for every kind of
 * gate is here: a verdict rests on nothing from before the step was acknowledged, a failure is counted
 * once, and no data never passes for better data.
 */
import type { Gate } from '../../mesh/gates.js';
import type { GateResult, Rollout } from '../rollout.js';
import { compare } from './compare.js';
import { grpc } from './grpc.js';
import { health } from './health.js';
import { http } from './http.js';
import type { Evidence, GateKind } from './kind.js';
import { latency } from './latency.js';
import { judgeParts } from './parts.js';
import { approval, manual } from './person.js';
import { query } from './query.js';
import { successRate } from './success-rate.js';

/** Every kind of gate. */
const kinds: { readonly [Kind in Gate['kind']]: GateKind<Extract<Gate, { kind: Kind }>> } = {
  successRate,
  compare,
  latency,
  health,
  query,
  http,
  grpc,
  approval,
  manual,
};

/** What `gate` is judged and described by. */
export function kindOf<One extends Gate>(gate: One): GateKind<One> {
  // The table's type says so for each kind; TypeScript does not follow it through the index.
  return kinds[gate.kind] as unknown as GateKind<One>;
}

/** What `gate` asks for, at which steps, and whether it decides, for people who read a plan. */
export function describeGate(gate: Gate): string {
  const notes = [...whenAsked(gate), ...(gate.dryRun === true ? ['only reports'] : [])];
  return [kindOf(gate).describe(gate), ...notes].join(', ');
}

/** `from 25 % on`; empty: at every step. */
export function whenAsked({ at, from }: Gate): readonly string[] {
  return [
    ...(at === undefined ? [] : [`at ${at.join(', ')} %`]),
    ...(from === undefined ? [] : [`from ${from} % on`]),
  ];
}

/** The result of `gate` on what was seen since the step that `rollout` serves began to count. */
export function judge(rollout: Rollout, gate: Gate, evidence: Evidence): GateResult {
  const previous = rollout.gates.find((result) => result.name === gate.name);
  const judgedUntilMs = previous?.judgedUntilMs ?? 0;
  const countsFromMs = rollout.ackedAtMs ?? rollout.stepEnteredAtMs;
  const fromMs = Math.max(countsFromMs, judgedUntilMs);
  const judgement = judgeParts(kindOf(gate), { rollout, gate, evidence, fromMs, previous });
  if (judgement.verdict === 'none' && previous?.verdict === 'fail') {
    // Too little was seen since it failed to say otherwise: no data must not pass for better data.
    const { text, code, errors } = judgement;
    const { memory, partMemories } = judgement;
    const remembering = { ...previous, memory, partMemories };
    return errors === undefined ? remembering : { ...remembering, text, code, errors };
  }
  const hasFailed = judgement.verdict === 'fail';
  return {
    name: gate.name,
    dryRun: gate.dryRun,
    ...judgement,
    // What was judged as a failure counts for nothing from then on.
    memory: hasFailed ? undefined : judgement.memory,
    partMemories: hasFailed ? undefined : judgement.partMemories,
    failures: (previous?.failures ?? 0) + (hasFailed ? 1 : 0),
    judgedUntilMs: hasFailed ? evidence.nowMs : judgedUntilMs,
    atMs: evidence.nowMs,
  };
}
