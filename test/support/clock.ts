/**
 * A clock that stands still until a test moves it. Timers run in the order of their time, and those of
 * one instant in the order in which they were set, so a test says exactly what has happened by when.
 */
import type { Clock } from '../../controller/loop/ports.js';

export interface ManualClock extends Clock {
  /** Moves on by `ms` and runs, one by one, every timer that falls due on the way, new ones too. */
  advance(ms: number): void;
  /** The time of day is set: timers wait as long as they would have. */
  jump(ms: number): void;
  /** How long each waiting timer has still to go, in milliseconds, the next one first. */
  waitingMs(): readonly number[];
}

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that shows `startMs` (milliseconds since 1970) until `advance` is called. */
export function manualClock(startMs = 1_700_000_000_000): ManualClock {
  let nowMs = startMs;
  let timers: readonly Timer[] = [];
  const remove = (timer: Timer): void => {
    timers = timers.filter((other) => other.callback !== timer.callback);
  };
  return {
    now: () => nowMs,
    after(delayMs, callback) {
      // Each its own, so that a timer is known again after a jump.
      const timer = { atMs: nowMs + Math.max(0, delayMs), callback: () => callback() };
      const later = timers.findIndex((other) => other.atMs > timer.atMs);
      timers = later < 0 ? [...timers, timer] : timers.toSpliced(later, 0, timer);
      return () => remove(timer);
    },
    advance(ms) {
      const untilMs = nowMs + ms;
      for (let next = timers[0]; next && next.atMs <= untilMs; next = timers[0]) {
        nowMs = next.atMs;
        remove(next);
        next.callback();
      }
      nowMs = untilMs;
    },
    jump(ms) {
      nowMs += ms;
      timers = timers.map((timer) => ({ ...timer, atMs: timer.atMs + ms }));
    },
    waitingMs: () => timers.map((timer) => timer.atMs - nowMs),
  };
}
