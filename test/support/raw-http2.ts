/**
 * gRPC by hand over node:http2, for peers that no gRPC library plays: ones that never read, that ping
 * without end, that vanish.
 */
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { createServer, type Server, Socket } from 'node:net';

interface Target {
  readonly address: string;
  readonly port: number;
}

export async function openSession(
  { address, port }: Target,
  {
    socket,
    ...settings
  }: {
    readonly initialWindowSize?: number;
    /** Undefined: one of its own. */
    readonly socket?: Socket;
  } = {},
): Promise<ClientHttp2Session> {
  const session = connect(`http://${address}:${port}`, {
    settings,
    // Of our side, in MB: what waits here for the other end must not end streams.
    maxSessionMemory: 1_000,
    createConnection: socket && (() => socket),
  });
  session.on('error', () => {
    // Tests that break connections expect it.
  });
  await once(session, 'connect');
  return session;
}

/** Opens a gRPC stream; nobody reads it unless the test does. */
export function openStream(
  session: ClientHttp2Session,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): ClientHttp2Stream {
  const grpc = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc' };
  const stream = session.request({ ...grpc, te: 'trailers', ...headers }, { endStream: false });
  stream.on('error', () => {
    // Ended from the other side.
  });
  return stream;
}

/** `message` with gRPC's prefix: not compressed, its length. */
export function frame(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export interface Relay {
  readonly target: Target;
  /** From now on nothing passes in either direction, and nobody is told: a cable that was cut. */
  goDark(): void;
  /** Resets every connection. */
  reset(): void;
  close(): Promise<void>;
}

/** A TCP relay to `target` that can lose connections as networks do. */
export async function startRelay(target: Target): Promise<Relay> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const server: Server = createServer((client) => {
    const upstream = new Socket().connect(target.port, target.address);
    pairs.add([client, upstream]);
    client.pipe(upstream);
    upstream.pipe(client);
    for (const socket of [client, upstream]) {
      socket.on('error', () => {
        // One side going takes the other with it.
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    target: { address: '127.0.0.1', port },
    goDark() {
      for (const [client, upstream] of pairs) {
        client.unpipe(upstream);
        upstream.unpipe(client);
        client.pause();
        upstream.pause();
      }
    },
    reset() {
      for (const [client, upstream] of pairs) {
        upstream.resetAndDestroy();
        client.destroy();
      }
    },
    async close() {
      for (const pair of pairs) {
        for (const socket of pair) {
          socket.destroy();
        }
      }
      server.close();
      await once(server, 'close');
    },
  };
}
