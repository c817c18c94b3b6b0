/**
 * The gate `health`: which part of the canary's endpoints the proxies take for healthy, by their active
 * checks and by what outlier detection has put out.
 */
import { plural } from '../../base/plural.js';
import type { HealthGate } from '../../mesh/gates.js';
import { type HealthSample, healthMaxAgeMs } from '../health-history.js';
import { armsOf } from './arms.js';
import type { GateKind, GateQuestion, Judgement } from './kind.js';
import { figure, samples } from './text.js';

export const health: GateKind<HealthGate> = {
  judge: judgeHealth,
  windowMs: () => healthMaxAgeMs,
  describe: ({ min }) => `healthy endpoints ≥ ${min}%`,
};

function judgeHealth(question: GateQuestion<HealthGate>): Judgement {
  const { gate, evidence } = question;
  const fromMs = Math.max(evidence.nowMs - healthMaxAgeMs, question.fromMs);
  const seen = armsOf(question, fromMs).canary.flatMap((query) =>
    evidence.load.health.newestOf({ ...query, fromMs }),
  );
  const sum = (count: (sample: HealthSample) => number): number =>
    seen.reduce((total, sample) => total + count(sample), 0);
  if (seen.length === 0) {
    const text = 'healthy endpoints: no proxy has told of the canary since the step was taken';
    return { verdict: 'none', code: 'no-health', limit: gate.min, samples: 0, text };
  }
  const total = sum((sample) => sample.total);
  const ejected = sum((sample) => sample.ejected);
  const share = total === 0 ? 0 : (sum((sample) => sample.healthy) / total) * 100;
  const observed = Math.round(share * 100) / 100;
  const hasPassed = total > 0 && share >= gate.min;
  const put = ejected === 0 ? '' : `, ${ejected} ejected`;
  const proxies = plural(seen.length, 'proxy', 'proxies');
  const views = samples(
    total,
    `${total === 1 ? 'endpoint' : 'endpoints'} seen by ${proxies}${put}`,
    healthMaxAgeMs,
  );
  return {
    verdict: hasPassed ? 'pass' : 'fail',
    observed,
    limit: gate.min,
    samples: total,
    text: figure({
      metric: 'healthy endpoints',
      observed: `${observed}%`,
      op: hasPassed ? '≥' : '<',
      limit: `${gate.min}%`,
      samples: views,
    }),
  };
}
