/** The gate `successRate`: the share of the canary's answers that are no server errors. */
import { renderDuration } from '../../base/duration.js';
import type { SuccessRateGate } from '../../mesh/gates.js';
import { canaryLoad } from './canary-load.js';
import type { GateKind, GateQuestion, Judgement } from './kind.js';
import { figure, samples } from './text.js';

export const successRate: GateKind<SuccessRateGate> = {
  needsRequests: true,
  judge: judgeSuccessRate,
  windowMs: (gate) => gate.windowMs,
  describe: ({ min, minRequests, windowMs }) =>
    `success rate ≥ ${min}% (at least ${minRequests} requests, ${renderDuration(windowMs)})`,
};

function judgeSuccessRate(question: GateQuestion<SuccessRateGate>): Judgement {
  const { gate, evidence } = question;
  const fromMs = Math.max(evidence.nowMs - gate.windowMs, question.fromMs);
  const { successes, errors } = canaryLoad(question, fromMs);
  const answered = successes + errors;
  const seen = samples(answered, 'requests', gate.windowMs);
  const common = { limit: gate.min, samples: answered };
  const rate = (successes / answered) * 100;
  const observed = answered === 0 ? undefined : Math.round(rate * 100) / 100;
  if (observed === undefined || answered < gate.minRequests) {
    const text = `success rate: ${answered} of ${gate.minRequests} requests needed (${seen})`;
    return { ...common, verdict: 'none', observed, text };
  }
  const hasPassed = rate >= gate.min;
  return {
    ...common,
    verdict: hasPassed ? 'pass' : 'fail',
    observed,
    text: figure({
      metric: 'success rate',
      observed: `${rate.toFixed(2)}%`,
      op: hasPassed ? '≥' : '<',
      limit: `${gate.min}%`,
      samples: seen,
    }),
  };
}
