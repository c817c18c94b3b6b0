/**
 * Which gates are to be asked now, and what. It follows from the rollouts alone: what is not among the
 * orders any more (the step was left, the rollout has ended or is paused) is not asked any more, and
 * its late answer finds no order.
 */
import { type Gate, isMeasured, type MeasuredGate } from '../../mesh/gates.js';
import type { Mesh } from '../../mesh/model.js';
import type { Rollout } from '../rollout.js';
import { kindOf } from './judge.js';
import type { MeasurementOrder } from './measurement.js';
import { questionOf } from './question.js';
import { isAsked } from './standing.js';

/** The orders of the measured gates that are asked at the step that `rollout` serves. */
export function measurementOrders(rollout: Rollout, mesh: Mesh): readonly MeasurementOrder[] {
  const { ackedAtMs, phase, plan, step } = rollout;
  const isLookedAt =
    phase === 'Baking' || phase === 'WaitingForApproval' || phase === 'WaitingForWindow';
  if (!isLookedAt || ackedAtMs === undefined || step < 0) {
    return [];
  }
  return plan.gates.filter(isMeasured).flatMap((gate) => {
    const question = isAsked(gate, rollout) ? questionOf(gate, rollout, mesh) : undefined;
    if (question === undefined || 'unbound' in question) {
      return [];
    }
    return [
      {
        id: orderId(rollout, gate),
        provider: gate.provider,
        question,
        // An answer reaches back as far as its window: none of that may be from before the step, nor
        // have been judged.
        notBeforeMs: Math.max(ackedAtMs, judgedUntil(gate, rollout) + 1) + windowOf(gate),
        intervalMs: gate.intervalMs,
        isDone: hasPassedForGood(gate, rollout),
        rollout: rollout.id,
        gate: gate.name,
      },
    ];
  });
}

/** Names the gate, the step and its acknowledgement: after a pause or a restart it is another one. */
export function orderId({ id, step, ackedAtMs }: Rollout, { name }: MeasuredGate): string {
  return `${id}/${step}/${ackedAtMs}/${name}`;
}

function windowOf(gate: Gate): number {
  return kindOf(gate).windowMs(gate);
}

function judgedUntil({ name }: MeasuredGate, { gates }: Rollout): number {
  return gates.find((result) => result.name === name)?.judgedUntilMs ?? 0;
}

function hasPassedForGood(gate: MeasuredGate, { gates }: Rollout): boolean {
  const verdict = gates.find(({ name }) => name === gate.name)?.verdict;
  return gate.kind === 'http' && gate.once && verdict === 'pass';
}
