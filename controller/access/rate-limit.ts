/** So many times a minute for each key (an address, a person), and no more: guessing must be slow. */
import { forgetOldest } from '../base/forget-oldest.js';

export interface RateLimit {
  /** Counts one time; false where that is too many. */
  take(key: string, nowMs: number): boolean;
  /** True where the next would be too many; counts nothing. */
  isSpent(key: string, nowMs: number): boolean;
}

interface Window {
  readonly sinceMs: number;
  readonly count: number;
}

export const windowMs = 60_000;

/** Keys that are remembered: an attacker with many addresses must not fill the memory. */
const keysMax = 10_000;

export function createRateLimit(perMinute: number): RateLimit {
  /** In the order of their last change. */
  const windows = new Map<string, Window>();
  const windowOf = (key: string, nowMs: number): Window => {
    const known = windows.get(key);
    return known === undefined || nowMs - known.sinceMs >= windowMs
      ? { sinceMs: nowMs, count: 0 }
      : known;
  };
  return {
    isSpent: (key, nowMs) => windowOf(key, nowMs).count >= perMinute,
    take: (key, nowMs) => {
      const { sinceMs, count } = windowOf(key, nowMs);
      windows.delete(key);
      windows.set(key, { sinceMs, count: count + 1 });
      forgetOldest(windows, keysMax);
      return count < perMinute;
    },
  };
}
