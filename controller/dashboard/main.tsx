/** The dashboard's beginning: who is looking, the stream, the page. */
import { render } from 'preact';
import { loadSession, session } from './api.ts';
import { App } from './app.tsx';
import { startLive } from './live.ts';

const place = document.getElementById('app');
if (place !== null) {
  render(<App />, place);
  startLive();
  void begin();
}

/** A controller that is starting answers soon. */
async function begin(): Promise<void> {
  while (session.value === undefined) {
    await loadSession().catch(() => new Promise((resolve) => setTimeout(resolve, 1000)));
  }
}
