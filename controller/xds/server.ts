/**
 * The gRPC server: what is asked for by path, who may ask, and when a stream's end is a goodbye. Messages
 * pass as bytes both ways: requests are decoded and responses put together by the services, so that bytes
 * which are ready are neither encoded nor copied again. It stands on node:http2 rather than on grpc-js,
 * which copies every message for every stream (decision 0005).
 */
import type { HostPort } from '../base/socket-address.js';
import type { Clock } from '../loop/ports.js';
import { type Admission, type Caller, openAdmission } from './admission.js';
import type { Call, CallHandler } from './call.js';
import { createConnections } from './connections.js';
import { GrpcStream } from './grpc-stream.js';
import { createGuard } from './guard.js';
import type { Refusals } from './refusals.js';
import { type Asking, type Means, serveStream, serveUnary } from './serve-call.js';
import { type Session, serveSession } from './session.js';
import type { CompleteXdsSettings } from './settings.js';
import type { Turns } from './turns.js';

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
  /** Cuts the connections of peers who misbehave. Answers the bytes that have come since the last time. */
  inspect(): number;
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
  /** In which what peers send is taken. */
  readonly turns: Turns;
  /** A bug of ours has shown in what was done about a message of `call`. */
  onBroken(call: Call, error: unknown): void;
  /** A connection has come in, before anything is known of it. */
  onArrival(): void;
}

export function createGrpcServer(
  settings: CompleteXdsSettings,
  methods: Methods,
  { clock, refusals, turns, onBroken, onArrival, admission = openAdmission }: ServerDeps,
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
          const { requestBytesMax } = settings;
          const means = { requestBytesMax, guard, turns, onBroken };
          open({ grpc, stream, headers, connection }, methods, means);
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
