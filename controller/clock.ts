/**
 * The clock of a running controller. It reads the wall once, at the start, and goes on by the monotonic
 * clock: an administrator or NTP that sets the time can then neither end a bake early nor stretch it.
 * The price is that a controller that runs for months shows its machine's drift in its own times.
 */
import type { Clock } from './loop/ports.js';

/** Node's timers hold 31 bits; a longer delay would fire at once. */
const timerMaxMs = 2 ** 31 - 1;

/**
 * A clock whose timers never keep the process alive: what runs is kept up by its servers, and what has
 * stopped must not wait for a bake time to end.
 */
export function createClock(): Clock {
  const startMs = Date.now() - performance.now();
  return {
    now: () => Math.round(startMs + performance.now()),
    after: (delayMs, callback) => startTimer(performance.now() + Math.max(0, delayMs), callback),
  };
}

/** Calls `callback` once `performance.now()` has reached `dueMs`, and never before. */
function startTimer(dueMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = () => {
    const restMs = dueMs - performance.now();
    timer = setTimeout(
      () => {
        // Timers may fire a fraction of a millisecond early, and long ones go in several pieces.
        if (performance.now() < dueMs) {
          arm();
        } else {
          callback();
        }
      },
      Math.min(timerMaxMs, Math.ceil(Math.max(0, restMs))),
    );
    timer.unref();
  };
  arm();
  return () => clearTimeout(timer);
}
