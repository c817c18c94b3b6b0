/**
 * The HTTP server: health, metrics and the API, on a port of its own. It holds no policy: it shows the
 * state, and hands commands on. Its limits keep one client, slow or hostile, from costing the others.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import express from 'express';
import type { Access } from '../access/access.js';
import { errorText, OpError } from '../base/op-error.js';
import { type HostPort, renderHostPort } from '../base/socket-address.js';
import type { Clock, Logger } from '../loop/ports.js';
import type { LoopState } from '../loop/state.js';
import type { MemberView } from '../replicas/view.js';
import { addAccessRoutes, createGuard } from './access-routes.js';
import { addDashboard, type PageOptions } from './dashboard-files.js';
import { EventLog } from './event-log.js';
import { EventStream } from './event-stream.js';
import type { HookOptions } from './hooks.js';
import { RolloutHistory } from './rollout-history.js';
import { addRoutes, type RouteOptions } from './routes.js';
import { answerErrors, checkHost, secureHeaders } from './safety.js';
import type { Moment } from './view.js';

export interface ApiOptions
  extends Pick<
    RouteOptions,
    'command' | 'history' | 'metrics' | 'version' | 'ready' | 'proxyResources' | 'revisions'
  > {
  /** Port 0 takes any free one. */
  readonly listen: HostPort;
  readonly state: () => LoopState;
  readonly proxies: () => Moment['proxies'];
  /** Who leads and who is there; undefined: there is one controller. */
  readonly replicas?: () => MemberView;
  readonly hooks: Omit<HookOptions, 'logger'>;
  readonly access: Access;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timeouts?: ApiTimeouts;
  /** Undefined: the dashboard as it is. */
  readonly page?: PageOptions;
}

/** When a client that sends too slowly, or without end, is cut off. */
export interface ApiTimeouts {
  readonly headersMs: number;
  /** For headers and body together. A body that is too large is read to its end, or to this. */
  readonly requestMs: number;
  /** How often the other two are enforced. */
  readonly checkMs: number;
}

export interface Api {
  /** Listens; resolves with where. Throws an `OpError` `http-listen` where it cannot. */
  start(): Promise<HostPort>;
  /** Must be called with every new state: listeners are told what differs. */
  stateChanged(state: LoopState): void;
  /** Ends event streams at once and gives requests under way `drainMs` to end. */
  stop(drainMs: number): Promise<void>;
}

/** A request is a line, some headers and at most 64 KiB: whoever needs longer is not sending one. */
const defaultTimeouts: ApiTimeouts = { headersMs: 5_000, requestMs: 10_000, checkMs: 1_000 };

/**
 * An idle connection is kept for longer than load balancers keep theirs (AWS: 60 s), so that none of them
 * sends a request into one that is being closed.
 */
const idleMs = 65_000;

/** Where `npm run build` puts the page, beside this compiled file's folder. */
const dashboardFolder = fileURLToPath(new URL('../dashboard', import.meta.url));

const headerBytesMax = 16 * 1024;
const headersMax = 100;

/** Dashboards, scrapers and CLIs of a large team; each idle connection costs some kilobytes. */
const connectionsMax = 1024;

export function createApi(options: ApiOptions): Api {
  const { access, clock, logger } = options;
  const moment = (): Moment => ({
    state: options.state(),
    proxies: options.proxies(),
    nowMs: clock.now(),
    replicas: options.replicas?.(),
  });
  const log = new EventLog(clock.now());
  const events = new EventStream({ clock, log, moment });
  const rolloutHistory = new RolloutHistory();
  const command: ApiOptions['command'] = async (asked) => {
    const reply = await options.command(asked);
    logger.info('rollout.command', { ...asked, ...reply });
    return reply;
  };
  // Who comes through a proxy looks as if on this machine, so a name from outside needs sign-in.
  const publicName = access.methods.length > 0 ? access.publicUrl?.hostname : undefined;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(secureHeaders, checkHost(options.listen.address, publicName));
  const { page = { folder: dashboardFolder, paths: [], addRoutes: () => undefined } } = options;
  addDashboard(app, page);
  addAccessRoutes(app, { access, clock, logger });
  addRoutes(app, {
    ...{ ...options, command, moment, events, rolloutHistory },
    hooks: { ...options.hooks, logger },
    guard: createGuard({ access, clock, logger }),
    addPageRoutes: page.addRoutes,
  });
  app.use(answerErrors(logger));
  const timeouts = options.timeouts ?? defaultTimeouts;
  const server = createServer(
    {
      maxHeaderSize: headerBytesMax,
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: timeouts.checkMs,
    },
    app,
  );
  server.maxHeadersCount = headersMax;
  server.maxConnections = connectionsMax;
  return {
    start: () => listen(server, options.listen),
    stateChanged: (state) => {
      rolloutHistory.look(state, clock.now());
      events.stateChanged();
    },
    stop: async (drainMs) => {
      events.stop();
      await close(server, clock, drainMs);
    },
  };
}

function listen(server: Server, { address, port }: HostPort): Promise<HostPort> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const place = renderHostPort({ address, port });
      const message = `cannot listen for HTTP on ${place}: ${errorText(error)}`;
      const retry = { kind: 'stalled' } as const;
      reject(new OpError('http-listen', message, { cause: error, retry }));
    });
    server.listen({ host: address, port }, () => {
      const bound = server.address() as AddressInfo;
      resolve({ address: bound.address, port: bound.port });
    });
  });
}

async function close(server: Server, clock: Clock, drainMs: number): Promise<void> {
  if (!server.listening) {
    return;
  }
  const cancel = clock.after(drainMs, () => server.closeAllConnections());
  await new Promise((resolve) => server.close(resolve));
  cancel();
}
