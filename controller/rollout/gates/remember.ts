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

/** What was seen in each of `blocks`. */
export interface BlockSource {
  /** Of both arms, by what covers nothing from before `noneBeforeMs`. */
  readonly arms: (blocks: Blocks, noneBeforeMs: number) => readonly Block[];
  /** Of the stable version before the rollout. */
  readonly stable: (blocks: Blocks) => readonly Counts[];
}

export function remember(
  { previous, evidence, fromMs }: Pick<GateQuestion, 'previous' | 'evidence' | 'fromMs'>,
  source: BlockSource,
  settings: JudgeSettings,
): GateMemory {
  const known = previous?.memory ?? {
    judge: startJudge(source, fromMs),
    fromMs,
    untilMs: fromMs,
  };
  const start =
    known.fromMs === fromMs ? known : { judge: enterStep(known.judge), fromMs, untilMs: fromMs };
  const count = Math.max(0, Math.floor((evidence.nowMs - start.untilMs) / blockMs));
  if (count === 0) {
    return start;
  }
  const blocks = source.arms({ fromMs: start.untilMs, blockMs, count }, fromMs);
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

/** How the stable version's errors clumped before the rollout is what the first blocks are read by. */
function startJudge(source: BlockSource, fromMs: number): JudgeState {
  const count = Math.floor(historyMaxMs / blockMs);
  return learn(newJudge, source.stable({ fromMs: fromMs - count * blockMs, blockMs, count }));
}

/** A baseline that should be there and takes no request is none: the canary is held against its cap. */
function lookAt(judge: JudgeState, block: Block, settings: JudgeSettings): JudgeState {
  const isSeen = judge.baseline.requests + block.baseline.requests > 0;
  return look(judge, block, { ...settings, hasBaseline: settings.hasBaseline && isSeen });
}
