/**
 * The gRPC server, and the only file that knows gRPC. Messages pass as bytes both ways: requests are
 * decoded and responses put together by the services, so that bytes which are ready are not encoded
 * again. Every ceiling is set here, since grpc-js by itself has none.
 */
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import type { HostPort } from '../base/socket-address.js';
import type { Clock } from '../loop/ports.js';
import { type Admission, type Caller, openAdmission } from './admission.js';
import type { Call, CallHandler, EndStatus } from './call.js';
import { type Connection, type Connections, createConnections } from './connections.js';
import type { Refusals } from './refusals.js';
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
  /** Accepts nothing new and tells every peer so (GOAWAY); streams that are left are cut after `ms`. */
  drain(ms: number): void;
  /** Resolves once every connection is closed. */
  closed(): Promise<void>;
}

const statusOf: Readonly<Record<EndStatus, status>> = {
  ok: status.OK,
  invalidArgument: status.INVALID_ARGUMENT,
  resourceExhausted: status.RESOURCE_EXHAUSTED,
  unavailable: status.UNAVAILABLE,
  unauthenticated: status.UNAUTHENTICATED,
  permissionDenied: status.PERMISSION_DENIED,
};

/**
 * Memory that one HTTP/2 session may hold, in MB. Node then refuses its new streams; what we have sent
 * and the peer has not yet read counts too, so it must be well above the largest response.
 */
const sessionMemoryMaxMb = 256;

export interface ServerDeps {
  readonly clock: Clock;
  readonly refusals: Refusals;
  /** Undefined: everybody is let in, in plain text. */
  readonly admission?: Admission;
}

export function createGrpcServer(
  settings: CompleteXdsSettings,
  methods: Methods,
  { clock, refusals, admission = openAdmission }: ServerDeps,
): GrpcServer {
  const server = new Server({
    'grpc.max_receive_message_length': settings.requestBytesMax,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': settings.streamsPerConnectionMax,
    'grpc-node.max_session_memory': sessionMemoryMaxMb,
    'grpc.keepalive_time_ms': settings.keepaliveTimeMs,
    'grpc.keepalive_timeout_ms': settings.keepaliveTimeoutMs,
    // grpc-js adds a tenth of jitter, so that proxies do not come back in one wave.
    ...(settings.connectionAgeMs > 0
      ? { 'grpc.max_connection_age_ms': settings.connectionAgeMs }
      : {}),
    'grpc.enable_channelz': 0,
  });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const connections = createConnections({
    ...settings,
    clock,
    tls: admission.tls,
    onConnection: (socket) => injector.injectConnection(socket),
    onRefused: (peer, reason, message) => refusals.add({ reason, peer, caller: '', message }),
  });
  const guard = createGuard(settings, { clock, refusals, admission, connections });
  const asBytes = (bytes: Buffer): Buffer => bytes;
  for (const [path, open] of methods.streams) {
    const handle = (stream: ServerDuplexStream<Buffer, Buffer>): void =>
      serveStream(stream, open, guard, clock);
    server.register(path, handle, asBytes, asBytes, 'bidi');
  }
  for (const [path, answer] of methods.unary) {
    const handle = (
      call: ServerUnaryCall<Buffer, Buffer>,
      respond: sendUnaryData<Buffer>,
    ): void => {
      const caller = guard.letIn(call);
      if ('code' in caller) {
        respond(caller);
        return;
      }
      answer(call.request, caller.caller).then(
        (response) => respond(null, response),
        (error: Error) => respond({ code: status.INVALID_ARGUMENT, details: error.message }),
      );
    };
    server.register(path, handle, asBytes, asBytes, 'unary');
  }
  return {
    start: () => connections.listen(settings.listen),
    recheck: () => guard.recheck(),
    inspect: () => connections.inspect(),
    drain(ms) {
      connections.close();
      injector.drain(ms);
    },
    closed: () => connections.closed(),
  };
}

