/**
 * The gate `latency`: how long the canary's answers take at a quantile, against a bound or against what
 * serves beside it, by the histograms that proxies push. A plain threshold on a window: the sequential
 * test of latencies is `compare` with the metric `latency`.
 */
import { renderDuration } from '../../base/duration.js';
import type { LatencyGate } from '../../mesh/gates.js';
import { countOf, type Latencies, quantileOf } from '../latency-history.js';
import { type ArmQuery, armsOf } from './arms.js';
import type { GateKind, GateQuestion, Judgement } from './kind.js';
import { figure, samples } from './text.js';

export const latency: GateKind<LatencyGate> = {
  needsRequests: true,
  judge: judgeLatency,
  windowMs: (gate) => gate.windowMs,
  describe: ({ quantile, maxMs, maxRatioToBaseline, minRequests, windowMs }) => {
    const limits = [
      ...(maxMs === undefined ? [] : [renderMs(maxMs)]),
      ...(maxRatioToBaseline === undefined ? [] : [`${maxRatioToBaseline} × the baseline's`]),
    ];
    const needs = `at least ${minRequests} requests, ${renderDuration(windowMs)}`;
    return `${metricOf(quantile)} ≤ ${limits.join(' and ')} (${needs})`;
  },
};

function judgeLatency(question: GateQuestion<LatencyGate>): Judgement {
  const { gate, evidence } = question;
  const fromMs = Math.max(evidence.nowMs - gate.windowMs, question.fromMs);
  const arms = armsOf(question, fromMs);
  const load = (arm: readonly ArmQuery[]): Latencies =>
    evidence.load.latency.total(arm.map((query) => ({ ...query, fromMs })));
  const canary = load(arms.canary);
  const needsBaseline = gate.maxRatioToBaseline !== undefined && arms.hasBaseline;
  const baseline = needsBaseline ? load(arms.baseline) : undefined;
  return (
    missing(gate, 'the canary', canary) ??
    (baseline && missing(gate, 'the baseline', baseline)) ??
    against(gate, canary, baseline)
  );
}

/** No verdict where `latencies` of `whose` are too few for one. */
function missing(gate: LatencyGate, whose: string, latencies: Latencies): Judgement | undefined {
  const count = countOf(latencies);
  if (count >= gate.minRequests) {
    return undefined;
  }
  const seen = samples(count, 'requests', gate.windowMs);
  return {
    verdict: 'none',
    code: count === 0 ? 'no-latencies' : undefined,
    samples: count,
    limit: gate.maxMs,
    text: `${metricOf(gate.quantile)}: ${count} of ${gate.minRequests} requests of ${whose} needed (${seen})`,
  };
}

/** The stricter of both limits; at a step without a baseline the ratio has nothing to say. */
function against(gate: LatencyGate, canary: Latencies, baseline: Latencies | undefined): Judgement {
  const { quantile, maxMs = Infinity, maxRatioToBaseline = Infinity } = gate;
  const observedMs = quantileOf(canary, quantile) ?? 0;
  const baselineMs = baseline && quantileOf(baseline, quantile);
  const byRatioMs = baselineMs === undefined ? Infinity : baselineMs * maxRatioToBaseline;
  const limitMs = Math.min(maxMs, byRatioMs);
  const metric = metricOf(quantile);
  const count = countOf(canary);
  const common = { observed: shownMs(observedMs), samples: count };
  const seen = samples(count, 'requests', gate.windowMs);
  if (limitMs === Infinity) {
    const text = `${metric} ${renderMs(observedMs)}, with no baseline left to compare it with (${seen})`;
    return { ...common, verdict: 'pass', text };
  }
  const hasPassed = observedMs <= limitMs;
  const ratio =
    baselineMs !== undefined && byRatioMs <= maxMs
      ? `, ${maxRatioToBaseline} × the baseline's ${renderMs(baselineMs)}`
      : '';
  return {
    ...common,
    verdict: hasPassed ? 'pass' : 'fail',
    limit: shownMs(limitMs),
    text: figure({
      metric,
      observed: renderMs(observedMs),
      op: hasPassed ? '≤' : '>',
      limit: `${renderMs(limitMs)}${ratio}`,
      samples: seen,
    }),
  };
}

/** `p99`, `p99.9`. */
function metricOf(quantile: number): string {
  return `latency p${Math.round(quantile * 1e4) / 100}`;
}

/** JSON knows no infinity: above all bounds is an hour. */
function shownMs(ms: number): number {
  return Math.round(Math.min(ms, 3_600_000) * 10) / 10;
}

/** `12.5ms`. */
function renderMs(ms: number): string {
  return ms === Infinity ? 'more than 1h' : `${shownMs(ms)}ms`;
}
