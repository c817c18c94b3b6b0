/** What starts once the page is drawn: the stream, and who is looking. */
import { loadSession, session } from './api.ts';
import { startLive } from './live.ts';

/** Resolves when it is known who is looking: a controller that is starting answers soon. */
export async function begin(): Promise<void> {
  startLive();
  while (session.value === undefined) {
    await loadSession().catch(() => new Promise((resolve) => setTimeout(resolve, 1000)));
  }
}
