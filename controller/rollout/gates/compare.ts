/**
 * The gate `compare`: the canary against what serves beside it at the same time, by the sequential judge.
 * It fails once harm is proven and passes once safety is; before either there is no verdict. Of latencies
 * it counts the answers that are slower than a bound which was fixed before they were seen.
 */
import { plural } from '../../base/plural.js';
import type { CompareGate } from '../../mesh/gates.js';
import { gateWindowMaxMs } from '../../mesh/policy-defaults.js';
import { type Block, blockMs, type Counts, noCounts } from '../judge/counts.js';
import { capAt } from '../judge/safety.js';
import type { JudgeSettings } from '../judge/sequential.js';
import { boundOf, countOf, type Latencies } from '../latency-history.js';
import { addLoads, type LoadHistory } from '../load-history.js';
import type { SlowBound } from '../rollout.js';
import { type Blocks, historyMaxMs, type SampleQuery } from '../sample-log.js';
import { type ArmQuery, type Arms, armsOf } from './arms.js';
import type { GateKind, GateQuestion, Judgement } from './kind.js';
import { type BlockSource, remember } from './remember.js';
import { sequentialVerdict } from './sequential-verdict.js';
import { percent } from './text.js';

export const compare: GateKind<CompareGate> = {
  needsRequests: true,
  judge: (question) =>
    question.gate.metric === 'latency' ? judgeLatency(question) : judgeErrors(question),
  windowMs: () => gateWindowMaxMs,
  describe: ({ metric, margin, alpha, maxRate }) => {
    const what = metric === 'latency' ? 'share of slow answers' : 'error rate';
    const worse = margin === 0 ? 'no worse than' : `at most ${margin} points above`;
    const cap = maxRate === undefined ? "a bound by the step's share" : `${maxRate}%`;
    return `${what} ${worse} the baseline's (false alarm ≤ ${percent(alpha)}), proven below ${cap}`;
  },
};

function judgeErrors(question: GateQuestion<CompareGate>): Judgement {
  const { load } = question.evidence;
  return judgeSeries(question, 'error rate', (arm, blocks, noneBeforeMs) =>
    countErrors(load, arm, blocks, noneBeforeMs),
  );
}

function judgeLatency(question: GateQuestion<CompareGate>): Judgement {
  const { latency } = question.evidence.load;
  const seen = latency.total(stableQueries(question));
  const bound = slowBound(question, seen);
  if (bound === undefined) {
    const count = countOf(seen);
    const text = `share of slow answers: ${count} of the ${boundSamplesMin} answers of the baseline that the bound is fixed by`;
    return { verdict: 'none', code: 'no-bound', samples: 0, text };
  }
  const fromMs = Math.max(question.fromMs, bound.fixedAtMs);
  const metric = `share slower than ${bound.ms}ms`;
  const judgement = judgeSeries({ ...question, fromMs }, metric, (arm, blocks, noneBeforeMs) => {
    const queries = arm.map((query) => ({ ...query, fromMs: noneBeforeMs }));
    return latency.slow(queries, bound.ms, blocks);
  });
  return { ...judgement, memory: judgement.memory && { ...judgement.memory, bound } };
}

function stableQueries(question: GateQuestion<CompareGate>): readonly SampleQuery[] {
  const fromMs = question.evidence.nowMs - historyMaxMs;
  return armsOf(question, question.fromMs).stable.map((query) => ({ ...query, fromMs }));
}

/** Answers of the baseline that the bound is fixed by: with fewer, its quantile is anybody's guess. */
const boundSamplesMin = 100;

/** Of the baseline's answers, one in a hundred at most is slower than the bound. */
const boundQuantile = 0.99;

/**
 * The bound of the rollout: that of the policy, else the bucket that the baseline's quantile falls in, once
 * and for all. What it is fixed by is not judged by it.
 */
function slowBound(
  { gate, evidence, previous }: GateQuestion<CompareGate>,
  baseline: Latencies,
): SlowBound | undefined {
  if (gate.slowerThanMs !== undefined) {
    return { ms: gate.slowerThanMs, fixedAtMs: 0 };
  }
  const ms = countOf(baseline) < boundSamplesMin ? undefined : boundOf(baseline, boundQuantile);
  return (
    previous?.memory?.bound ??
    (ms === undefined || ms === Infinity ? undefined : { ms, fixedAtMs: evidence.nowMs })
  );
}

type CountArm = (
  arm: readonly ArmQuery[],
  blocks: Blocks,
  noneBeforeMs: number,
) => readonly Counts[];

function judgeSeries(
  question: GateQuestion<CompareGate>,
  metric: string,
  countArm: CountArm,
): Judgement {
  const { gate, evidence, fromMs } = question;
  const arms = armsOf(question, fromMs, gate.baseline);
  const settings = settingsOf(gate, arms);
  const source: BlockSource = {
    arms: (blocks, noneBeforeMs) => {
      const baseline = countArm(arms.baseline, blocks, noneBeforeMs);
      return countArm(arms.canary, blocks, noneBeforeMs).map(
        (canary, index): Block => ({ canary, baseline: baseline[index] ?? noCounts }),
      );
    },
    stable: (blocks) => countArm(arms.stable, blocks, 0),
  };
  const memory = remember(question, source, settings);
  const windowMs = evidence.nowMs - fromMs;
  const verdict = sequentialVerdict({ metric, judge: memory.judge, settings, windowMs });
  const [uncounted = noCounts] =
    verdict.code === 'no-requests'
      ? countArm(arms.canary, { fromMs: memory.untilMs, blockMs, count: 1 }, fromMs)
      : [];
  return uncounted.requests === 0
    ? { ...verdict, memory }
    : { ...verdict, ...notYetCounted(metric, uncounted), memory };
}

/** A bake may be shorter than the block that its requests are counted in: they are no lack of data. */
function notYetCounted(metric: string, { requests }: Counts): Partial<Judgement> {
  const text = `${metric}: ${plural(requests, 'request')}, judged once ${blockMs / 1000}s of them are seen`;
  return { code: 'uncounted', isPending: true, samples: requests, text };
}

function settingsOf(gate: CompareGate, { share, hasBaseline }: Arms): JudgeSettings {
  return {
    alpha: gate.alpha,
    beta: gate.beta,
    margin: gate.margin / 100,
    cap: gate.maxRate === undefined ? capAt(share) : gate.maxRate / 100,
    hasBaseline,
  };
}

function countErrors(
  load: LoadHistory,
  arm: readonly ArmQuery[],
  blocks: Blocks,
  noneBeforeMs: number,
): readonly Counts[] {
  const series = arm.map((query) => load.blocks({ ...query, fromMs: noneBeforeMs }, blocks));
  return Array.from({ length: blocks.count }, (_, index) => {
    const { successes, errors } = addLoads(series.flatMap((totals) => totals[index] ?? []));
    return { requests: successes + errors, hits: errors };
  });
}
