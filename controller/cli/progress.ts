/** Progress of what takes long and cannot say how far it is: lines of talk, where a person sees them. */
import { printable, redacted } from '../base/printable.js';
import type { Io } from './io.js';

/** Most repositories are there before the first line. */
const intervalMs = 3_000;

/** What `work` gives. Every `everyMs` until then says that `what` goes on; never into a log or a pipe. */
export async function showElapsed<T>(
  what: string,
  io: Pick<Io, 'isTalkSeen' | 'say' | 'sayStyle'>,
  work: () => Promise<T>,
  everyMs = intervalMs,
): Promise<T> {
  if (!io.isTalkSeen) {
    return work();
  }
  const startedMs = performance.now();
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    io.say(io.sayStyle.dim(`${printable(redacted(what))}: ${seconds} s so far`));
  }, everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
