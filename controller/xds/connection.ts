/** One accepted connection: what others may ask of it and do to it, and the counts that it is judged by. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { PeerCertificate } from './admission.js';
import { noTraffic } from './conduct.js';
import type { Inspected } from './inspection.js';
import { certificateOf, culpritAt, culpritWith, peerOf } from './peer-certificate.js';
import { Lane } from './turns.js';

/** `ended`: the peer's side closed it in good order (FIN). `broken`: reset by anybody, or cut by us. */
export type ConnectionState = 'open' | 'ended' | 'broken';

export interface Connection {
  /** `address:port` of the other end. */
  readonly peer: string;
  state(): ConnectionState;
  /** Ends it at once, with whatever has come on it and was not taken yet. */
  cut(): void;
  isCut(): boolean;
  /** Cuts it for what it did, and keeps whoever that was out for a while. */
  banish(): void;
  /** From now on `end` is called at once where it is cut. */
  whenCut(end: () => void): void;
  /** Bytes that have come on it. */
  readBytes(): number;
  /** A piece of a message has come: one DATA frame. */
  tookPiece(bytes: number): void;
  /** A whole message has come, and its turn. */
  took(bytes: number): void;
  /** So many names were asked for. */
  askedFor(names: number): void;
  /** Somebody who may has opened a stream. */
  proven(): void;
  /** The peer took back one of its streams and has opened none since. */
  isLeaving: boolean;
  /** Undefined: it showed none. */
  readonly certificate?: PeerCertificate;
  /** What came of streams in the second that began at `sinceMs`. */
  readonly recent: RecentStreams;
  /** The turns that what comes on it has. */
  readonly lane: Lane;
}

export interface RecentStreams {
  sinceMs: number;
  /** Those that the peer has opened. */
  opened: number;
  /** Those that it took back before it had said anything on them. */
  unused: number;
}

export type AcceptedConnection = Connection & Inspected;

/** So many pieces of messages, or bytes of them, may come before a connection is looked at again. */
const unseenPiecesMax = 100;
const unseenBytesMax = 1024 * 1024;

/** Who asks for so many names at once is looked at at once. */
const manyNames = 5_000;

export function connectionOf(
  socket: Socket,
  { banish, look }: { readonly banish: () => void; readonly look: () => void },
): AcceptedConnection {
  const certificate = socket instanceof TLSSocket ? certificateOf(socket) : undefined;
  const isGood = certificate !== undefined && certificate.fault === undefined;
  const counts = { ...noTraffic };
  let seen = { pieces: 0, pieceBytes: 0 };
  let isCut = false;
  let end = (): void => {};
  return {
    peer: peerOf(socket),
    banish,
    culprit: isGood
      ? culpritWith(certificate, socket.remoteAddress)
      : culpritAt(socket.remoteAddress),
    traffic: () => ({
      ...counts,
      readBytes: socket.bytesRead,
      writtenBytes: socket.bytesWritten,
    }),
    readBytes: () => socket.bytesRead,
    tookPiece(bytes) {
      counts.pieces += 1;
      counts.pieceBytes += bytes;
      const { pieces, pieceBytes } = counts;
      if (pieces - seen.pieces > unseenPiecesMax || pieceBytes - seen.pieceBytes > unseenBytesMax) {
        seen = { pieces, pieceBytes };
        look();
      }
    },
    took(bytes) {
      counts.messages += 1;
      counts.messageBytes += bytes;
    },
    askedFor(names) {
      counts.names += names;
      if (names > manyNames) {
        look();
      }
    },
    proven() {
      counts.streams += 1;
    },
    state: () => {
      if (socket.readableEnded) {
        return 'ended';
      }
      return isCut || socket.destroyed ? 'broken' : 'open';
    },
    isCut: () => isCut,
    whenCut(callback) {
      end = callback;
    },
    cut() {
      isCut = true;
      // What was read with it is passed over from here on: the socket's own end would be told later.
      end();
      socket.destroy();
    },
    isLeaving: false,
    recent: { sinceMs: 0, opened: 0, unused: 0 },
    certificate,
    lane: new Lane(),
  };
}
