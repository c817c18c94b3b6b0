/** The answers that judge a rollout, from the load reports of the proxies that saw them. */
import { addLoads, type LoadTotal } from '../load-history.js';
import { armsOf } from './arms.js';
import type { GateQuestion } from './kind.js';

/**
 * Answers of the canaries since `fromMs`; for a change of configuration, answers that proxies of the wave
 * saw. Only reports that cover nothing from before are counted.
 */
export function canaryLoad(
  question: Pick<GateQuestion, 'rollout' | 'evidence'>,
  fromMs: number,
): LoadTotal {
  const { load } = question.evidence;
  return addLoads(armsOf(question, fromMs).canary.map((query) => load.total({ ...query, fromMs })));
}
