/** A time limit for work that can be aborted, measured by the clock that tests control. */
import { OpError } from '../base/op-error.js';
import type { Clock } from '../loop/ports.js';

export interface Deadline {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Ends the work early, as when the source stops. */
  readonly stop: AbortSignal;
}

/**
 * Runs `work`, whose signal fires when the time is up or `stop` fires; `work` must end soon after.
 * @throws OpError `git-timeout` where the time was up; else whatever `work` throws.
 */
export async function withDeadline<T>(
  { clock, timeoutMs, stop }: Deadline,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let isTimeUp = false;
  const cancel = clock.after(timeoutMs, () => {
    isTimeUp = true;
    controller.abort();
  });
  const onStop = (): void => controller.abort();
  stop.addEventListener('abort', onStop);
  try {
    stop.throwIfAborted();
    return await work(controller.signal);
  } catch (cause) {
    if (isTimeUp) {
      const message = `${what} took longer than ${timeoutMs / 1000} s and was ended`;
      throw new OpError('git-timeout', message, { cause });
    }
    throw cause;
  } finally {
    cancel();
    stop.removeEventListener('abort', onStop);
  }
}
