/**
 * gRPC clients that have xDS built in and need no proxy: grpc-js with its plug-in, in this process, and
 * Python's grpcio in one of its own. Both call the method of `named-grpc.ts` on `ratings.local`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, credentials, status } from '@grpc/grpc-js';
import type { SocketAddress } from '../../controller/envoy/snapshot.js';
import { namedMethod, plainBytes } from './named-grpc.js';
import { projectPath } from './project.js';

/** Who answered how often; an error is named by its status, as `UNAVAILABLE`. */
export type Answers = Readonly<Record<string, number>>;

export interface GrpcClient {
  /** The answers to `calls` calls, one after the other. */
  ask(calls: number): Promise<Answers>;
  stop(): Promise<void>;
}

export const ratingsTarget = 'xds:///ratings.local';

/** What gRPC reads of where its configuration comes from, as the node `web`. */
export function grpcBootstrap({ address, port }: SocketAddress): unknown {
  const server = { server_uri: `${address}:${port}`, channel_creds: [{ type: 'insecure' }] };
  return {
    xds_servers: [{ ...server, server_features: ['xds_v3'] }],
    node: { id: 'mesh/books/virtualNode/web', locality: {} },
  };
}

let registered: Promise<void> | undefined;

/** Of grpc-js. A process has one configuration: every client after the first must be of the same server. */
export async function startGrpcJs(
  xds: SocketAddress,
  target: string = ratingsTarget,
): Promise<GrpcClient> {
  registered ??= registerXds(xds);
  await registered;
  const client = new Client(target, credentials.createInsecure());
  return {
    ask: async (calls) => {
      const answers: Record<string, number> = {};
      for (let call = 0; call < calls; call += 1) {
        const answer = await ask(client);
        answers[answer] = (answers[answer] ?? 0) + 1;
      }
      return answers;
    },
    stop: async () => client.close(),
  };
}

async function registerXds(xds: SocketAddress): Promise<void> {
  process.env.GRPC_XDS_BOOTSTRAP_CONFIG = JSON.stringify(grpcBootstrap(xds));
  // It reads the variable when it is loaded.
  const { register } = await import('@grpc/grpc-js-xds');
  register();
}

function ask(client: Client): Promise<string> {
  return new Promise((resolve) => {
    const deadline = { deadline: Date.now() + 10_000 };
    client.makeUnaryRequest(
      namedMethod,
      plainBytes.encode,
      plainBytes.decode,
      Buffer.alloc(0),
      deadline,
      (error, answer) => resolve(error === null ? String(answer) : (status[error.code] ?? '')),
    );
  });
}

/** Of grpcio, which stands in `HEADGATE_GRPCIO` or in Python's own path. */
export async function startGrpcio(xds: SocketAddress): Promise<GrpcClient> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-grpcio-'));
  const file = join(folder, 'bootstrap.json');
  await writeFile(file, JSON.stringify(grpcBootstrap(xds)));
  const { HEADGATE_GRPCIO: PYTHONPATH = '', ...rest } = process.env;
  const child = spawn('python3', [projectPath('test/support/grpcio-client.py')], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...rest, PYTHONPATH, GRPC_XDS_BOOTSTRAP: file, GRPC_VERBOSITY: 'ERROR' },
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  // What is written to one that has ended is told by its words below.
  child.stdin.on('error', () => {});
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    ask: async (calls) => {
      const order = { target: ratingsTarget, method: namedMethod, calls };
      child.stdin.write(`${JSON.stringify(order)}\n`);
      const { value, done } = await lines.next();
      if (done === true) {
        throw new Error(
          `the client ended (.ci/test installs the grpcio that it needs):\n${errors}`,
        );
      }
      return JSON.parse(value) as Answers;
    },
    stop: async () => {
      await endChild(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill();
    await exited;
  }
}
