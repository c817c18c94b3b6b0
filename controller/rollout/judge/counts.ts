/** What the sequential judge counts: requests, and those among them that went wrong, block by block. */

/** Requests of one arm in one block of time. */
export interface Counts {
  readonly requests: number;
  /** Of those, the ones that went wrong: errors, or answers slower than a bound. */
  readonly hits: number;
}

/** What both arms saw in the same block of time. */
export interface Block {
  readonly canary: Counts;
  readonly baseline: Counts;
}

/**
 * One look's length. Long enough that a burst of retries is one event and not many, short enough that a
 * broken release is caught within half a minute. Several blocks are looked at together where bursts are
 * longer (`dispersion.ts`).
 */
export const blockMs = 5000;

export const noCounts: Counts = { requests: 0, hits: 0 };

export function addCounts(left: Counts, right: Counts): Counts {
  return { requests: left.requests + right.requests, hits: left.hits + right.hits };
}

/** Hits per request; 0 where there was no request. */
export function rateOf({ requests, hits }: Counts): number {
  return requests === 0 ? 0 : hits / requests;
}
