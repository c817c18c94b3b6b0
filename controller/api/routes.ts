/**
 * The routes of the HTTP API, one line each, and what they read from a request. Whatever a client sends
 * is looked up, never followed: an id that is no key of the state is a 404, whatever it looks like.
 */
import { type Express, json, type Request, type Response } from 'express';
import { hintOfId } from '../base/nearest-name.js';
import { printable } from '../base/printable.js';
import type { CommandReply, LoopEvent } from '../loop/events.js';
import type { ProxyStatus } from '../loop/ports.js';
import type { RolloutCommand } from '../rollout/rollout.js';
import { type Guard, principalOf } from './access-routes.js';
import { addBrowseRoutes, type BrowseOptions } from './browse-routes.js';
import type { PageOptions } from './dashboard-files.js';
import type { EventStream } from './event-stream.js';
import { historyOfRollout, viewHistory, viewRevision } from './history-view.js';
import { type HookOptions, hookHandler } from './hooks.js';
import { openApiDocument } from './openapi.js';
import { viewProxy } from './proxy-view.js';
import { problemsIn } from './repository-view.js';
import { get, nameCharactersMax, pageOf, route, shown, textQuery } from './request.js';
import { viewRollout } from './rollout-view.js';
import { bodyBytesMax, checkContentType, checkOrigin, HttpError } from './safety.js';
import { type Moment, viewRollouts, viewStatus } from './view.js';

export interface RouteOptions extends BrowseOptions {
  /** The program's own. */
  readonly version: string;
  readonly command: (command: Omit<CommandEvent, 'kind'>) => Promise<CommandReply>;
  readonly ready: () => readonly ReadyCheck[];
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly events: EventStream;
  readonly hooks: HookOptions;
  readonly guard: Guard;
  readonly addPageRoutes: PageOptions['addRoutes'];
}

type CommandEvent = Extract<LoopEvent, { kind: 'command' }>;

/** One thing that must be so before the controller is ready. A Git outage is none: it still serves. */
export interface ReadyCheck {
  readonly name: string;
  readonly isOk: boolean;
}

const commands: readonly RolloutCommand[] = [
  'pause',
  'resume',
  'promote',
  'abort',
  'retry',
  'approve',
];

const reasonCharactersMax = 1000;

export function addRoutes(app: Express, options: RouteOptions): void {
  const { moment, history, events } = options;
  get(app, '/livez', (_request, response) => sendText(response, 200, 'ok\n'));
  get(app, '/readyz', (request, response) => answerReady(request, response, options.ready()));
  get(app, '/metrics', async (_request, response) => {
    const { contentType, text } = await options.metrics();
    response.type(contentType).send(text);
  });
  // Senders of webhooks prove themselves by their signature; whoever comes further shows who they are.
  route(app, '/api/v1/hooks/:provider', 'POST', [hookHandler(options.hooks)]);
  route(app, '/api/v1/hooks/:provider/:repository', 'POST', [hookHandler(options.hooks)]);
  app.use('/api', options.guard.viewer);
  get(app, '/api/v1/openapi.json', (_request, response) => {
    response.json(openApiDocument(options.version));
  });
  get(app, '/api/v1/status', (_request, response) => response.json(viewStatus(moment())));
  get(app, '/api/v1/rollouts', (_request, response) => {
    const { state, nowMs } = moment();
    response.json(viewRollouts(state, nowMs));
  });
  get(app, '/api/v1/rollouts/:id', (request, response) => {
    response.json(findRollout(request, moment()));
  });
  for (const command of commands) {
    route(app, `/api/v1/rollouts/:id/${command}`, 'POST', [
      checkOrigin,
      options.guard.operator,
      checkContentType,
      json({ limit: bodyBytesMax, inflate: false }),
      (request, response) => giveCommand(request, response, command, options),
    ]);
  }
  get(app, '/api/v1/proxies', (_request, response) => {
    response.json(moment().proxies.map(viewProxy));
  });
  get(app, '/api/v1/proxies/:id', (request, response) => {
    response.json(viewProxy(findProxy(request, moment())));
  });
  get(app, '/api/v1/problems', (_request, response) => {
    response.json(problemsIn(moment().state.durable));
  });
  get(app, '/api/v1/revisions', async (request, response) => {
    const entries = await history({ ...pageOf(request), kind: 'revision' });
    response.json(entries.map(viewRevision));
  });
  get(app, '/api/v1/history', async (request, response) => {
    const query = { ...pageOf(request), kind: textQuery(request, 'kind') };
    const rollout = textQuery(request, 'rollout');
    const entries =
      rollout === undefined
        ? (await history(query)).map(viewHistory)
        : await historyOfRollout(history, query, rollout);
    response.json(entries);
  });
  get(app, '/api/v1/events', (request, response) => {
    if (events.isFull()) {
      throw new HttpError(503, 'too-many-streams', 'too many clients listen to events already');
    }
    if (request.method === 'HEAD') {
      response.type('text/event-stream').end();
      return;
    }
    // A page that opens a stream anew cannot set the header, so it may say the same in the query.
    const lastId = request.headers['last-event-id'] ?? textQuery(request, 'lastEventId') ?? '';
    events.subscribe(response, {
      lastId: String(lastId),
      mesh: textQuery(request, 'mesh'),
      expiresAtMs: principalOf(response).expiresAtMs,
    });
  });
  addBrowseRoutes(app, options);
  options.addPageRoutes(app, options.guard);
  app.use((request) => {
    throw new HttpError(404, 'not-found', `there is nothing at ${shown(request.path)}`);
  });
}

