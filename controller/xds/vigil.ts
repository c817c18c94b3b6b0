/**
 * When connections are looked at: every quarter of a second, and at once where the process is held up. What
 * keeps it busy below JavaScript, frames that make up no message, shows in nothing but the time that passes:
 * in a timer that comes late. It is asked for often while much comes in or somebody has just connected, and
 * seldom otherwise, since each time an idle process is woken.
 */
import type { Clock } from '../loop/ports.js';
import {
  alertMs,
  alertProbeMs,
  busyBytes,
  heldUpMs,
  inspectionMs,
  inspectionShareMax,
  quietProbeMs,
} from './limits.js';

export interface Vigil {
  /** Somebody has connected, of whom nothing is known yet. */
  alert(): void;
  end(): void;
}

/** Calls `inspect` from now on, which answers how many bytes have come since the last time. */
export function keepVigil(clock: Clock, inspect: () => number): Vigil {
  let nextMs = clock.now() + inspectionMs;
  /** Where the process is held up, the next look is not before this. */
  let earliestMs = 0;
  let alertUntilMs = 0;
  let cancel = (): void => {};
  const look = (nowMs: number): void => {
    const cameBytes = inspect();
    const endMs = clock.now();
    nextMs = endMs + inspectionMs;
    earliestMs = endMs + (endMs - nowMs) / inspectionShareMax;
    if (cameBytes > busyBytes) {
      alertUntilMs = endMs + alertMs;
    }
  };
  const wait = (): void => {
    const startMs = clock.now();
    const dueMs = startMs + (startMs < alertUntilMs ? alertProbeMs : quietProbeMs);
    cancel = clock.after(dueMs - startMs, () => {
      const nowMs = clock.now();
      const isHeldUp = nowMs - dueMs >= heldUpMs && nowMs >= earliestMs;
      if (nowMs >= nextMs || isHeldUp) {
        look(nowMs);
      }
      wait();
    });
  };
  wait();
  return {
    alert() {
      const nowMs = clock.now();
      const isNew = nowMs >= alertUntilMs;
      alertUntilMs = nowMs + alertMs;
      if (isNew) {
        cancel();
        wait();
      }
    },
    end: () => cancel(),
  };
}
