/**
 * How much hits clump. Tests for counts take requests to fail one by one; in truth one event fails many
 * of them. φ, the ratio of the variance that was seen to that of independent failures (Pearson's χ²/df),
 * says how many hits there are to one event; log-factors are divided by it (McCullagh and Nelder,
 * "Generalized Linear Models", 1989, section 4.5: quasi-likelihood).
 *
 * The variance is taken from the differences of successive blocks (von Neumann, "Distribution of the
 * Ratio of the Mean Square Successive Difference", 1941), so that a rate which drifts, or is high for a
 * while for everybody, does not pass for clumping. It is taken over single blocks and over groups of
 * them, since a burst that lasts for several blocks looks even from one block to the next.
 */
import { addCounts, type Counts, noCounts, rateOf } from './counts.js';

/** The figures of one series of blocks at one scale; JSON. */
interface Scale {
  /** The blocks of the present group, and how many there are. */
  readonly filling: Counts;
  readonly filled: number;
  /** The last whole group. */
  readonly last?: Counts;
  /** The variance that was seen, summed over neighbouring groups, in hits. */
  readonly seen: number;
  /** The same where hits come one by one. */
  readonly expected: number;
}

/** One series of blocks of one arm. */
export type Dispersion = readonly Scale[];

/** Blocks in a group: single blocks of 5 seconds, and half minutes. */
const groupSizes = [1, 6] as const;

/** As many blocks as the largest group has, if all are empty, leave a new series as it is. */
export const largestGroup = Math.max(...groupSizes);

const emptyScale: Scale = { filling: noCounts, filled: 0, seen: 0, expected: 0 };

export const noDispersion: Dispersion = groupSizes.map(() => emptyScale);

/** `dispersion` with one more block at the end of its series. */
export function addBlock(dispersion: Dispersion, block: Counts): Dispersion {
  return dispersion.map((scale, index) => addTo(scale, block, groupSizes[index] ?? 1));
}

function addTo(scale: Scale, block: Counts, groupSize: number): Scale {
  const filling = addCounts(scale.filling, block);
  const filled = scale.filled + 1;
  if (filled < groupSize) {
    return { ...scale, filling, filled };
  }
  if (filling.requests === 0) {
    return { ...scale, filling: noCounts, filled: 0 };
  }
  const { last } = scale;
  const rest = { filling: noCounts, filled: 0, last: filling };
  if (last === undefined) {
    return { ...scale, ...rest };
  }
  const requests = filling.requests + last.requests;
  const difference = rateOf(filling) - rateOf(last);
  const rate = (filling.hits + last.hits) / requests;
  const variance = difference ** 2 / (1 / filling.requests + 1 / last.requests);
  return {
    ...rest,
    seen: scale.seen + (variance * requests) / 2,
    expected: scale.expected + (rate * (1 - rate) * requests) / 2,
  };
}

/**
 * φ: the larger of both scales over all `series` together, at least 1. Hits that came one by one are
 * added, so that two or three that happened to fall together do not count for a habit.
 */
export function dispersionFactor(...series: readonly Dispersion[]): number {
  const ratios = groupSizes.map((_, index) => {
    const scales = series.map((one) => one[index] ?? emptyScale);
    const seen = scales.reduce((sum, scale) => sum + scale.seen, evenHits);
    return seen / scales.reduce((sum, scale) => sum + scale.expected, evenHits);
  });
  return Math.max(1, ...ratios);
}

const evenHits = 3;
