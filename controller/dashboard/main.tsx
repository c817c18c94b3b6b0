/** The dashboard's beginning. */
import { render } from 'preact';
import { App } from './app.tsx';
import { begin } from './begin.ts';

const place = document.getElementById('app');
if (place !== null) {
  render(<App />, place);
  void begin();
}
