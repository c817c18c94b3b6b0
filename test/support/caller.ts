/** A client that calls when it is told to, and says which version answered. */
import { Agent, request } from 'node:http';

export interface Answer {
  readonly status: number;
  /** Of the header `x-version`; empty where no version answered. */
  readonly version: string;
  readonly setCookie: readonly string[];
}

export interface Call {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: GET. */
  readonly method?: string;
  readonly body?: string;
}

export interface Caller {
  call(what: Call): Promise<Answer>;
  /** The same call `count` times, several at once. */
  callMany(count: number, what: Call): Promise<readonly Answer[]>;
  stop(): void;
}

/** Calls `host` at `port` of this machine. */
export function startCaller({
  port,
  host,
}: {
  readonly port: number;
  readonly host: string;
}): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const call = ({ path, headers = {}, method = 'GET', body }: Call): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const options = { agent, host: '127.0.0.1', port, path, method };
      const outgoing = request({ ...options, headers: { host, ...headers } }, (response) => {
        response.resume();
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            version: String(response.headers['x-version'] ?? ''),
            setCookie: response.headers['set-cookie'] ?? [],
          }),
        );
      });
      outgoing.once('error', reject);
      outgoing.end(body);
    });
  return {
    call,
    callMany: (count, what) => Promise.all(Array.from({ length: count }, () => call(what))),
    stop: () => agent.destroy(),
  };
}
