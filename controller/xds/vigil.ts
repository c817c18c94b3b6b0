/**
 * When connections are looked at: every quarter of a second, and at once where the process is held up. What
 * keeps it busy below JavaScript, frames that make up no message, shows in nothing but the time that passes.
 */
import type { Clock } from '../loop/ports.js';
import { heldUpMs, inspectionMs, inspectionShareMax, probeMs } from './limits.js';

/** Calls `inspect` from now on. The result ends that. */
export function keepVigil(clock: Clock, inspect: () => void): () => void {
  let nextMs = clock.now() + inspectionMs;
  /** Where the process is held up, the next look is not before this. */
  let earliestMs = 0;
  let cancel = (): void => {};
  const wait = (): void => {
    const dueMs = clock.now() + probeMs;
    cancel = clock.after(probeMs, () => {
      const nowMs = clock.now();
      const isHeldUp = nowMs - dueMs >= heldUpMs && nowMs >= earliestMs;
      if (nowMs >= nextMs || isHeldUp) {
        inspect();
        const endMs = clock.now();
        nextMs = endMs + inspectionMs;
        earliestMs = endMs + (endMs - nowMs) / inspectionShareMax;
      }
      wait();
    });
  };
  wait();
  return () => cancel();
}
