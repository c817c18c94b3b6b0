/**
 * The gate `compare`: the canary against what serves beside it at the same time, by the sequential judge.
 * It fails once harm is proven and passes once safety is; before either there is no verdict.
 */
import type { CompareGate } from '../../mesh/gates.js';
import { gateWindowMaxMs } from '../../mesh/policy-defaults.js';
import { type Counts, noCounts } from '../judge/counts.js';
import { capAt } from '../judge/safety.js';
import type { JudgeSettings } from '../judge/sequential.js';
import { addLoads, type Blocks, type LoadHistory } from '../load-history.js';
import { type ArmQuery, type Arms, armsOf } from './arms.js';
import type { GateKind, GateQuestion, Judgement } from './kind.js';
import { type CountBlocks, remember } from './remember.js';
import { sequentialVerdict } from './sequential-verdict.js';
import { percent } from './text.js';

export const compare: GateKind<CompareGate> = {
  judge: judgeCompare,
  windowMs: () => gateWindowMaxMs,
  describe: ({ margin, alpha, maxRate }) => {
    const worse = margin === 0 ? 'no worse than' : `at most ${margin} points above`;
    const cap = maxRate === undefined ? "a bound by the step's share" : `${maxRate}%`;
    return `error rate ${worse} the baseline's (false alarm ≤ ${percent(alpha)}), proven below ${cap}`;
  },
};

function judgeCompare(question: GateQuestion<CompareGate>): Judgement {
  const { gate, evidence, fromMs } = question;
  const arms = armsOf(question, fromMs);
  const settings = settingsOf(gate, arms);
  const countBlocks: CountBlocks = (blocks, noneBeforeMs) => {
    const canary = countErrors(evidence.load, arms.canary, blocks, noneBeforeMs);
    const baseline = countErrors(evidence.load, arms.baseline, blocks, noneBeforeMs);
    return canary.map((counts, index) => ({
      canary: counts,
      baseline: baseline[index] ?? noCounts,
    }));
  };
  const memory = remember(question, countBlocks, settings);
  const windowMs = evidence.nowMs - fromMs;
  const { judge } = memory;
  return { ...sequentialVerdict({ metric: 'error rate', judge, settings, windowMs }), memory };
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
