/**
 * Evidence of safety: bets that the canary's rate is well below `cap`, against the null that it is at
 * least that (the same kind of e-process as in `harm.ts`). A step may be left once the evidence is 1/β:
 * a canary that is at or above the cap gets there with probability at most β. With no hit it takes at
 * most ln(4/β)/cap requests, which is what stands in place of a minimum of requests.
 */
import type { Counts } from './counts.js';

/** Rates of the bets in parts of the cap. */
export const safetyBets = [0, 0.1, 0.25, 0.5] as const;

/** Stands for certainty that a bet is lost, in a form that JSON has. */
const lost = -1e6;

/** The logarithm of one block's factor under the bet that the rate is `part` of `cap`. */
export function logSafetyFactor({ requests, hits }: Counts, cap: number, part: number): number {
  const rate = part * cap;
  if (hits > 0 && rate === 0) {
    return lost;
  }
  const perHit = hits === 0 ? 0 : hits * Math.log(part);
  return Math.max(lost, perHit + (requests - hits) * (Math.log1p(-rate) - Math.log1p(-cap)));
}

/**
 * The cap of a step that sends `share` (0 to 1) of the traffic to the canary: what it may lose is one
 * request in a hundred of the whole, so the bound tightens as more users see it. At most 20 %, at least
 * 2 %, below which proof would take longer than people wait.
 */
export function capAt(share: number): number {
  return Math.max(0.02, Math.min(0.2, 0.01 / share));
}
