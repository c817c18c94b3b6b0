/** Attacks with gRPC streams and messages: too large, never finished, never read, never meant. */
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { encodeMessage } from '../../../controller/envoy/encode.js';
import { frame, openSession, openStream } from '../raw-http2.js';
import { adsPath, type DeltaMessage, type SotwMessage, typeUrl } from '../xds-client.js';
import { type Attack, countEnd, pause, stopped, type Tally } from './attack.js';

interface Peer {
  readonly socket: Socket;
  readonly session: ClientHttp2Session;
  /** Opens a stream whose end is counted. What comes on it is thrown away, or never read where `isDeaf`. */
  stream(options?: {
    readonly path?: string;
    readonly isDeaf?: boolean;
    readonly headers?: Readonly<Record<string, string>>;
  }): ClientHttp2Stream;
}

/** Plays `each` on `peers` connections, again and again on a new one whenever it ends. */
function peers(
  count: number,
  each: (peer: Peer, stop: AbortSignal, tally: Tally) => Promise<void>,
  options: { readonly initialWindowSize?: number } = {},
): Attack['play'] {
  return async (target, stop, tally) => {
    const one = async (): Promise<void> => {
      while (!stop.aborted) {
        const socket = connect({ host: target.address, port: target.port });
        const session = await openSession(target, { ...options, socket }).catch(() => undefined);
        if (session === undefined) {
          await pause(50, stop);
          continue;
        }
        tally.connections += 1;
        const closed = new Promise((resolve) => session.once('close', resolve));
        const over = Promise.race([closed, stopped(stop)]);
        await Promise.race([each(peerOf(session, socket, tally), stop, tally), over]);
        await over;
        if (!stop.aborted) {
          tally.cut += 1;
        }
        session.destroy();
        await pause(20, stop);
      }
    };
    await Promise.all(Array.from({ length: count }, one));
  };
}

function peerOf(session: ClientHttp2Session, socket: Socket, tally: Tally): Peer {
  return {
    session,
    socket,
    stream({ path = adsPath.sotw, isDeaf = false, headers = {} } = {}) {
      const stream = openStream(session, path, headers);
      const count = (fields: Readonly<Record<string, unknown>>): void => {
        if (fields['grpc-status'] !== undefined) {
          countEnd(tally, String(fields['grpc-status']));
        }
      };
      stream.on('response', count);
      stream.on('trailers', count);
      stream.on('trailers', () => stream.end());
      if (!isDeaf) {
        stream.resume();
      }
      return stream;
    },
  };
}

function sotw(message: SotwMessage): Buffer {
  return frame(encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', message));
}

function delta(message: DeltaMessage): Buffer {
  return frame(encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', message));
}

/** Writes unless the stream is over; resolves once there is room for more. */
async function write(stream: ClientHttp2Stream, bytes: Buffer): Promise<void> {
  if (stream.writable && !stream.destroyed && !stream.write(bytes)) {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stream.off('drain', done);
        stream.off('close', done);
        resolve();
      };
      stream.on('drain', done);
      stream.on('close', done);
    });
  }
}

const streamsEach = 60;
const node = { id: 'node-00001' };
const clusters = sotw({ node, type_url: typeUrl('cluster') });

/** A stream after another, at most `streamsEach` at once and 100 a second, until the connection goes. */
async function streamAfterStream(
  peer: Peer,
  stop: AbortSignal,
  begin: (stream: ClientHttp2Stream) => Promise<void>,
  path: string = adsPath.sotw,
): Promise<void> {
  const open = new Set<ClientHttp2Stream>();
  while (!stop.aborted && !peer.session.closed) {
    if (open.size < streamsEach) {
      const stream = peer.stream({ path });
      open.add(stream);
      stream.on('close', () => open.delete(stream));
      await begin(stream);
    }
    await pause(10, stop);
  }
}

function manyNames(each: number): Attack['play'] {
  return peers(2, (peer, stop, tally) =>
    streamAfterStream(
      peer,
      stop,
      async (stream) => {
        const number = tally.sent;
        const names = Array.from({ length: each }, (_, index) => `name-${number}-${index}`);
        const type_url = typeUrl('route');
        await write(stream, delta({ node, type_url, resource_names_subscribe: names }));
        tally.sent += 1;
      },
      adsPath.delta,
    ),
  );
}

const mebibyte = 1024 * 1024;
const unpacked = 50 * mebibyte;

