/** The demo's page: the dashboard, and before its pages one with the story on it. */
import { render } from 'preact';
import { App, type ExtraPage } from '../dashboard/app.tsx';
import { begin } from '../dashboard/begin.ts';
import { DemoView } from './demo-view.tsx';
import { startStory } from './story.ts';

const page: ExtraPage = { name: 'Demo', path: '/demo', part: 'demo', View: DemoView };

const place = document.getElementById('app');
if (place !== null) {
  render(<App extra={page} />, place);
  startStory();
  void begin();
}
