/**
 * The xDS server as suites from outside meet it: the program `xds-target` in a process of its own, told
 * over HTTP what to serve, and a client that knows nothing of the server's insides. What must not come is
 * waited for, a moment, since there is no other way to see it from outside.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { present } from '../../controller/base/assert.js';
import { type HostPort, parseHostPort } from '../../controller/base/socket-address.js';
import type { ResourceType } from '../../controller/envoy/snapshot.js';
import {
  type DeltaMessage,
  type DeltaStream,
  type Received,
  type SotwMessage,
  type SotwStream,
  XdsClient,
} from './xds-client.js';

const program = fileURLToPath(new URL('../../controller/xds-target/main.js', import.meta.url));

/** How long nothing has to come. Everything that is due comes within a millisecond or two. */
const silenceMs = 150;

/** Characters of its log that are kept, the last ones. */
const saidMax = 16_384;

export interface TargetProcess {
  readonly xds: HostPort;
  readonly pid: number;
  /** Resolves once it is published. */
  serve(node: string, state: Readonly<Record<string, readonly string[]>>): Promise<void>;
  /** The status and JSON that `path` answers. */
  post(
    path: string,
    body?: string | Buffer,
  ): Promise<{ readonly status: number; readonly json: unknown }>;
  /** A client with a connection of its own, closed with the target. */
  client(): XdsClient;
  /** What it has said on stderr, the end of it. */
  said(): string;
  /**
   * Ends it as a supervisor does; the exit code.
   * @throws what it said, where it had ended by itself before.
   */
  stop(): Promise<number | null>;
}

/** Starts the program on free ports, with `args` besides. Throws with what it said where it ends. */
export async function startTarget(args: readonly string[] = []): Promise<TargetProcess> {
  const ports = ['--xds', '127.0.0.1:0', '--ctl', '127.0.0.1:0'];
  const child = spawn(process.execPath, [program, ...ports, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-saidMax);
  });
  // Not `exit`: only then has everything been read that it said.
  const exited = once(child, 'close');
  const line = once(createInterface(child.stdout), 'line') as Promise<[string]>;
  const first = await Promise.race([
    line,
    exited.then(([code]) => [`ended with ${code}: ${said}`]),
  ]);
  const [, xdsText = '', controlText = ''] =
    /^xds-target: xds (\S+) ctl (\S+)$/.exec(String(first[0])) ?? [];
  const xds = present(parseHostPort(xdsText), `an address in: ${first[0]}`);
  const clients: XdsClient[] = [];
  const post: TargetProcess['post'] = async (path, body) => {
    const response = await fetch(`http://${controlText}${path}`, { method: 'POST', body });
    return { status: response.status, json: await response.json() };
  };
  return {
    xds,
    pid: present(child.pid, 'the id of a process that runs'),
    said: () => said,
    post,
    async serve(node, state) {
      const { status, json } = await post('/state', JSON.stringify({ node, ...state }));
      if (status !== 200) {
        throw new Error(`/state answered ${status} ${JSON.stringify(json)}`);
      }
    },
    client() {
      const client = new XdsClient(xds);
      clients.push(client);
      return client;
    },
    async stop() {
      for (const client of clients) {
        client.close();
      }
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`xds-target had ended with ${child.exitCode ?? child.signalCode}: ${said}`);
      }
      child.kill('SIGTERM');
      const [code] = await exited;
      return code as number | null;
    },
  };
}

/** What is common to both variants: messages one by one, and none. */
abstract class Outsider<S extends SotwStream | DeltaStream> {
  readonly stream: S;
  private pending: Promise<Received> | undefined;

  constructor(stream: S) {
    this.stream = stream;
  }

  /** The next response, which has to be of `type`. It is not acknowledged. */
  async next(type: ResourceType): Promise<Received> {
    const response = await this.take();
    if (response.type !== type) {
      throw new Error(`expected a response of ${type}, got ${told(response)}`);
    }
    return response;
  }

  /** Fails where anything comes within a moment. */
  async silence(waitMs = silenceMs): Promise<void> {
    const response = this.take();
    this.pending = response;
    response.catch(() => {
      // Whoever waits for it next is told.
    });
    let timer: NodeJS.Timeout | undefined;
    const moment = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), waitMs);
    });
    const come = await Promise.race([response, moment]);
    clearTimeout(timer);
    if (come !== undefined) {
      throw new Error(`expected nothing, got ${told(come)}`);
    }
  }

  /** What was sent has arrived, though no answer says so: HTTP takes another way and may be quicker. */
  async arrived(): Promise<void> {
    await this.silence();
  }

  /** The client goes away without a word. */
  leave(): void {
    this.stream.raw.call.cancel();
  }

  private take(): Promise<Received> {
    const response = this.pending ?? this.stream.next();
    this.pending = undefined;
    return response;
  }
}

export class SotwOutsider extends Outsider<SotwStream> {
  private readonly wanted = new Map<ResourceType, readonly string[]>();
  private readonly newest = new Map<ResourceType, Received>();

  /** Asks for `names` from now on, with the version and nonce of what came last. */
  ask(type: ResourceType, names: readonly string[] = [], message: SotwMessage = {}): void {
    this.wanted.set(type, names);
    const newest = this.newest.get(type);
    this.stream.send(type, {
      resource_names: names,
      version_info: newest?.version,
      response_nonce: newest?.nonce,
      ...message,
    });
  }

  ack(response: Received): void {
    const type = present(response.type, 'type');
    this.newest.set(type, response);
    this.ask(type, this.wanted.get(type));
  }

  /** Refuses with the version from before, as clients do. */
  nack(response: Received): void {
    const type = present(response.type, 'type');
    this.ask(type, this.wanted.get(type), {
      response_nonce: response.nonce,
      error_detail: { code: 3, message: 'refused' },
    });
    this.newest.set(type, { ...response, version: this.newest.get(type)?.version ?? '' });
  }

  /** The next response, acknowledged. */
  async accept(type: ResourceType): Promise<Received> {
    const response = await this.next(type);
    this.ack(response);
    return response;
  }
}

export class DeltaOutsider extends Outsider<DeltaStream> {
  ask(type: ResourceType, names: readonly string[] = [], message: DeltaMessage = {}): void {
    this.stream.send(type, { resource_names_subscribe: names, ...message });
  }

  drop(type: ResourceType, names: readonly string[]): void {
    this.stream.send(type, { resource_names_unsubscribe: names });
  }

  ack(response: Received): void {
    this.stream.ack(response);
  }

  nack(response: Received): void {
    this.stream.nack(response);
  }

  async accept(type: ResourceType): Promise<Received> {
    const response = await this.next(type);
    this.ack(response);
    return response;
  }
}

function told({ typeUrl, version, names, removed }: Received): string {
  return `${typeUrl} at ${version} with [${names.join(', ')}], removed [${removed.join(', ')}]`;
}
