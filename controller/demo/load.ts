/**
 * The demo's client: requests at a steady rate through an Envoy's egress listener, counted by the
 * version that answered. A request that gets no answer at all is a lost one: Headgate's promise is that
 * there are none, whatever is rolled out or back.
 */
import { Agent, request } from 'node:http';

export interface LoadCounts {
  readonly sent: number;
  /** Requests without an HTTP answer, or answered by Envoy itself for want of a route or an upstream. */
  readonly lost: number;
  /** Answers of 5xx by a service. */
  readonly errors: number;
  /** Answers by version. */
  readonly byVersion: Readonly<Record<string, number>>;
}

export interface LoadClient {
  /** Since the start, or since the last `reset`. */
  counts(): LoadCounts;
  reset(): void;
  /** What the newest lost request met, for a failure's message. */
  lastLoss(): string;
  /** Waits for the requests that are under way. */
  stop(): Promise<void>;
}

export interface LoadSettings {
  readonly port: number;
  /** The virtual service's name. */
  readonly host: string;
  /** Default: `/`. */
  readonly path?: string;
  readonly requestsPerSecond: number;
  /** Hears of each answer as it comes. */
  readonly onAnswer?: (answer: Answer) => void;
}

/** What became of one request; `lost`: no service answered it. */
export type Answer =
  | { readonly kind: 'answered'; readonly status: number; readonly version: string }
  | { readonly kind: 'lost'; readonly why: string };

const noCounts: LoadCounts = { sent: 0, lost: 0, errors: 0, byVersion: {} };

/** A request that takes longer is lost: the services answer at once. */
const requestTimeoutMs = 10_000;

export function startLoad(settings: LoadSettings): LoadClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const underWay = new Set<Promise<void>>();
  let counts = noCounts;
  let lastLoss = '';
  const sendOne = async (): Promise<void> => {
    const answer = await send(agent, settings);
    settings.onAnswer?.(answer);
    counts = { ...counts, sent: counts.sent + 1 };
    if (answer.kind === 'lost') {
      lastLoss = answer.why;
      counts = { ...counts, lost: counts.lost + 1 };
      return;
    }
    const { version } = answer;
    const byVersion = { ...counts.byVersion, [version]: (counts.byVersion[version] ?? 0) + 1 };
    counts = { ...counts, byVersion, errors: counts.errors + (answer.status >= 500 ? 1 : 0) };
  };
  const timer = setInterval(() => {
    const one = sendOne();
    underWay.add(one);
    one.finally(() => underWay.delete(one));
  }, 1000 / settings.requestsPerSecond);
  return {
    counts: () => counts,
    reset: () => {
      counts = noCounts;
    },
    lastLoss: () => lastLoss,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      agent.destroy();
    },
  };
}

function send(agent: Agent, { port, host, path }: LoadSettings): Promise<Answer> {
  return new Promise((resolve) => {
    const outgoing = request(
      { agent, host: '127.0.0.1', port, path, headers: { host }, timeout: requestTimeoutMs },
      (response) => {
        const version = response.headers['x-version'];
        const status = response.statusCode ?? 0;
        response.resume();
        response.once('error', (error) => resolve({ kind: 'lost', why: error.message }));
        response.once('end', () =>
          resolve(
            typeof version === 'string'
              ? { kind: 'answered', status, version }
              : { kind: 'lost', why: `Envoy itself answered ${status}` },
          ),
        );
      },
    );
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.once('error', (error) => resolve({ kind: 'lost', why: error.message }));
    outgoing.end();
  });
}
