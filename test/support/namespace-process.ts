/**
 * The process in a network namespace that `namespaces.ts` starts: it runs there what the test asks for, one
 * method at a time or several at once, over Node's IPC. It plays the parts of a task (applications, the
 * Envoy beside them, callers that know nothing of a proxy) and of the controller. When the test is gone
 * it ends, and with it all that it started.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, get, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import type { SocketAddress } from '../../controller/envoy/snapshot.js';
import { loadOverAds } from './ads-loading.js';
import { startHttpApp, startTcpApp } from './apps.js';
import { issueCertificate } from './certificates.js';
import { type RunningEnvoy, startEnvoy } from './envoy.js';
import { type ServedMesh, serveMesh } from './served-mesh.js';

/** An answer, or why there was none: then `status` is 0 and `error` says it. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly server?: string;
  readonly error?: string;
}

export interface Reply {
  readonly id: number;
  readonly value?: unknown;
  /** Why the request failed. */
  readonly error?: string;
}

/** What the application says of each request: its name and whom it sees calling. */
export interface AppAnswer {
  readonly name: string;
  readonly peer: string;
}

export type Methods = typeof methods;

const undo: (() => Promise<unknown>)[] = [];
const answers: Answer[] = [];
let mesh: ServedMesh | undefined;
let envoy: RunningEnvoy | undefined;
let endLoad: () => Promise<unknown> = async () => {};

const methods = {
  /** The output of a program. */
  async run(command: string, ...args: string[]): Promise<string> {
    return (await promisify(execFile)(command, args)).stdout;
  },

  async serveMesh(yaml: string, address: string): Promise<SocketAddress> {
    const served = await serveMesh(yaml, address);
    mesh = served;
    undo.push(() => served.stop());
    return served.xds;
  },

  /** Resolves when every proxy has acknowledged it. */
  async publish(yaml: string): Promise<void> {
    await mesh?.publish(yaml);
  },

  /** Resolves when it is live. */
  async startEnvoy(bootstrap: Readonly<Record<string, unknown>>, uid: number): Promise<void> {
    const running = await startEnvoy(bootstrap, { uid });
    envoy = running;
    undo.push(() => running.stop());
    await running.waitUntilLive();
  },

  /** As `loadOverAds`, where every port is free. */
  loadOverAds,

  async stopEnvoy(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await envoy?.stop(signal);
  },

  /** A counter or gauge of the Envoy; 0 where it has none of the name. */
  async stat(name: string): Promise<number> {
    const text = (await envoy?.admin(`/stats?filter=^${name}$`)) ?? '';
    return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
  },

  /** An application at every address of the namespace that answers with an `AppAnswer`. */
  async serveHttp(name: string, port: number): Promise<void> {
    const app = await startHttpApp(
      (request, response) => {
        const answer: AppAnswer = { name, peer: request.socket.remoteAddress ?? '' };
        response.end(JSON.stringify(answer));
      },
      { address: '0.0.0.0', port },
    );
    undo.push(() => app.stop());
  },

  /** One that speaks first, as a mail server or a database does, and then sends back what it gets. */
  async serveTcp(greeting: string, port: number): Promise<void> {
    const app = await startTcpApp(
      (socket) => {
        socket.write(greeting);
        socket.pipe(socket);
      },
      { address: '0.0.0.0', port },
    );
    undo.push(() => app.stop());
  },

  /** A TLS server whose certificate says `name`. */
  async serveTls(name: string, port: number): Promise<void> {
    const { chain, key } = await issueCertificate(`tls-${name}-${port}`, name);
    const pair = { cert: await readFile(chain), key: await readFile(key) };
    const server = createTlsServer(pair, (socket) => socket.on('error', () => socket.destroy()));
    server.listen(port, '0.0.0.0');
    await once(server, 'listening');
    undo.push(async () => server.close());
  },

  /** The name in the certificate that is shown at `host` to whoever asks for it, or why there is none. */
  async shownBy(host: string, port: number): Promise<string> {
    const socket = connectTls({ host, port, servername: host, rejectUnauthorized: false });
    try {
      await once(socket, 'secureConnect');
      return String(socket.getPeerCertificate().subject.CN);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      socket.destroy();
    }
  },

  /** The answers to `count` requests, one after the other. */
  async get(url: string, count = 1): Promise<readonly Answer[]> {
    const agent = new Agent({ keepAlive: true });
    const got: Answer[] = [];
    for (let sent = 0; sent < count; sent += 1) {
      got.push(await answerOf(url, agent));
    }
    agent.destroy();
    return got;
  },

  /** What a server that speaks first says, and what it says to `text`. */
  async converse(
    host: string,
    port: number,
    text: string,
  ): Promise<{ readonly greeting: string; readonly echo: string }> {
    const socket = connect(port, host).setEncoding('utf8');
    const heard = socket[Symbol.asyncIterator]();
    const greeting = String((await heard.next()).value ?? '');
    socket.end(text);
    let echo = '';
    for (let next = await heard.next(); next.done !== true; next = await heard.next()) {
      echo += String(next.value);
    }
    return { greeting, echo };
  },

  /** Sends requests over `callers` connections, without a pause, until `stopLoad`. */
  async startLoad(url: string, callers: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: callers });
    let isOn = true;
    const work = async () => {
      while (isOn) {
        answers.push(await answerOf(url, agent));
      }
    };
    const working = Promise.all(Array.from({ length: callers }, work));
    endLoad = async () => {
      isOn = false;
      await working;
      agent.destroy();
    };
  },

  /** The answers to the load so far. */
  async loadAnswers(): Promise<number> {
    return answers.length;
  },

  async stopLoad(): Promise<readonly Answer[]> {
    await endLoad();
    return answers.splice(0);
  },
};

function answerOf(url: string, agent: Agent): Promise<Answer> {
  return new Promise((resolve) => {
    const fail = (error: Error) => resolve({ status: 0, body: '', error: error.message });
    const sent = get(url, { agent, timeout: 10_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('error', fail);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, server: serverOf(response.headers) }),
      );
    });
    sent.on('error', fail);
    sent.on('timeout', () => sent.destroy(new Error('no answer within 10 s')));
  });
}

function serverOf(headers: IncomingHttpHeaders): string | undefined {
  return typeof headers.server === 'string' ? headers.server : undefined;
}

async function reply(request: {
  readonly id: number;
  readonly method: keyof Methods;
  readonly args: readonly unknown[];
}): Promise<void> {
  const { id, method, args } = request;
  try {
    const value = await (methods[method] as (...given: unknown[]) => Promise<unknown>)(...args);
    process.send?.({ id, value } satisfies Reply);
  } catch (error) {
    process.send?.({ id, error: String(error) } satisfies Reply);
  }
}

process.on('message', (message) => void reply(message as Parameters<typeof reply>[0]));
process.once('disconnect', async () => {
  for (const step of undo.reverse()) {
    await step();
  }
  process.exit();
});
