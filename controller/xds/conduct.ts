/**
 * Whether a connection behaves, judged by what any HTTP/2 server can count: the bytes that came, the bytes
 * of the messages that they made up, and how many those were. What comes and makes up no message is frames
 * that nobody needs (PING, SETTINGS, PRIORITY, headers without end), or a message that is never finished.
 */
import { namesBurst, namesPerSecond } from './limits.js';

/** Counts since a connection was opened. */
export interface Traffic {
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** Pieces of messages, as they were sent: one DATA frame each. */
  readonly pieces: number;
  readonly pieceBytes: number;
  /** Messages that were complete. */
  readonly messages: number;
  readonly messageBytes: number;
  /** Names that were asked for. */
  readonly names: number;
  /** Streams that were let in: opened by somebody who may. */
  readonly streams: number;
}

/** Of a connection that was just opened. */
export const noTraffic: Traffic = {
  readBytes: 0,
  writtenBytes: 0,
  pieces: 0,
  pieceBytes: 0,
  messages: 0,
  messageBytes: 0,
  names: 0,
  streams: 0,
};

/** What is known of a connection's conduct up to `atMs`. */
export interface Conduct {
  readonly atMs: number;
  readonly traffic: Traffic;
  readonly openedAtMs: number;
  /** Bytes that have made up no message, less what a good peer may send of those. */
  readonly looseBytes: number;
  /** Of those the bytes that are not even a piece of a message. */
  readonly frameBytes: number;
  /** Since when so many are loose that a message must have been begun; undefined: they are not. */
  readonly unfinishedSinceMs?: number;
  /** Pieces above those that a good peer sends. */
  readonly extraPieces: number;
  /** Pieces above two for each message and one for each KiB, less what a good peer sends of those. */
  readonly crumbs: number;
  /** Names above those that a good peer asks for. */
  readonly extraNames: number;
}

export interface ConductLimits {
  /** The largest message: so much may be under way, and a little more. */
  readonly requestBytesMax: number;
  /** How long a message may take from its first byte to its last. */
  readonly stalledMs: number;
  /** How long after it has connected a peer may open its first stream. */
  readonly idleMs: number;
}

/** Frames beside messages: acknowledged settings, pings and their answers. */
const loosePerSecond = 1024;

/** The headers of the frames of a message, and its prefix. */
const loosePerPiece = 128;

/** WINDOW_UPDATE, of the stream and of the connection: 26 bytes for some kilobytes that we sent. */
const writtenPerLooseByte = 64;

/** Less than this is frames; more is a message that was begun. */
const unfinishedBytes = 128 * 1024;

/** Headers of a stream, with a token in them. */
const loosePerStream = 8 * 1024;

/** Frames that are no pieces of messages: so many in a moment. */
const frameBytesMax = 256 * 1024;

/** What other streams may have begun beside the largest message. */
const besideMessageBytesMax = 1024 * 1024;

/**
 * Envoy answers each response once, and asks for what changed with it: tens in a second, and a large request
 * comes in pieces of 16 KiB. Load clients put many proxies on one connection.
 */
const piecesPerSecond = 2_000;

/** What comes at once after a restart, of all streams of a connection. */
const piecesBurst = 20_000;

/**
 * A message is one piece, or pieces of 16 KiB, and some write its prefix as a piece of its own; what is sent
 * in crumbs costs us for each as much as a message. A few come where a window was nearly full.
 */
const crumbBytes = 1024;
const piecesPerMessage = 2;
const crumbsPerSecond = 100;
const crumbsBurst = 200;

export function newConduct(nowMs: number): Conduct {
  return {
    atMs: nowMs,
    openedAtMs: nowMs,
    traffic: noTraffic,
    looseBytes: 0,
    frameBytes: 0,
    extraPieces: 0,
    crumbs: 0,
    extraNames: 0,
  };
}

/** `before`, and what has come since then. */
export function observed(before: Conduct, traffic: Traffic, nowMs: number): Conduct {
  const seconds = Math.max(0, nowMs - before.atMs) / 1000;
  const since = (count: (of: Traffic) => number): number => count(traffic) - count(before.traffic);
  const allowed =
    loosePerSecond * seconds +
    loosePerPiece * since(({ pieces }) => pieces) +
    loosePerStream * since(({ streams }) => streams) +
    since(({ writtenBytes }) => writtenBytes) / writtenPerLooseByte;
  const left = (bytes: number, more: number): number => Math.max(0, bytes + more - allowed);
  const loose = since(({ readBytes, messageBytes }) => readBytes - messageBytes);
  const looseBytes = left(before.looseBytes, loose);
  const frames = since(({ readBytes, pieceBytes }) => readBytes - pieceBytes);
  const above = (count: number, perSecond: number) => Math.max(0, count - perSecond * seconds);
  const crumbs = since(
    ({ pieces, messages, pieceBytes }) =>
      pieces - piecesPerMessage * messages - pieceBytes / crumbBytes,
  );
  return {
    atMs: nowMs,
    openedAtMs: before.openedAtMs,
    traffic,
    looseBytes,
    frameBytes: left(before.frameBytes, frames),
    extraPieces: above(before.extraPieces + since(({ pieces }) => pieces), piecesPerSecond),
    extraNames: above(before.extraNames + since(({ names }) => names), namesPerSecond),
    crumbs: above(before.crumbs + crumbs, crumbsPerSecond),
    ...(looseBytes > unfinishedBytes && { unfinishedSinceMs: before.unfinishedSinceMs ?? nowMs }),
  };
}

/** Why the connection is to be cut, in words for the log; undefined: it behaves. */
export function misconduct(conduct: Conduct, limits: ConductLimits): string | undefined {
  const { atMs, openedAtMs, unfinishedSinceMs = atMs, extraPieces, traffic } = conduct;
  const { looseBytes, frameBytes, crumbs, extraNames } = conduct;
  if (frameBytes > frameBytesMax) {
    return `${inKib(frameBytes)} KiB of frames that are no part of a message`;
  }
  if (looseBytes > limits.requestBytesMax + besideMessageBytesMax) {
    return `${inKib(looseBytes)} KiB of messages that were not finished`;
  }
  if (atMs - unfinishedSinceMs > limits.stalledMs) {
    return `a message that was not finished in ${limits.stalledMs} ms`;
  }
  if (extraPieces > piecesBurst) {
    return `more than ${piecesPerSecond} pieces of messages a second`;
  }
  if (extraNames > namesBurst) {
    return `asked for names, more than ${namesPerSecond} a second`;
  }
  if (crumbs > crumbsBurst) {
    return `messages in pieces of less than ${crumbBytes} bytes, more than ${crumbsPerSecond} a second`;
  }
  if (traffic.streams === 0 && atMs - openedAtMs > limits.idleMs) {
    return `no stream that may be opened in ${limits.idleMs} ms`;
  }
  return undefined;
}

function inKib(bytes: number): number {
  return Math.round(bytes / 1024);
}
