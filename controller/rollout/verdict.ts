/**
 * Verdicts: pass, fail or none, each with the figures it was reached by. Gates only measure; what a
 * measurement means is decided here, so that thresholds can be tested by script. A verdict rests on
 * load reports that cover nothing from before the step was acknowledged.
 */
import { assertNever } from '../base/assert.js';
import { renderDuration } from '../base/duration.js';
import { pairMemo } from '../base/memo.js';
import type { Gate, Mesh, SuccessRateGate } from '../mesh/model.js';
import type { LoadHistory, LoadTotal } from './load-history.js';
import { isInWave, servedStep } from './mix.js';
import type { GateResult, Rollout, Verdict } from './rollout.js';
import { judgedNodes } from './scope.js';
import { gainingNodes } from './targets.js';

export interface Evidence {
  readonly load: LoadHistory;
  /** The desired mesh: which nodes answer for the changed configuration. */
  readonly mesh: Mesh;
  readonly nowMs: number;
}

/** The result of `gate` on what was seen since the step that `rollout` serves began to count. */
export function judge(rollout: Rollout, gate: Gate, evidence: Evidence): GateResult {
  switch (gate.kind) {
    case 'successRate':
      return judgeSuccessRate(rollout, gate, evidence);
    default:
      return assertNever(gate.kind);
  }
}

function judgeSuccessRate(rollout: Rollout, gate: SuccessRateGate, evidence: Evidence): GateResult {
  const previous = rollout.gates.find((result) => result.name === gate.name);
  const judgedUntilMs = previous?.judgedUntilMs ?? 0;
  const countsFromMs = rollout.ackedAtMs ?? rollout.stepEnteredAtMs;
  const fromMs = Math.max(evidence.nowMs - gate.windowMs, countsFromMs, judgedUntilMs);
  const { successes, errors } = measure(rollout, evidence, fromMs);
  const answered = successes + errors;
  const verdict = verdictOf(gate, successes, errors);
  if (verdict === 'none' && previous?.verdict === 'fail') {
    // Too little was seen since it failed to say otherwise: no data must not pass for better data.
    return previous;
  }
  const rate = answered === 0 ? undefined : (successes / answered) * 100;
  const samplesText = `${answered} requests, ${renderDuration(gate.windowMs)}`;
  return {
    name: gate.name,
    verdict,
    observed: rate === undefined ? undefined : Math.round(rate * 100) / 100,
    limit: gate.min,
    samples: answered,
    text:
      verdict === 'none' || rate === undefined
        ? `success rate: ${answered} of ${gate.minRequests} requests needed (${samplesText})`
        : `success rate ${rate.toFixed(2)}% ${verdict === 'pass' ? '≥' : '<'} ${gate.min}% (${samplesText})`,
    failures: (previous?.failures ?? 0) + (verdict === 'fail' ? 1 : 0),
    judgedUntilMs: verdict === 'fail' ? evidence.nowMs : judgedUntilMs,
    atMs: evidence.nowMs,
  };
}

function verdictOf(gate: SuccessRateGate, successes: number, errors: number): Verdict {
  const answered = successes + errors;
  if (answered === 0 || answered < gate.minRequests) {
    return 'none';
  }
  return (successes / answered) * 100 >= gate.min ? 'pass' : 'fail';
}

/** Groups and meshes are immutable: whose answers judge is found once for each pair. */
const judgedOf = pairMemo(judgedNodes);

/** Answers of the canaries; for a change of configuration, answers that proxies of the wave saw. */
function measure(rollout: Rollout, evidence: Evidence, fromMs: number): LoadTotal {
  const step = servedStep(rollout);
  const isWeighted = step?.stage === 'weights';
  const nodes = isWeighted ? gainingNodes(rollout.group) : judgedOf(rollout.group, evidence.mesh);
  const includes = (instance: string): boolean => isInWave(rollout, instance);
  const totals = nodes.flatMap((virtualNode) => {
    const query = { mesh: rollout.mesh, virtualNode, fromMs };
    const egress = evidence.load.total({ ...query, direction: 'egress', includes });
    // A changed node's own proxy sees its answers too; a caller outside the wave would not count.
    const own = isWeighted || egress.issued > 0;
    return own ? [egress] : [evidence.load.total({ ...query, direction: 'ingress', includes })];
  });
  return {
    successes: totals.reduce((sum, total) => sum + total.successes, 0),
    errors: totals.reduce((sum, total) => sum + total.errors, 0),
    issued: totals.reduce((sum, total) => sum + total.issued, 0),
  };
}
