/**
 * The gRPC server: what is asked for by path, who may ask, and when a stream's end is a goodbye. Messages
 * pass as bytes both ways: requests are decoded and responses put together by the services, so that bytes
 * which are ready are neither encoded nor copied again. It stands on node:http2 rather than on grpc-js,
 * which copies every message for every stream (decision 0005).
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { errorText } from '../base/op-error.js';
import type { HostPort } from '../base/socket-address.js';
import type { Clock } from '../loop/ports.js';
import { type Admission, type Caller, openAdmission } from './admission.js';
import type { Call, CallHandler } from './call.js';
import { type Connection, createConnections } from './connections.js';
import { type GrpcStatus, GrpcStream, optionsOf } from './grpc-stream.js';
import type { Refusals } from './refusals.js';
import { type Session, serveSession } from './session.js';
import type { CompleteXdsSettings } from './settings.js';

/** The gRPC methods, by full path: `/envoy.service.….Service/Method`. */
export interface Methods {
  readonly streams: ReadonlyMap<string, (call: Call) => CallHandler>;
  /** A rejection is answered as INVALID_ARGUMENT with its message. */
  readonly unary: ReadonlyMap<string, (request: Buffer, caller: Caller) => Promise<Buffer>>;
}

export interface GrpcServer {
  start(): Promise<HostPort>;
  /** Ends the streams of callers who no longer count. */
  recheck(): void;
  /** Cuts the connections of peers who misbehave. */
  inspect(): void;
  /** Accepts nothing new and tells every peer so (GOAWAY); what is left soon after `ms` is cut. */
  drain(ms: number): void;
  /** Resolves once every connection is closed. */
  closed(): Promise<void>;
}

export interface ServerDeps {
  readonly clock: Clock;
  readonly refusals: Refusals;
  /** Undefined: everybody is let in, in plain text. */
  readonly admission?: Admission;
  /** A connection has come in, before anything is known of it. */
  onArrival(): void;
}

export function createGrpcServer(
  settings: CompleteXdsSettings,
  methods: Methods,
  { clock, refusals, onArrival, admission = openAdmission }: ServerDeps,
): GrpcServer {
  const guard = createGuard(settings, { clock, refusals, admission });
  const sessions = new Set<Session>();
  const connections = createConnections({
    ...settings,
    clock,
    tls: admission.tls,
    onConnection(socket, connection) {
      const streams = new Set<GrpcStream>();
      const session = serveSession(socket, connection, {
        settings,
        clock,
        onStream(stream, headers) {
          if (connection.state() === 'broken') {
            // What it had sent before it was cut is passed over.
            return;
          }
          const grpc = new GrpcStream(stream, clock);
          streams.add(grpc);
          stream.once('close', () => streams.delete(grpc));
          open({ grpc, stream, headers, connection }, methods, { settings, clock, guard });
        },
        onOld() {
          for (const stream of streams) {
            stream.end('unavailable', 'the connection is old: connect again');
          }
        },
        onClose: () => sessions.delete(session),
      });
      sessions.add(session);
    },
    onArrival,
    onRefused: (peer, reason, message) => refusals.add({ reason, peer, caller: '', message }),
  });
  return {
    start: () => connections.listen(settings.listen),
    recheck: () => guard.recheck(),
    inspect: () => connections.inspect(),
    drain(ms) {
      connections.close();
      for (const session of sessions) {
        session.drain();
      }
      clock.after(ms + farewellMs, () => {
        connections.cut();
      });
    },
    closed: () => connections.closed(),
  };
}

/** How long the end of the last stream may be on its way before its connection is cut. */
const farewellMs = 1_000;

/** A stream that was opened, before anybody has let it in. */
interface Asking {
  readonly grpc: GrpcStream;
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly connection: Connection;
}

interface Means {
  readonly settings: CompleteXdsSettings;
  readonly clock: Clock;
  readonly guard: Guard;
}

/** Of gRPC with protocol buffers. gRPC-Web is framed in another way, and JSON is not spoken here. */
const grpcContent = /^application\/grpc(?:\+proto)?(?:\s*;|$)/i;

/** Finds out what is asked for, and whether the peer may. */
function open(asking: Asking, methods: Methods, means: Means): void {
  const { grpc, stream, headers, connection } = asking;
  if (stream.closed || stream.destroyed) {
    return;
  }
  const tooFast = means.guard.refuseHaste(connection);
  if (tooFast !== undefined) {
    grpc.end(tooFast.status, tooFast.details);
    return;
  }
  if (headers[':method'] !== 'POST') {
    grpc.refuse({ ':status': 405, allow: 'POST' });
    return;
  }
  if (!grpcContent.test(headers['content-type'] ?? '')) {
    grpc.refuse({ ':status': 415 });
    return;
  }
  const path = headers[':path'] ?? '';
  const openStream = methods.streams.get(path);
  const answer = methods.unary.get(path);
  if (openStream === undefined && answer === undefined) {
    grpc.end('unimplemented', `there is no method ${path.slice(0, 200)}`);
    return;
  }
  const letIn = means.guard.letIn(connection, headers.authorization);
  if ('status' in letIn) {
    grpc.end(letIn.status, letIn.details);
    return;
  }
  if (openStream !== undefined) {
    serveStream(asking, letIn.caller, openStream, means);
  } else if (answer !== undefined) {
    serveUnary(asking, letIn.caller, answer, means);
  }
}

