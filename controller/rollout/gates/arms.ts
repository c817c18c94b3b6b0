/**
 * The two arms of a rollout's step: whose answers are the canary's, and whose are those of what serves
 * beside it at the same time. For weights these are targets of the same routes; for a change of
 * configuration, proxies of the wave and proxies outside of it.
 */
import type { CompareGate } from '../../mesh/gates.js';
import { wholeWeight } from '../../mesh/weights.js';
import { isInWave, servedStep } from '../mix.js';
import type { SampleQuery } from '../sample-log.js';
import { judgedNodes } from '../scope.js';
import { gainingNodes, movingRoutes, weightProgress } from '../targets.js';
import type { GateQuestion } from './kind.js';

/** What one arm is counted by, without the time. */
export type ArmQuery = Omit<SampleQuery, 'fromMs'>;

export interface Arms {
  readonly canary: readonly ArmQuery[];
  readonly baseline: readonly ArmQuery[];
  /** What serves as the baseline before the rollout, and so tells what is usual. */
  readonly stable: readonly ArmQuery[];
  /** The part of the traffic that the step gives or copies to the canary, 0 to 1. */
  readonly share: number;
  /** False where the step leaves nothing beside the canary. */
  readonly hasBaseline: boolean;
}

type Question = Pick<GateQuestion, 'rollout' | 'evidence'>;

/**
 * `fromMs`: since when answers were looked for, where it must be known who saw them. `baseline`: which of
 * those that a step of weights may have.
 */
export function armsOf(
  question: Question,
  fromMs: number,
  baseline: CompareGate['baseline'] = 'stable',
): Arms {
  const step = servedStep(question.rollout);
  return step?.stage === 'weights' ? weightArms(question, baseline) : waveArms(question, fromMs);
}

/** Before the first weight there is nothing to split a baseline of its own from. */
function weightArms({ rollout }: Question, wanted: CompareGate['baseline']): Arms {
  const progress = weightProgress(rollout);
  const baseline = progress > 0 ? wanted : 'stable';
  const copied = (servedStep(rollout)?.mirror?.percent ?? 0) / 100;
  const gaining = new Set(gainingNodes(rollout.group));
  const routes = movingRoutes(rollout.group, progress);
  const shares = routes.map((targets) =>
    targets
      .filter(({ virtualNode }) => gaining.has(virtualNode))
      .reduce((sum, { served }) => sum + served / wholeWeight, 0),
  );
  const beside = routes.flat().filter(({ virtualNode }) => !gaining.has(virtualNode));
  const nodes = [...new Set(beside.map(({ virtualNode }) => virtualNode))].sort();
  const stable = nodes.map((virtualNode) => egressOf(rollout.mesh, virtualNode));
  return {
    canary: [...gaining].map((virtualNode) => egressOf(rollout.mesh, virtualNode)),
    baseline:
      baseline === 'stable' ? stable : stable.map((query) => ({ ...query, role: 'baseline' })),
    stable,
    share: Math.max(copied, ...shares),
    hasBaseline: beside.some(({ served }) => served > 0),
  };
}

function egressOf(mesh: string, virtualNode: string): ArmQuery {
  return { mesh, virtualNode, direction: 'egress' };
}

function waveArms({ rollout, evidence }: Question, fromMs: number): Arms {
  const inside = (instance: string): boolean => isInWave(rollout, instance);
  const outside = (instance: string): boolean => !inside(instance);
  const seen = judgedNodes(rollout.group, evidence.mesh).map((virtualNode): ArmQuery => {
    const egress = egressOf(rollout.mesh, virtualNode);
    // A changed node's own proxy sees its answers too; a caller outside the wave would not count.
    const { issued } = evidence.load.total({ ...egress, fromMs, includes: inside });
    return issued > 0 ? egress : { ...egress, direction: 'ingress' };
  });
  return {
    canary: seen.map((query) => ({ ...query, includes: inside })),
    baseline: seen.map((query) => ({ ...query, includes: outside })),
    stable: seen,
    share: rollout.waveShare,
    hasBaseline: rollout.waveShare < 1,
  };
}
