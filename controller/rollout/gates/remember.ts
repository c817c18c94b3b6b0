/**
 * The state of a sequential gate, brought up to now: each block of time is taken once, so that a look costs
 * what is new. After a restart a step's evidence starts over, as that of every gate does.
 */
import { type Block, blockMs, type Counts } from '../judge/counts.js';
import {
  enterStep,
  type JudgeSettings,
  type JudgeState,
  learn,
  look,
  newJudge,
} from '../judge/sequential.js';
import type { GateMemory } from '../rollout.js';
import { type Blocks, historyMaxMs } from '../sample-log.js';
import type { GateQuestion } from './kind.js';

/** What both arms did in each of `blocks`, by what covers nothing from before `noneBeforeMs`. */
export type CountBlocks = (blocks: Blocks, noneBeforeMs: number) => readonly Block[];

export function remember(
  { previous, evidence, fromMs }: Pick<GateQuestion, 'previous' | 'evidence' | 'fromMs'>,
  countBlocks: CountBlocks,
  settings: JudgeSettings,
): GateMemory {
  const known = previous?.memory ?? {
    judge: startJudge(countBlocks, fromMs),
    fromMs,
    untilMs: fromMs,
  };
  const start =
    known.fromMs === fromMs ? known : { judge: enterStep(known.judge), fromMs, untilMs: fromMs };
  const count = Math.max(0, Math.floor((evidence.nowMs - start.untilMs) / blockMs));
  if (count === 0) {
    return start;
  }
  const blocks = countBlocks({ fromMs: start.untilMs, blockMs, count }, fromMs);
  let { judge } = start;
  for (const block of blocks) {
    judge = lookAt(judge, block, settings);
  }
  return {
    judge,
    fromMs,
    untilMs: start.untilMs + count * blockMs,
  };
}

/** How the baseline's errors clumped before the rollout is what the first blocks are read by. */
function startJudge(countBlocks: CountBlocks, fromMs: number): JudgeState {
  const count = Math.floor(historyMaxMs / blockMs);
  const before = countBlocks({ fromMs: fromMs - count * blockMs, blockMs, count }, 0);
  const seen = before.map(({ baseline }): Counts => baseline);
  return learn(newJudge, seen);
}

/** A baseline that should be there and takes no request is none: the canary is held against its cap. */
function lookAt(judge: JudgeState, block: Block, settings: JudgeSettings): JudgeState {
  const isSeen = judge.baseline.requests + block.baseline.requests > 0;
  return look(judge, block, { ...settings, hasBaseline: settings.hasBaseline && isSeen });
}
