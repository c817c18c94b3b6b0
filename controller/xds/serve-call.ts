/** Serves one call that was let in: a stream of messages both ways, or one request and its response. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { InParts } from '../base/in-parts.js';
import { errorText } from '../base/op-error.js';
import type { Caller } from './admission.js';
import type { Call, CallHandler } from './call.js';
import type { Connection } from './connection.js';
import { type GrpcStream, optionsOf } from './grpc-stream.js';
import type { Guard } from './guard.js';
import { Inbox } from './inbox.js';
import type { Turns } from './turns.js';

/** A stream that was opened, before anybody has let it in. */
export interface Asking {
  readonly grpc: GrpcStream;
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly connection: Connection;
}

export interface Means {
  /** Holds for each message. */
  readonly requestBytesMax: number;
  readonly guard: Guard;
  readonly turns: Turns;
  /** A bug of ours has shown in what was done about a message. */
  onBroken(call: Call, error: unknown): void;
}

/**
 * Serves one stream. Its end is clean where the peer ends it while the connection stands, or takes it back
 * (RST_STREAM). An Envoy that is told to stop takes back its load reports, then closes the connection
 * under its resources; one that is killed only closes the connection, which is also what a load balancer
 * on the way does when it restarts, so that alone is no goodbye.
 */
export function serveStream(
  { grpc, headers, connection }: Asking,
  caller: Caller,
  openCall: (call: Call) => CallHandler,
  { requestBytesMax, guard, turns, onBroken }: Means,
): void {
  connection.isLeaving = false;
  let isOver = false;
  const call: Call = {
    peer: connection.peer,
    caller,
    lane: connection.lane,
    write(parts, done) {
      if (!isOver) {
        grpc.write(parts, done);
      }
    },
    end: (status, message) => grpc.end(status, message),
    askedFor: (names) => connection.askedFor(names),
    disconnect: () => connection.cut(),
  };
  const handler = openCall(call);
  const unwatch = guard.watch(caller, connection.peer, (why) => grpc.end('unauthenticated', why));
  let hasAsked = false;
  const broke = (error: unknown): undefined => {
    inbox.close();
    onBroken(call, error);
  };
  function* contained(work: InParts<void>): InParts<void> {
    try {
      yield* work;
    } catch (error) {
      broke(error);
    }
  }
  const inbox = new Inbox({
    turns,
    connection,
    stream: grpc,
    take(message) {
      try {
        const rest = isOver ? undefined : handler.onMessage(message);
        return rest && contained(rest);
      } catch (error) {
        return broke(error);
      }
    },
  });
  const conclude = (isClean: boolean): void => {
    if (!isOver) {
      isOver = true;
      inbox.close();
      unwatch();
      handler.onEnd(isClean);
    }
  };
  const isSaidFarewell = (): boolean =>
    connection.state() === 'open' || (connection.state() === 'ended' && connection.isLeaving);
  grpc.serve(
    {
      onPiece: (bytes) => inbox.notePiece(bytes),
      onMessage(message) {
        hasAsked = true;
        inbox.add(message);
      },
      onHalfClose() {
        const isClean = isSaidFarewell();
        inbox.end(() => {
          conclude(isClean);
          grpc.end('ok');
        });
      },
      onReset() {
        connection.isLeaving ||= connection.state() === 'open';
        if (!hasAsked) {
          guard.tookBack(connection);
        }
      },
      onClose(by) {
        const isClean = by === 'us' ? connection.state() !== 'broken' : isSaidFarewell();
        if (by === 'us' || connection.isCut()) {
          conclude(isClean);
        } else {
          inbox.end(() => conclude(isClean));
        }
      },
    },
    { requestBytesMax, ...optionsOf(headers) },
  );
}

/** Serves a method of one request and one response. Who takes long to ask may not count any more by then. */
export function serveUnary(
  { grpc, headers, connection }: Asking,
  caller: Caller,
  answer: (request: Buffer, caller: Caller) => Promise<Buffer>,
  { requestBytesMax, guard }: Means,
): void {
  const requests: Buffer[] = [];
  const unwatch = guard.watch(caller, connection.peer, (why) => grpc.end('unauthenticated', why));
  grpc.serve(
    {
      onPiece: (bytes) => connection.tookPiece(bytes),
      onMessage(message) {
        connection.took(message.length);
        requests.push(message);
        if (requests.length > 1) {
          grpc.end('unimplemented', 'there is more than one request');
        }
      },
      onHalfClose() {
        const [request] = requests;
        if (request === undefined) {
          grpc.end('unimplemented', 'there is no request');
          return;
        }
        answer(request, caller).then(
          (response) => grpc.write([response], () => grpc.end('ok')),
          (error: unknown) => grpc.end('invalidArgument', errorText(error)),
        );
      },
      onReset() {
        // As below.
      },
      onClose: unwatch,
    },
    { requestBytesMax, ...optionsOf(headers) },
  );
}
