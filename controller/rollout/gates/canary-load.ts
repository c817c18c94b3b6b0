/** The answers that judge a rollout, from the load reports of the proxies that saw them. */
import { pairMemo } from '../../base/memo.js';
import type { LoadTotal } from '../load-history.js';
import { isInWave, servedStep } from '../mix.js';
import { judgedNodes } from '../scope.js';
import { gainingNodes } from '../targets.js';
import type { GateQuestion } from './kind.js';

/** Groups and meshes are immutable: whose answers judge is found once for each pair. */
const judgedOf = pairMemo(judgedNodes);

/**
 * Answers of the canaries since `fromMs`; for a change of configuration, answers that proxies of the wave
 * saw. Only reports that cover nothing from before are counted.
 */
export function canaryLoad(
  { rollout, evidence }: Pick<GateQuestion, 'rollout' | 'evidence'>,
  fromMs: number,
): LoadTotal {
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