export const streamAttacks: readonly Attack[] = [
  {
    name: 'slow-readers',
    what: 'asks for everything and reads nothing',
    play: peers(100, async (peer, stop, tally) => {
      for (const type of ['cluster', 'endpoint', 'listener', 'route'] as const) {
        const stream = peer.stream({ path: adsPath.delta, isDeaf: true });
        await write(
          stream,
          delta({ node, type_url: typeUrl(type), resource_names_subscribe: ['*'] }),
        );
        tally.sent += 1;
      }
      await stopped(stop);
    }),
  },
  {
    name: 'slow-writers',
    what: 'messages of 8 MiB, all but the last byte, on every stream',
    play: peers(4, async (peer, stop, tally) => {
      const size = 8 * mebibyte - 16;
      const begun = frame(Buffer.alloc(size)).subarray(0, -1);
      await Promise.all(
        Array.from({ length: streamsEach }, async () => {
          const stream = peer.stream();
          await write(stream, clusters);
          for (let at = 0; at < begun.length && !stop.aborted; at += mebibyte) {
            await write(stream, begun.subarray(at, at + mebibyte));
            tally.sent += 1;
          }
        }),
      );
      await stopped(stop);
    }),
  },
  {
    name: 'drip-writers',
    what: 'a message of 8 MiB on every stream, one byte at a time',
    play: peers(4, async (peer, stop, tally) => {
      const streams = Array.from({ length: streamsEach }, () => peer.stream());
      const head = Buffer.alloc(5);
      head.writeUInt32BE(8 * mebibyte - 16, 1);
      for (const stream of streams) {
        await write(stream, Buffer.concat([clusters, head]));
      }
      while (!stop.aborted && !peer.session.destroyed) {
        await Promise.all(streams.map((stream) => write(stream, Buffer.alloc(1))));
        tally.sent += streams.length;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }),
  },
  {
    name: 'truncated',
    what: 'messages that break off, and the connection with them',
    play: peers(4, async (peer, _stop, tally) => {
      const stream = peer.stream();
      await write(stream, Buffer.concat([clusters, clusters.subarray(0, 20)]));
      tally.sent += 1;
      peer.socket.destroy();
    }),
  },
  {
    name: 'oversized',
    what: 'messages that say to be 4 GiB',
    play: peers(2, (peer, stop, tally) =>
      streamAfterStream(peer, stop, async (stream) => {
        const head = Buffer.alloc(5 + 64 * 1024);
        head.writeUInt32BE(0xffff_ffff, 1);
        await write(stream, head);
        tally.sent += 1;
      }),
    ),
  },
  {
    name: 'compressed-bomb',
    what: 'messages of 50 kB that unpack to 50 MiB',
    play: peers(2, (peer, stop, tally) =>
      streamAfterStream(
        {
          ...peer,
          stream: () => peer.stream({ headers: { 'grpc-encoding': 'gzip' } }),
        },
        stop,
        async (stream) => {
          await write(stream, bombMessage());
          tally.sent += 1;
        },
      ),
    ),
  },
  {
    name: 'many-names',
    what: 'asks for 100,000 names on every stream, others each time',
    play: manyNames(100_000),
  },
  {
    name: 'most-names',
    what: 'asks for as many names as it may (50,000) on every stream, others each time',
    play: manyNames(50_000),
  },
  {
    name: 'unknown-types',
    what: 'asks for types that nobody has, a new one each time',
    play: peers(2, async (peer, stop, tally) => {
      const stream = peer.stream();
      await write(stream, clusters);
      for (let number = 0; !stop.aborted && !stream.destroyed; number += 1) {
        await write(stream, sotw({ type_url: `type.googleapis.com/nobody.v${number}.Thing` }));
        tally.sent += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }),
  },
  {
    name: 'node-ids',
    what: 'streams of nodes that nobody knows, each with 1 MiB of metadata',
    play: peers(2, (peer, stop, tally) =>
      streamAfterStream(peer, stop, async (stream) => {
        const number = tally.sent;
        const fields = Array.from({ length: 1_000 }, (_, index) => [
          `key-${index}`,
          { stringValue: 'x'.repeat(1_000) },
        ]);
        const id = number % 10 === 0 ? '' : `stranger-${number}-${'x'.repeat(1_000)}`;
        await write(
          stream,
          sotw({
            node: { id, metadata: { fields: Object.fromEntries(fields) } },
            type_url: typeUrl('cluster'),
          }),
        );
        tally.sent += 1;
      }),
    ),
  },
  {
    name: 'asks-again',
    what: 'asks for all clusters again and again, as fast as it is answered',
    play: peers(2, async (peer, stop, tally) => {
      const stream = peer.stream();
      while (!stop.aborted && !stream.destroyed) {
        await write(stream, clusters);
        tally.sent += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }),
  },
  {
    name: 'connection-flood',
    what: 'connections that are opened and never used',
    play: peers(1_000, async (_peer, stop) => stopped(stop)),
  },
  {
    name: 'half-open',
    what: 'peers that go silent after their first request',
    play: peers(200, async (peer, stop, tally) => {
      await write(peer.stream({ isDeaf: true }), clusters);
      tally.sent += 1;
      peer.socket.pause();
      await stopped(stop);
    }),
  },
];

let bombBytes: Buffer | undefined;

function bombMessage(): Buffer {
  if (bombBytes === undefined) {
    bombBytes = frame(gzipSync(Buffer.alloc(unpacked)));
    bombBytes.writeUInt8(1, 0);
  }
  return bombBytes;
}