interface Refused {
  readonly status: GrpcStatus;
  readonly details: string;
}

interface Guard {
  /** Counts a new stream, whatever it asks for; where they are too many, the connection is cut. */
  refuseHaste(connection: Connection): Refused | undefined;
  letIn(
    connection: Connection,
    authorization: string | undefined,
  ): { readonly caller: Caller } | Refused;
  /** From now on `end` is called once `caller` no longer counts. The result ends that. */
  watch(caller: Caller, peer: string, end: (why: string) => void): () => void;
  recheck(): void;
}

/** What stands between a peer and the services. */
function createGuard(
  settings: CompleteXdsSettings,
  { clock, refusals, admission }: Omit<Required<ServerDeps>, 'onArrival'>,
): Guard {
  const watched = new Set<{
    readonly caller: Caller;
    readonly peer: string;
    end(why: string): void;
  }>();
  return {
    refuseHaste(connection) {
      const { peer } = connection;
      if (opensTooFast(connection, settings.streamsPerSecondMax, clock.now())) {
        const message = `more than ${settings.streamsPerSecondMax} new streams in a second`;
        refusals.add({ reason: 'streams', peer, caller: '', message });
        connection.banish();
        return { status: 'resourceExhausted', details: message };
      }
      return undefined;
    },
    letIn(connection, authorization) {
      const { peer } = connection;
      const admitted = admission.admit({ certificate: connection.certificate, authorization });
      if ('refusal' in admitted) {
        const message = admitted.refusal;
        refusals.add({ reason: 'unauthenticated', peer, caller: '', message });
        return { status: 'unauthenticated', details: message };
      }
      connection.proven();
      return { caller: admitted.caller };
    },
    watch(caller, peer, end) {
      const entry = { caller, peer, end };
      watched.add(entry);
      return () => watched.delete(entry);
    },
    recheck() {
      for (const entry of watched) {
        const { caller, peer, end } = entry;
        const why = caller.standing();
        if (why !== undefined) {
          // A peer that does not take the end keeps its stream for a while, and was refused once.
          watched.delete(entry);
          refusals.add({ reason: 'unauthenticated', peer, caller: caller.name, message: why });
          end(why);
        }
      }
    },
  };
}

function opensTooFast({ opened }: Connection, perSecondMax: number, nowMs: number): boolean {
  if (nowMs - opened.sinceMs >= 1000) {
    opened.sinceMs = nowMs;
    opened.count = 0;
  }
  opened.count += 1;
  return opened.count > perSecondMax;
}

/**
 * Serves one stream. Its end is clean where the peer ends it while the connection stands, or takes it back
 * (RST_STREAM). An Envoy that is told to stop takes back its load reports, then closes the connection
 * under its resources; one that is killed only closes the connection, which is also what a load balancer
 * on the way does when it restarts, so that alone is no goodbye.
 */
function serveStream(
  { grpc, headers, connection }: Asking,
  caller: Caller,
  openCall: (call: Call) => CallHandler,
  { settings, guard }: Means,
): void {
  connection.isLeaving = false;
  let isOver = false;
  const handler = openCall({
    peer: connection.peer,
    caller,
    write(parts, done) {
      if (!isOver) {
        grpc.write(parts, done);
      }
    },
    end: (status, message) => grpc.end(status, message),
    askedFor: (names) => connection.askedFor(names),
    disconnect: () => connection.cut(),
  });
  const unwatch = guard.watch(caller, connection.peer, (why) => grpc.end('unauthenticated', why));
  const conclude = (isClean: boolean): void => {
    if (!isOver) {
      isOver = true;
      unwatch();
      handler.onEnd(isClean);
    }
  };
  const isSaidFarewell = (): boolean =>
    connection.state() === 'open' || (connection.state() === 'ended' && connection.isLeaving);
  grpc.serve(
    {
      onPiece: (bytes) => connection.tookPiece(bytes),
      onMessage(message) {
        connection.took(message.length);
        handler.onMessage(message);
      },
      onHalfClose() {
        conclude(isSaidFarewell());
        grpc.end('ok');
      },
      onReset() {
        connection.isLeaving ||= connection.state() === 'open';
      },
      onClose(by) {
        conclude(by === 'us' ? connection.state() !== 'broken' : isSaidFarewell());
      },
    },
    { requestBytesMax: settings.requestBytesMax, ...optionsOf(headers) },
  );
}

/** Serves a method of one request and one response. Who takes long to ask may not count any more by then. */
function serveUnary(
  { grpc, headers, connection }: Asking,
  caller: Caller,
  answer: (request: Buffer, caller: Caller) => Promise<Buffer>,
  { settings, guard }: Means,
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
    { requestBytesMax: settings.requestBytesMax, ...optionsOf(headers) },
  );
}
