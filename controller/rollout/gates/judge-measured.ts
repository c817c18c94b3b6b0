/** What gates that ask a provider have in common: when an answer counts, and what is said without one. */

import { printable } from '../../base/printable.js';
import type { MeasuredGate } from '../../mesh/gates.js';
import type { Rollout } from '../rollout.js';
import type { GateQuestion, Judgement } from './kind.js';
import type { Measured, Outcome } from './measurement.js';
import { questionOf } from './question.js';
import { renderTime } from './text.js';

export type Answer = Exclude<Outcome, { kind: 'noData' | 'error' }>;

export interface MeasuredKind {
  /** `query`. */
  readonly metric: string;
  /** How far back an answer reaches: what it speaks of must all be from after the acknowledgement. */
  readonly windowMs: number;
  readonly limit?: number;
  /** What `answer` means. */
  readonly judge: (answer: Answer) => Judgement;
}

export function judgeMeasured(
  { rollout, gate, evidence, fromMs, previous }: GateQuestion<MeasuredGate>,
  { metric, windowMs, limit, judge }: MeasuredKind,
): Judgement {
  const nothing = { verdict: 'none', limit, samples: 0 } as const;
  const question = questionOf(gate, rollout, evidence.mesh);
  if ('unbound' in question) {
    const text = `${metric}: {{ ${question.unbound} }} stands for nothing in this rollout`;
    return { ...nothing, code: 'gate-unbound', errors: 1, text };
  }
  const measured = evidence.measured(rollout, gate);
  const again = `${metric}: ${gate.provider} is asked again`;
  const first = `${metric}: ${gate.provider} is asked first ${firstTime(rollout, windowMs)}`;
  const judgedUntilMs = previous?.judgedUntilMs ?? 0;
  // What was asked by the moment of a failure, or of a resume, is what was judged then.
  if (measured === undefined || measured.askedAtMs <= judgedUntilMs) {
    return { ...nothing, isPending: true, text: judgedUntilMs > 0 ? again : first };
  }
  const { outcome } = measured;
  switch (outcome.kind) {
    case 'error':
      return {
        ...nothing,
        code: outcome.code,
        errors: measured.errorsInARow,
        text: errorText(metric, outcome.message, measured),
      };
    case 'noData':
      return {
        ...nothing,
        code: outcome.code,
        text: `${metric}: ${outcome.message} (at ${renderTime(measured.askedAtMs)})`,
      };
    default: {
      const reachesBackToMs = measured.askedAtMs - windowMs;
      if (outcome.kind === 'number' && Number.isNaN(outcome.value)) {
        // Within no bound and outside of none: it says nothing, whatever the provider's adapter let through.
        return { ...nothing, code: 'not-a-number', text: `${metric}: the answer is no number` };
      }
      const isOld = reachesBackToMs < fromMs || reachesBackToMs <= judgedUntilMs;
      return isOld ? { ...nothing, isPending: true, text: again } : judge(outcome);
    }
  }
}

function firstTime({ ackedAtMs }: Rollout, windowMs: number): string {
  return ackedAtMs === undefined
    ? 'when every proxy has acknowledged the step'
    : `at ${renderTime(ackedAtMs + windowMs)}`;
}

function errorText(metric: string, message: string, measured: Measured): string {
  const { errorsInARow, errorsSinceMs = measured.askedAtMs } = measured;
  const count = errorsInARow === 1 ? '1 error' : `${errorsInARow} errors in a row`;
  return `${metric}: ${printable(message)} (${count} since ${renderTime(errorsSinceMs)})`;
}

/** An answer that the kind has no use for: an adapter has mixed something up. */
export function misfit(answer: Answer): never {
  throw new Error(`assertion failed: a measurement of another kind: ${answer.kind}`);
}
