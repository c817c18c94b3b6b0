/**
 * The way back to a state that was served before and was good, without steps (`rollbackWindow`). What is
 * kept is an undo log: of each rollout that succeeded, what its resources were before it. Not good is a
 * state that was reached without its gates' word, and one that somebody has gone back from already.
 */
import type { RollbackWindow } from '../mesh/model.js';
import type { GoodState } from './rollout.js';

/** A rollout that succeeded, and what it replaced. */
export interface PastState {
  readonly rollout: string;
  /** The commit that it brought. */
  readonly revision: string;
  /** When it had succeeded: until then the state before it was served in full. */
  readonly atMs: number;
  /** How it came to its end: by its gates, without them, or as a way back itself. */
  readonly how: 'passed' | 'forced' | 'returned';
  /** False: it moved no traffic, and is no revision that counts. */
  readonly hasSteps: boolean;
  /** Content hashes of its resources before it, by key; null: not there. */
  readonly was: Readonly<Record<string, string | null>>;
}

/**
 * The good state that `wanted` (content by key) is, or undefined. `present` is what is applied of the same
 * keys; `past` are the rollouts that touched any of them, newest first.
 */
export function findGoodState(
  wanted: Readonly<Record<string, string | null>>,
  present: Readonly<Record<string, string | null>>,
  past: readonly PastState[],
  { revisions = Infinity, withinMs = Infinity }: RollbackWindow,
  nowMs: number,
): GoodState | undefined {
  const keys = Object.keys(wanted);
  const view = { ...present };
  let back = 0;
  for (const [index, left] of past.entries()) {
    for (const key of keys) {
      view[key] = key in left.was ? (left.was[key] ?? null) : (view[key] ?? null);
    }
    back += left.hasSteps ? 1 : 0;
    if (back > revisions || nowMs - left.atMs > withinMs) {
      return undefined;
    }
    const reached = past[index + 1];
    const isGood = left.how !== 'returned' && reached?.how !== 'forced';
    if (isGood && keys.every((key) => view[key] === wanted[key])) {
      return { revision: reached?.revision, back, untilMs: left.atMs };
    }
  }
  return undefined;
}
