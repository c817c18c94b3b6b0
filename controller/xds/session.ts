/**
 * One HTTP/2 session of a peer: its ceilings, its signs of life, its age, its end. The streams on it are
 * others' business.
 */
import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { hashShare } from '../base/hash.js';
import type { Clock } from '../loop/ports.js';
import type { Connection } from './connection.js';
import type { CompleteXdsSettings } from './settings.js';

/**
 * Memory that one HTTP/2 session may hold, in MB. Node then refuses its new streams; what we have sent
 * and the peer has not yet read counts too, so it must be well above the largest response.
 */
const sessionMemoryMaxMb = 256;

export interface Session {
  /** Takes no new streams and says so (GOAWAY). It is closed when its last stream has ended. */
  drain(): void;
}

export interface SessionOptions {
  readonly settings: CompleteXdsSettings;
  readonly clock: Clock;
  onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
  /** It is as old as it may become, and draining. */
  onOld(): void;
  onClose(): void;
}

export function serveSession(
  socket: Socket,
  connection: Connection,
  options: SessionOptions,
): Session {
  const { settings } = options;
  const session = performServerHandshake(socket, {
    maxSessionMemory: sessionMemoryMaxMb,
    settings: { maxConcurrentStreams: settings.streamsPerConnectionMax },
  });
  // Nothing else keeps what one read has brought from being taken apart to its end.
  connection.whenCut(() => session.destroy());
  session.on('stream', options.onStream);
  session.on('error', () => {
    // A session that breaks is an ordinary end; its streams report it.
  });
  const cancelPings = pingRegularly(session, connection, options, () => connection.cut());
  const cancelAge = whenOld(connection, options, () => {
    session.close();
    options.onOld();
  });
  session.once('close', () => {
    cancelPings();
    cancelAge();
    options.onClose();
  });
  return { drain: () => session.close() };
}

/**
 * Calls `onSilent` where nothing comes from the peer after a ping: it is gone, and its network has not told
 * us. Whatever comes counts, as in gRPC's own keepalive: an answer waits behind all that the peer has yet
 * to read, which after a storm may be seconds of work.
 */
function pingRegularly(
  session: ServerHttp2Session,
  connection: Connection,
  { settings, clock }: SessionOptions,
  onSilent: () => void,
): () => void {
  let isOver = false;
  let cancel = (): void => {};
  const wait = (ms: number, then: () => void): void => {
    cancel();
    cancel = isOver ? () => {} : clock.after(ms, then);
  };
  const listen = (): void => {
    const before = connection.readBytes();
    wait(settings.keepaliveTimeoutMs, () => {
      // Where this process was held up, what has come in the meantime is read first.
      const check = setImmediate(() => {
        if (connection.readBytes() === before) {
          onSilent();
        } else {
          listen();
        }
      });
      cancel = () => clearImmediate(check);
    });
  };
  const ping = (): void => {
    if (session.destroyed) {
      // It ended in good order, and the peer leaves its side of the connection open.
      onSilent();
      return;
    }
    listen();
    session.ping(() => wait(settings.keepaliveTimeMs, ping));
  };
  wait(settings.keepaliveTimeMs, ping);
  return () => {
    isOver = true;
    cancel();
  };
}

/** Connections of one time do not end at one time, so that proxies do not come back in one wave. */
const ageJitter = 0.1;

function whenOld(
  { peer }: Connection,
  { settings: { connectionAgeMs }, clock }: SessionOptions,
  onOld: () => void,
): () => void {
  if (connectionAgeMs <= 0) {
    return () => {};
  }
  const jitter = (2 * hashShare(peer) - 1) * ageJitter;
  return clock.after(connectionAgeMs * (1 + jitter), onOld);
}
