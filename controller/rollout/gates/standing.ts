/**
 * How a rollout stands with its gates: which are asked at its step, what they say now, and which of them
 * end it or keep it where it is. What then happens is the state machine's (`advance.ts`).
 */
import type { Gate, NoData } from '../../mesh/gates.js';
import type { GateResult, Rollout, RolloutPlan } from '../rollout.js';
import { givesTraffic } from '../step-traffic.js';
import { judge, kindOf, whenAsked } from './judge.js';
import type { Evidence } from './kind.js';
import { type PersonGate, wordOn } from './person.js';

/** `rollout` with the newest result of each gate. */
export function withVerdicts(rollout: Rollout, evidence: Evidence): Rollout {
  const gates = rollout.plan.gates.map((gate) =>
    isAsked(gate, rollout) ? judge(rollout, gate, evidence) : unasked(rollout, gate, evidence),
  );
  return { ...rollout, gates };
}

/** A new step needs new verdicts; how often a gate failed is remembered. */
export function forgetVerdict(result: GateResult): GateResult {
  const { code: _, errors: __, isPending: ___, isContested: ____, ...kept } = result;
  return { ...kept, verdict: 'none', observed: undefined, samples: 0, text: '' };
}

/** Results of the gates that are asked at the step, as they are shown. */
export function askedResults(rollout: Rollout): readonly GateResult[] {
  return askedGates(rollout).map(({ result }) => withoutMemory(result));
}

/** `result` without what only the gate itself reads. */
export function withoutMemory({ memory: _, partMemories: __, ...shown }: GateResult): GateResult {
  return shown;
}

/** The first gate that has failed as often as it may. */
export function failedGate(rollout: Rollout): GateResult | undefined {
  return decidingGates(rollout).find(
    ({ gate, result }) =>
      result.verdict === 'fail' &&
      result.failures >= (gate.failureLimit ?? rollout.plan.failureLimit),
  )?.result;
}

/** The first gate that could not be measured as often in a row as it may. */
export function brokenGate(rollout: Rollout): GateResult | undefined {
  return decidingGates(rollout).find(
    ({ gate, result }) =>
      (result.errors ?? 0) >= (gate.errorLimit ?? rollout.plan.errorLimit ?? Infinity),
  )?.result;
}

/** Results for which a step that has baked is not left. */
export function openGates(rollout: Rollout): readonly GateResult[] {
  return decidingGates(rollout).flatMap(({ gate, result }) => {
    const isSilent = hasNoData(result) && result.isContested !== true;
    const mayPass = isSilent && noDataOf(rollout, gate) === 'pass';
    return result.verdict === 'pass' || mayPass ? [] : [result];
  });
}

/** Gates that decide and that a person has not answered yet. */
export function unansweredGates(rollout: Rollout): readonly PersonGate[] {
  return decidingGates(rollout).flatMap(({ gate }) =>
    (gate.kind === 'approval' || gate.kind === 'manual') && wordOn(gate, rollout) === undefined
      ? [gate]
      : [],
  );
}

/** The first gate that has had its time for data, has none, and must not go without. */
export function emptyGate(rollout: Rollout, nowMs: number): GateResult | undefined {
  return decidingGates(rollout).find(({ gate, result }) => {
    // That there is no data is known once there was time for some: a bake may be shorter than a report.
    const dueAtMs = (rollout.ackedAtMs ?? nowMs) + kindOf(gate).windowMs(gate);
    return hasNoData(result) && nowMs >= dueAtMs && noDataOf(rollout, gate) === 'fail';
  })?.result;
}

/** What could not be measured, or not yet, is no lack of data: it must not pass as one. */
function hasNoData({ verdict, errors = 0, isPending }: GateResult): boolean {
  return verdict === 'none' && errors === 0 && isPending !== true;
}

function noDataOf(rollout: Rollout, gate: Gate): NoData {
  return gate.noData ?? rollout.plan.noData;
}

interface Asked {
  readonly gate: Gate;
  readonly result: GateResult;
}

/** Without those that only report. */
function decidingGates(rollout: Rollout): readonly Asked[] {
  return askedGates(rollout).filter(({ gate }) => gate.dryRun !== true);
}

function askedGates(rollout: Rollout): readonly Asked[] {
  return rollout.plan.gates
    .filter((gate) => isAsked(gate, rollout))
    .flatMap((gate) => {
      const result = rollout.gates.find(({ name }) => name === gate.name);
      return result === undefined ? [] : [{ gate, result }];
    });
}

/** A gate that names no step is asked at all of them at which it can have an answer. */
export function isAsked(gate: Gate, { plan, step }: Rollout): boolean {
  const { at, from } = gate;
  const progress = plan.steps[step]?.progress;
  if (progress === undefined) {
    return at === undefined && from === undefined;
  }
  const isNamed =
    (at === undefined || at.includes(progress)) && (from === undefined || progress >= from);
  return isNamed && !isStarved(gate, plan, step);
}

/** True where the gate judges by requests and the canary gets none. */
function isStarved(gate: Gate, plan: RolloutPlan, step: number): boolean {
  return kindOf(gate).needsRequests === true && !givesTraffic(plan, step);
}

function unasked(rollout: Rollout, gate: Gate, { nowMs }: Evidence): GateResult {
  const isHungry = isStarved(gate, rollout.plan, rollout.step);
  const when = isHungry ? 'once requests reach the canary' : whenAsked(gate).join(', ');
  const previous = rollout.gates.find(({ name }) => name === gate.name);
  return {
    name: gate.name,
    dryRun: gate.dryRun,
    limit: previous?.limit,
    verdict: 'none',
    samples: 0,
    text: `asked ${when}`,
    failures: previous?.failures ?? 0,
    judgedUntilMs: previous?.judgedUntilMs ?? 0,
    memory: previous?.memory,
    partMemories: previous?.partMemories,
    atMs: nowMs,
  };
}
