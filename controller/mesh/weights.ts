/** Weights of a route's targets as shares of its traffic, in units of 1/10,000. */

/** All of a route's traffic. */
export const wholeWeight = 10_000;

/**
 * Shares of `weights` that sum to `wholeWeight`, by largest remainder, ties by place. Weights are finite
 * and not negative; where all are 0 so are the shares. Weights that already sum to the whole stay.
 */
export function normalizeWeights(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) {
    return weights.map(() => 0);
  }
  const exact = weights.map((weight) => (weight * wholeWeight) / total);
  const shares = exact.map(Math.floor);
  const left = wholeWeight - shares.reduce((sum, share) => sum + share, 0);
  const byRemainder = exact
    .map((share, index) => ({ index, remainder: share - Math.floor(share) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const { index } of byRemainder.slice(0, left)) {
    shares[index] = (shares[index] ?? 0) + 1;
  }
  return shares;
}
