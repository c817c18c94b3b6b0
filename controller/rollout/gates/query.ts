/** The gate `query`: one number from a Prometheus-compatible server against its bounds. */
import { renderDuration } from '../../base/duration.js';
import type { QueryGate } from '../../mesh/gates.js';
import { compare, renderBounds, renderNumber } from './bounds.js';
import { judgeMeasured, misfit } from './judge-measured.js';
import type { GateKind, GateQuestion, Judgement } from './kind.js';
import { figure, samples } from './text.js';

export const query: GateKind<QueryGate> = {
  judge: judgeQuery,
  windowMs: (gate) => gate.windowMs,
  describe: ({ provider, query: text, windowMs, intervalMs, ...bounds }) =>
    `${provider} answers ${renderBounds(bounds)} to ${text} ` +
    `(window ${renderDuration(windowMs)}, every ${renderDuration(intervalMs)})`,
};

function judgeQuery(question: GateQuestion<QueryGate>): Judgement {
  const { gate } = question;
  return judgeMeasured(question, {
    metric: 'query',
    windowMs: gate.windowMs,
    limit: gate.max ?? gate.min,
    judge: (answer) => {
      const value = answer.kind === 'number' ? answer.value : misfit(answer);
      const { hasPassed, op, limit, bound } = compare(value, gate);
      const observed = renderNumber(value);
      const seen = samples(1, 'sample', gate.windowMs);
      return {
        verdict: hasPassed ? 'pass' : 'fail',
        observed: value,
        limit: bound,
        samples: 1,
        text: figure({ metric: 'query', observed, op, limit, samples: seen }),
      };
    },
  });
}