function answerReady(request: Request, response: Response, checks: readonly ReadyCheck[]): void {
  const isReady = checks.every((check) => check.isOk);
  const lines = checks.map(({ name, isOk }) => (isOk ? `[+]${name} ok\n` : `[-]${name} failed\n`));
  const verdict = isReady ? 'ok\n' : 'not ready\n';
  const isVerbose = !isReady || request.query.verbose !== undefined;
  sendText(response, isReady ? 200 : 503, isVerbose ? `${lines.join('')}${verdict}` : verdict);
}

function sendText(response: Response, status: number, text: string): void {
  response.status(status).type('text/plain').send(text);
}

function findRollout(request: Request, { state, nowMs }: Moment) {
  const rollout = state.durable.rollouts.get(String(request.params.id));
  if (rollout === undefined) {
    const id = String(request.params.id);
    const hint = hintOfId(id, state.durable.rollouts.keys());
    throw new HttpError(404, 'unknown-rollout', `there is no rollout ${shown(id)}${hint}`);
  }
  return viewRollout(state, rollout, nowMs);
}

function findProxy(request: Request, { proxies }: Moment): ProxyStatus {
  const proxy = proxies.find(({ id }) => id === request.params.id);
  if (proxy === undefined) {
    const id = String(request.params.id);
    const hint = hintOfId(
      id,
      proxies.map((one) => one.id),
    );
    throw new HttpError(404, 'unknown-proxy', `there is no proxy ${shown(id)}${hint}`);
  }
  return proxy;
}

/** Answers with the rollout as it is after the command. */
async function giveCommand(
  request: Request,
  response: Response,
  command: RolloutCommand,
  options: RouteOptions,
): Promise<void> {
  const { id } = findRollout(request, options.moment());
  const { reason, by } = readCommandBody(request.body);
  const { name, via } = principalOf(response);
  // Where nobody is asked who they are, what they say of themselves is the best there is.
  const who = via === 'local' && by !== '' ? by : name;
  const reply = await options.command({ rollout: id, command, reason, by: who });
  if (!reply.ok) {
    const code = { 404: 'unknown-rollout', 409: 'conflict', 503: 'no-leader' }[reply.status];
    throw new HttpError(reply.status, code, reply.message);
  }
  response.json(findRollout(request, options.moment()));
}

function readCommandBody(body: unknown): { readonly reason: string; readonly by: string } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new HttpError(400, 'bad-json', 'the body is no JSON object');
  }
  const { reason = '', by = '', ...unknown }: Readonly<Record<string, unknown>> = { ...body };
  const names = Object.keys(unknown);
  if (names.length > 0) {
    const message = `the body has ${shown(names[0])}; known are "reason" and "by"`;
    throw new HttpError(400, 'unknown-field', message);
  }
  return {
    reason: readText('reason', reason, reasonCharactersMax),
    by: readText('by', by, nameCharactersMax),
  };
}

function readText(name: string, value: unknown, charactersMax: number): string {
  if (typeof value !== 'string' || value.length > charactersMax) {
    const message = `"${name}" is no text of at most ${charactersMax} characters`;
    throw new HttpError(400, 'bad-field', message);
  }
  return printable(value).trim();
}