/** A call as gRPC hands it over, before anybody has let it in. */
type Asking = Pick<ServerDuplexStream<Buffer, Buffer>, 'getPeer' | 'metadata'>;

interface Refused {
  readonly code: status;
  readonly details: string;
}

interface Guard {
  letIn(call: Asking): { readonly caller: Caller; readonly connection: Connection } | Refused;
  /** From now on `end` is called once `caller` no longer counts. The result ends that. */
  watch(caller: Caller, peer: string, end: (why: string) => void): () => void;
  recheck(): void;
}

/** What stands between a peer and the services. */
function createGuard(
  settings: CompleteXdsSettings,
  deps: Required<ServerDeps> & { readonly connections: Connections },
): Guard {
  const { clock, refusals, admission, connections } = deps;
  const watched = new Set<{
    readonly caller: Caller;
    readonly peer: string;
    end(why: string): void;
  }>();
  return {
    letIn(call) {
      const peer = call.getPeer();
      const connection = connections.find(peer);
      if (opensTooFast(connection, settings.streamsPerSecondMax, clock.now())) {
        const message = `more than ${settings.streamsPerSecondMax} new streams in a second`;
        refusals.add({ reason: 'streams', peer, caller: '', message });
        connection.banish();
        return { code: status.RESOURCE_EXHAUSTED, details: message };
      }
      const [authorization] = call.metadata.get('authorization');
      const admitted = admission.admit({
        certificate: connection.certificate,
        authorization: authorization?.toString(),
      });
      if ('refusal' in admitted) {
        const message = admitted.refusal;
        refusals.add({ reason: 'unauthenticated', peer, caller: '', message });
        return { code: status.UNAUTHENTICATED, details: message };
      }
      connection.proven();
      return { caller: admitted.caller, connection };
    },
    watch(caller, peer, end) {
      const entry = { caller, peer, end };
      watched.add(entry);
      return () => watched.delete(entry);
    },
    recheck() {
      for (const { caller, peer, end } of watched) {
        const why = caller.standing();
        if (why !== undefined) {
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
  stream: ServerDuplexStream<Buffer, Buffer>,
  open: (call: Call) => CallHandler,
  guard: Guard,
  clock: Clock,
): void {
  const letIn = guard.letIn(stream);
  if ('code' in letIn) {
    stream.emit('error', letIn);
    return;
  }
  const { caller, connection } = letIn;
  const peer = stream.getPeer();
  connection.isLeaving = false;
  let isOver = false;
  let isEnded = false;
  const end = (code: EndStatus, message = ''): void => {
    if (isEnded) {
      return;
    }
    isEnded = true;
    if (code === 'ok') {
      stream.end();
    } else {
      stream.emit('error', { code: statusOf[code], details: message });
    }
  };
  const handler = open({
    peer,
    caller,
    write(message, done) {
      if (!isOver && !isEnded) {
        stream.write(message, done);
      }
    },
    end,
    disconnect: () => connection.cut(),
  });
  const unwatch = guard.watch(caller, peer, (why) => end('unauthenticated', why));
  const conclude = (isClean: boolean): void => {
    if (isOver) {
      return;
    }
    isOver = true;
    unwatch();
    if (isClean && connection.state() === 'open') {
      // Where we give up a connection that no longer answers, its streams end before its socket does.
      clock.after(givenUpMs, () => handler.onEnd(connection.state() !== 'broken'));
    } else {
      handler.onEnd(isClean);
    }
  };
  stream.on('data', (message: Buffer) => {
    connection.took(message.length);
    if (!isEnded) {
      handler.onMessage(message);
    }
  });
  stream.on('end', () => {
    const state = connection.state();
    conclude(state === 'open' || (state === 'ended' && connection.isLeaving));
    stream.end();
  });
  stream.on('cancelled', () => {
    const isTakenBack = !isOver && connection.state() !== 'broken';
    connection.isLeaving ||= isTakenBack;
    conclude(isTakenBack);
  });
}

/** How long after its streams a connection that we give up takes to close, and longer. */
const givenUpMs = 20;
