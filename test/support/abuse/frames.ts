/**
 * HTTP/2 frame by frame over a bare socket (RFC 9113, header blocks by RFC 7541), for peers that no HTTP/2
 * library plays: what is written here keeps to nothing but the layout of frames.
 */
import { connect, type Socket } from 'node:net';
import type { SocketAddress } from '../../../controller/envoy/snapshot.js';

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = { ack: 1, endStream: 1, endHeaders: 4 } as const;

/** One frame: 9 bytes of header (length, type, flags, stream) and the payload. */
export function rawFrame(
  type: number,
  payload: Uint8Array = Buffer.alloc(0),
  { flags = 0, stream = 0 }: { readonly flags?: number; readonly stream?: number } = {},
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** SETTINGS with `entries` of identifier and value. */
export function settingsFrame(entries: readonly (readonly [number, number])[] = []): Buffer {
  const payload = entries.map(([id, value]) =>
    Buffer.concat([Buffer.from([0, id]), uint32(value)]),
  );
  return rawFrame(frameType.settings, Buffer.concat(payload));
}

export const initialWindowSize = 4;

/** A header that is written out (RFC 7541 section 6.2), kept in the peer's table where `isKept`. */
export function literal(name: string, value: string, isKept = false): Buffer {
  const first = Buffer.from([isKept ? 0x40 : 0x00]);
  return Buffer.concat([first, text(name), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([integer(bytes.length), bytes]);
}

/** An integer after a first byte that leaves seven bits to it (RFC 7541 section 5.1). */
function integer(value: number): Buffer {
  const most = 127;
  if (value < most) {
    return Buffer.from([value]);
  }
  const bytes = [most];
  let rest = value - most;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

/** The header block of a gRPC call of `path`. */
export function grpcHeaders(path: string): Buffer {
  return Buffer.concat([
    literal(':method', 'POST'),
    literal(':scheme', 'http'),
    literal(':path', path),
    literal(':authority', 'headgate.internal'),
    literal('content-type', 'application/grpc'),
    literal('te', 'trailers'),
  ]);
}

/** A connection whose other end may cut it at any time. */
export interface RawPeer {
  readonly socket: Socket;
  /** Resolves once the bytes have left, or never will. */
  write(bytes: Uint8Array): Promise<void>;
  isOpen(): boolean;
  /** Resolves once it is closed. */
  closed(): Promise<void>;
}

/** Connects and says hello, with `settings`. Nothing that comes is read where `isDeaf`. */
export async function connectRaw(
  { address, port }: SocketAddress,
  {
    settings = settingsFrame(),
    isDeaf = false,
  }: { readonly settings?: Buffer; readonly isDeaf?: boolean } = {},
): Promise<RawPeer> {
  const socket = connect({ host: address, port, noDelay: true });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {
    // Being cut is what these peers ask for.
  });
  await Promise.race([new Promise((resolve) => socket.once('connect', resolve)), closed]);
  if (!isDeaf) {
    socket.resume();
  }
  const peer: RawPeer = {
    socket,
    async write(bytes) {
      if (socket.writable && !socket.write(bytes)) {
        await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
      }
    },
    isOpen: () => !socket.destroyed && socket.writable,
    closed: () => closed,
  };
  await peer.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings]));
  return peer;
}
