/**
 * The sequential judge: two e-processes over the blocks of a rollout. Pure and resumable: its state is
 * plain JSON and each block is taken once, in order, so that a look costs what is new and not what was.
 *
 * - **Harm** goes on over all steps of a rollout, since shares may change from block to block; it answers
 *   to one α for the whole rollout. It is a mixture over the bets and over the block at which the harm
 *   began (the weights 1/(t(t+1)) sum to 1; Shin, Ramdas and Rinaldo, "E-detectors", 2024), so that a
 *   canary which breaks after hours of health is not covered by them.
 * - **Safety** starts over at each step, as its cap is the step's.
 *
 * Log-factors are divided by φ of the blocks before (`dispersion.ts`); a power below 1 of a factor keeps
 * its mean at most 1. And no single block may say more than a third of what an alarm needs, so that one
 * burst, whatever its size, never is one.
 */
import { addCounts, type Block, type Counts, noCounts, rateOf } from './counts.js';
import {
  addBlock,
  type Dispersion,
  dispersionFactor,
  largestGroup,
  noDispersion,
} from './dispersion.js';
import { type HarmNull, harmBets, logHarmFactor } from './harm.js';
import { logSafetyFactor, safetyBets } from './safety.js';

/** Rates, margin and probabilities from 0 to 1. */
export interface JudgeSettings {
  /** Probability at most that a rollout whose canary is no worse is taken for harmful. */
  readonly alpha: number;
  /** Probability at most that a step is left whose canary's rate is at or above `cap`. */
  readonly beta: number;
  readonly margin: number;
  readonly cap: number;
  /** False where nothing serves beside the canary: it is then held against the cap alone. */
  readonly hasBaseline: boolean;
}

/** Everything that is known of the blocks so far; JSON. */
export interface JudgeState {
  /** Blocks that were taken in the whole rollout. */
  readonly blocks: number;
  /** Log of the wealth of each bet on harm, without what is yet to be put in. */
  readonly logHarm: readonly number[];
  /** Log of the wealth of each bet on safety, since the step began. */
  readonly logSafe: readonly number[];
  /** Since the step began. */
  readonly canary: Counts;
  readonly baseline: Counts;
  readonly canaryDispersion: Dispersion;
  readonly baselineDispersion: Dispersion;
}

/** Log of nothing, in a form that JSON has. */
const broke = -1e9;

export const newJudge: JudgeState = {
  blocks: 0,
  logHarm: harmBets.map(() => broke),
  logSafe: safetyBets.map(() => 0),
  canary: noCounts,
  baseline: noCounts,
  canaryDispersion: noDispersion,
  baselineDispersion: noDispersion,
};

/** `state` at the start of a step: what speaks for safety starts over. */
export function enterStep(state: JudgeState): JudgeState {
  return { ...state, logSafe: newJudge.logSafe, canary: noCounts, baseline: noCounts };
}

/** `state` with what the baseline did before the rollout: only how its hits clump is learned. */
export function learn(state: JudgeState, baseline: readonly Counts[]): JudgeState {
  // Groups of blocks before the first request say nothing, and are most of them for a new service.
  const first = baseline.findIndex(({ requests }) => requests > 0);
  const from = Math.floor(first / largestGroup) * largestGroup;
  return first < 0
    ? state
    : {
        ...state,
        baselineDispersion: baseline.slice(from).reduce(addBlock, state.baselineDispersion),
      };
}

/** `state` with one more block. */
export function look(state: JudgeState, block: Block, settings: JudgeSettings): JudgeState {
  const blocks = state.blocks + 1;
  const { canaryDispersion, baselineDispersion } = state;
  const factor = dispersionFactor(canaryDispersion, baselineDispersion);
  const harmNull = nullOf(state, settings);
  const mostOfBlock = Math.log(1 / settings.alpha) / 3;
  const stake = -Math.log(blocks * (blocks + 1));
  return {
    blocks,
    logHarm: state.logHarm.map((wealth, index) => {
      const gain = logHarmFactor(block, harmNull, harmBets[index] ?? 1) / factor;
      return Math.max(broke, addLogs(wealth, stake) + Math.min(mostOfBlock, gain));
    }),
    logSafe: state.logSafe.map((wealth, index) => {
      const gain = logSafetyFactor(block.canary, settings.cap, safetyBets[index] ?? 0) / factor;
      return Math.max(broke, wealth + gain);
    }),
    canary: addCounts(state.canary, block.canary),
    baseline: addCounts(state.baseline, block.baseline),
    canaryDispersion: addBlock(canaryDispersion, block.canary),
    baselineDispersion: settings.hasBaseline
      ? addBlock(baselineDispersion, block.baseline)
      : baselineDispersion,
  };
}

function nullOf({ baseline }: JudgeState, { margin, cap, hasBaseline }: JudgeSettings): HarmNull {
  if (!hasBaseline) {
    return { kind: 'limit', limit: cap };
  }
  if (margin === 0) {
    return { kind: 'noWorse' };
  }
  // Half a hit in one request more than was seen: a rate of 0 would be a bet on certainty.
  const seen = addCounts(baseline, { requests: 1, hits: 0.5 });
  return { kind: 'margin', margin, baselineRate: Math.min(0.5, rateOf(seen)) };
}

/** Evidence of harm: an alarm at 1/α. 1 says nothing. */
export function harmEvidence({ logHarm, blocks }: JudgeState): number {
  const kept = 1 / (blocks + 1);
  return meanOfLogs(logHarm) + kept;
}

/** Evidence of safety: enough at 1/β. */
export function safetyEvidence({ logSafe }: JudgeState): number {
  return meanOfLogs(logSafe);
}

/** How many hits there are to one event, at least 1. */
export function clumping({ canaryDispersion, baselineDispersion }: JudgeState): number {
  return dispersionFactor(canaryDispersion, baselineDispersion);
}

function meanOfLogs(logs: readonly number[]): number {
  return logs.reduce((sum, log) => sum + Math.exp(Math.min(log, logMax)), 0) / logs.length;
}

/** Beyond this a number would be infinite, which JSON has not. */
const logMax = 600;

function addLogs(left: number, right: number): number {
  const high = Math.max(left, right);
  return high + Math.log1p(Math.exp(Math.min(left, right) - high));
}
