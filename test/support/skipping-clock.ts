/** A clock that runs, of which a test may leave out a stretch instead of waiting for it. */
import { createClock } from '../../controller/clock.js';
import type { Clock } from '../../controller/loop/ports.js';

export interface SkippingClock extends Clock {
  /** It is `ms` later: what was due by then happens now, in its order, each timer once. */
  skip(ms: number): void;
}

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
  cancel(): void;
}

export function skippingClock(): SkippingClock {
  const clock = createClock();
  let skippedMs = 0;
  const timers = new Set<Timer>();
  const now = (): number => clock.now() + skippedMs;
  const run = (timer: Timer): void => {
    if (timers.delete(timer)) {
      timer.callback();
    }
  };
  const arm = (timer: Timer): void => {
    timer.cancel();
    timer.cancel = clock.after(timer.atMs - now(), () => run(timer));
  };
  return {
    now,
    after(delayMs, callback) {
      const timer = { atMs: now() + delayMs, callback, cancel() {} };
      timers.add(timer);
      arm(timer);
      return () => {
        timer.cancel();
        timers.delete(timer);
      };
    },
    skip(ms) {
      skippedMs += ms;
      for (const timer of [...timers].sort((a, b) => a.atMs - b.atMs)) {
        if (timer.atMs <= now()) {
          timer.cancel();
          run(timer);
        } else if (timers.has(timer)) {
          arm(timer);
        }
      }
    },
  };
}
