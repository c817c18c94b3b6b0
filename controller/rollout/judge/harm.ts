/**
 * Evidence of harm: how much better a bet that the canary is worse would have done than fair odds, one
 * factor a block. Each factor has a mean of at most 1 while the canary is no worse, so their product is an
 * e-process: by Ville's inequality it reaches 1/α with probability at most α, however often one looks.
 *
 * - Without a margin the pooled hits of a block are taken as given (Lindon and Malek, "Anytime-Valid
 *   Inference for Multinomial Count Data", NeurIPS 2022). Under equal rates each is the canary's with
 *   probability θ₀ = n_c/(n_c+n_b); the bet r says r·n_c/(r·n_c+n_b). What both arms suffer cancels. At
 *   high rates the canary's part is hypergeometric, which is less variable than the binomial, so that the
 *   mean of the convex factor stays at most 1 (Hoeffding, 1963, theorem 4).
 * - With a margin δ the null is p_c ≤ p_b + δ, and the factor is the likelihood ratio of the bet to the
 *   point of the null nearest to it (Turner, Ly and Grünwald, "Generic E-variables for Exact Sequential
 *   k-Sample Tests", 2024, theorem 1 for convex nulls). Its mean is A^n_c·B^n_b with A and B linear in
 *   the rates; by the inequality of means it is at most 1 where n_c·A + n_b·B ≤ n_c + n_b, which is the
 *   condition for the nearest point of a convex set.
 * - Without a baseline the null is p_c ≤ limit, the plain likelihood ratio.
 */
import type { Block, Counts } from './counts.js';

/** How many times worse each bet takes the canary to be. */
export const harmBets = [1.5, 2, 3, 5, 10, 30] as const;

/** What the canary is held against; rates and the margin from 0 to 1. */
export type HarmNull =
  | { readonly kind: 'noWorse' }
  /** `baselineRate`: a guess made before the block; a bad one costs power and no validity. */
  | { readonly kind: 'margin'; readonly margin: number; readonly baselineRate: number }
  | { readonly kind: 'limit'; readonly limit: number };

/** The logarithm of one block's factor under the bet `ratio`. 0 where the block says nothing. */
export function logHarmFactor(
  { canary, baseline }: Block,
  harmNull: HarmNull,
  ratio: number,
): number {
  switch (harmNull.kind) {
    case 'noWorse':
      return conditionalFactor(canary, baseline, ratio);
    case 'margin': {
      const bound = harmNull.baselineRate + harmNull.margin;
      const bet = { canary: Math.min(rateMax, ratio * bound), baseline: harmNull.baselineRate };
      return bet.canary <= bound || baseline.requests === 0
        ? 0
        : marginFactor({ canary, baseline }, harmNull.margin, bet);
    }
    case 'limit': {
      const bet = Math.min(rateMax, ratio * harmNull.limit);
      return bet <= harmNull.limit ? 0 : logRatio(canary, bet, harmNull.limit);
    }
  }
}

/** A bet on certainty would be lost for ever by a single answer. */
const rateMax = 0.999;

function conditionalFactor(canary: Counts, baseline: Counts, ratio: number): number {
  if (canary.requests === 0 || baseline.requests === 0) {
    return 0;
  }
  const fair = canary.requests / (canary.requests + baseline.requests);
  const bet = (ratio * canary.requests) / (ratio * canary.requests + baseline.requests);
  return canary.hits * Math.log(bet / fair) + baseline.hits * Math.log((1 - bet) / (1 - fair));
}

interface Rates {
  readonly canary: number;
  readonly baseline: number;
}

function marginFactor({ canary, baseline }: Block, margin: number, bet: Rates): number {
  const nearest = nearestNull(canary.requests, baseline.requests, margin, bet);
  return (
    logRatio(canary, bet.canary, nearest.canary) +
    logRatio(baseline, bet.baseline, nearest.baseline)
  );
}

/**
 * The rates p_c = p_b + margin nearest to `bet` by relative entropy, each arm by its requests. The slope
 * rises with p_b, so its zero is found by halving.
 */
function nearestNull(canaries: number, baselines: number, margin: number, bet: Rates): Rates {
  let low = Math.max(0, Math.min(bet.baseline, bet.canary - margin));
  let high = Math.max(bet.baseline, bet.canary - margin);
  for (let turn = 0; turn < 50; turn += 1) {
    const middle = (low + high) / 2;
    const slope =
      canaries * slopeAt(middle + margin, bet.canary) + baselines * slopeAt(middle, bet.baseline);
    if (slope < 0) {
      low = middle;
    } else {
      high = middle;
    }
  }
  const baseline = (low + high) / 2;
  return { canary: baseline + margin, baseline };
}

/** Slope of the relative entropy from `bet` to `rate`. */
function slopeAt(rate: number, bet: number): number {
  return (rate - bet) / (rate * (1 - rate));
}

/** How much likelier `counts` are at the rate `bet` than at `other`. */
function logRatio({ requests, hits }: Counts, bet: number, other: number): number {
  return (
    (hits === 0 ? 0 : hits * Math.log(bet / other)) +
    (requests - hits) * (Math.log1p(-bet) - Math.log1p(-other))
  );
}
