/** The API on a real port, over the state that a script made, with a history kept in memory. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Access } from '../../controller/access/access.js';
import {
  type Api,
  type ApiOptions,
  type ApiTimeouts,
  createApi,
} from '../../controller/api/api.js';
import type { ReadyCheck } from '../../controller/api/routes.js';
import { type HostPort, renderHostPort } from '../../controller/base/socket-address.js';
import { createClock } from '../../controller/clock.js';
import type { LoopEvent } from '../../controller/loop/events.js';
import type { HistoryEntry, ProxyStatus, Store } from '../../controller/loop/ports.js';
import { createMetrics, type MetricSources } from '../../controller/telemetry/metrics.js';
import { ScriptedLoop } from '../rollout/scripted-loop.js';
import { type RecordingLogger, recordingLogger } from '../support/recording-logger.js';

type CommandEvent = Extract<LoopEvent, { kind: 'command' }>;

export interface RunningApi {
  readonly loop: ScriptedLoop;
  readonly address: HostPort;
  readonly url: string;
  readonly logger: RecordingLogger;
  /** What was asked of the loop. */
  readonly commands: Omit<CommandEvent, 'kind'>[];
  /** Newest last. */
  readonly history: HistoryEntry[];
  readonly proxies: ProxyStatus[];
  readonly checks: ReadyCheck[];
  /** When a hook asked for a poll. */
  readonly polls: number[];
  /** Of which repository; undefined: of all. */
  readonly polled: readonly (string | undefined)[];
  /** Runs lines of the script and tells the API. */
  run(...lines: readonly string[]): void;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** The body of a GET, which must be the JSON of a `T`. */
  json<T>(path: string): Promise<T>;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Sends `text` as it is and resolves with all that comes back until the socket closes. */
  raw(text: string): Promise<string>;
  api: Api;
  /** Tells the API and the metrics that `loop.state` is another one. */
  stateChanged(): void;
  stop(): Promise<void>;
}

/** What metrics ask of the xDS server, the sinks and the certificates, where there are none. */
export const quietSources: Omit<MetricSources, 'version' | 'moment' | 'ready'> = {
  events: () => [],
  xds: {
    refusals: () => new Map([['node', 2]]),
    sent: () => [],
    streams: () => new Map(),
    snapshotBytes: () => new Map(),
  },
  sinks: () => [],
  lostLines: () => 0,
  certificates: () => [],
};

/** Every provider but Bitbucket. */
export const hookSecrets = { github: 'hub', gitlab: 'lab', gitea: 'tea', generic: 'any' } as const;

export interface RunOptions {
  readonly timeouts?: ApiTimeouts;
  /** Undefined: nobody is asked who they are. */
  readonly access?: Access;
  /** When the script begins; undefined: on 1 January 2026. */
  readonly startMs?: number;
  readonly proxyResources?: ApiOptions['proxyResources'];
  /** Undefined: one controller is alone. */
  readonly replicas?: ApiOptions['replicas'];
  /** Undefined: any free one. */
  readonly port?: number;
}

export async function runApi(
  lines: readonly string[] = [],
  options: RunOptions = {},
): Promise<RunningApi> {
  const loop = new ScriptedLoop();
  loop.nowMs = options.startMs ?? loop.nowMs;
  for (const line of lines) {
    loop.run(line);
  }
  const commands: Omit<CommandEvent, 'kind'>[] = [];
  const { history } = loop;
  const proxies: ProxyStatus[] = [];
  const checks: ReadyCheck[] = [];
  const polls: number[] = [];
  const polled: (string | undefined)[] = [];
  const logger = recordingLogger();
  const { after } = createClock();
  const metrics = createMetrics({
    ...quietSources,
    version: '1.2.3',
    moment: () => ({ state: loop.state, proxies, nowMs: loop.nowMs }),
    ready: () => checks,
  });
  let seen = loop.state;
  const api = createApi({
    listen: { address: '127.0.0.1', port: options.port ?? 0 },
    state: () => loop.state,
    metrics: metrics.scrape,
    version: '1.2.3',
    proxies: () => proxies,
    ready: () => checks,
    replicas: options.replicas,
    history: (query) => Promise.resolve(pageOf(history, query)),
    access: options.access ?? new Access({ tokens: [], secret: 'test' }),
    proxyResources: options.proxyResources ?? (() => undefined),
    revisions: { newest: () => undefined, find: () => Promise.resolve(undefined) },
    command: async (command) => {
      commands.push(command);
      const text = loop.run(`${command.command} ${command.rollout} ${command.reason}`);
      const refusal = /^ {2}= (404|409) (.*)$/m.exec(text);
      return refusal === null
        ? { ok: true, rollout: command.rollout }
        : { ok: false, status: refusal[1] === '404' ? 404 : 409, message: refusal[2] ?? '' };
    },
    hooks: {
      secrets: hookSecrets,
      repositories: new Map([
        ['base', {}],
        ['payments', { github: 'of payments alone' }],
      ]),
      pollNow: (repository) => {
        polls.push(loop.nowMs);
        polled.push(repository);
      },
    },
    clock: { now: () => loop.nowMs, after },
    logger,
    timeouts: options.timeouts,
  });
  const changed = (): void => {
    metrics.moved(seen, loop.state, loop.nowMs);
    seen = loop.state;
    api.stateChanged(loop.state);
  };
  const address = await api.start();
  const url = `http://${renderHostPort(address)}`;
  return {
    ...{ loop, address, url, logger, commands, history, proxies, checks, polls, polled, api },
    run: (...more) => {
      for (const line of more) {
        loop.run(line);
        changed();
      }
    },
    stateChanged: changed,
    get: (path, headers = {}) => fetch(`${url}${path}`, { headers }),
    json: async <T>(path: string) => (await (await fetch(`${url}${path}`)).json()) as T,
    post: (path, body, headers = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    raw: (text) => sendRaw(address, text),
    stop: () => api.stop(1000),
  };
}

function pageOf(
  history: readonly HistoryEntry[],
  { kind, before, limit }: Parameters<Store['history']>[0],
) {
  return history
    .map((entry, index) => ({ ...entry, id: index + 1 }))
    .filter((entry) => kind === undefined || entry.kind === kind)
    .filter((entry) => before === undefined || entry.id < before)
    .reverse()
    .slice(0, limit);
}

async function sendRaw({ address, port }: HostPort, text: string): Promise<string> {
  const socket = connect(port, address);
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes.toString();
  });
  // A refused body may end in a reset, after the answer.
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return answer;
}
