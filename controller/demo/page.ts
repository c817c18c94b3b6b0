/**
 * The demo's page: the dashboard with one view more, and the routes behind it. They are added to the
 * demo's own controller alone; `headgate serve` has neither.
 */
import { fileURLToPath } from 'node:url';
import type { RequestHandler } from 'express';
import type { PageOptions } from '../api/dashboard-files.js';
import { get, route, shown } from '../api/request.js';
import { checkContentType, checkOrigin, HttpError } from '../api/safety.js';
import type { AnswerFeed } from './answer-feed.js';
import type { Controls } from './controls.js';
import type { DemoAction } from './view.js';

/** Where the page is, on the controller's own address. */
export const demoPath = '/demo';

/** Where `npm run build` puts the page, beside this compiled file's folder. */
const folder = fileURLToPath(new URL('../demo-page', import.meta.url));

const actions: readonly DemoAction[] = ['good', 'bad', 'break', 'revert', 'git', 'proxy'];

/** `controls` is asked when a button is pressed: it is made after the controller. */
export function demoPage(feed: AnswerFeed, controls: () => Controls | undefined): PageOptions {
  const press: RequestHandler = (request, response) => {
    const action = actions.find((one) => one === request.params.action);
    if (action === undefined) {
      throw new HttpError(404, 'not-found', `there is no button ${shown(request.params.action)}`);
    }
    const present = controls();
    const refusal = present === undefined ? 'the demo is being set up' : present.refusal(action);
    if (refusal !== undefined) {
      throw new HttpError(409, 'refused', refusal);
    }
    // What comes of it is on the board.
    void present?.press(action);
    response.status(202).json({});
  };
  return {
    folder,
    paths: [demoPath],
    addRoutes: (app, guard) => {
      get(app, '/api/demo/events', (request, response) => {
        if (feed.isFull() || request.method === 'HEAD') {
          throw new HttpError(503, 'too-many-streams', 'too many pages show the demo already');
        }
        feed.subscribe(response);
      });
      route(app, '/api/demo/press/:action', 'POST', [
        ...[checkOrigin, guard.operator, checkContentType, press],
      ]);
    },
  };
}
