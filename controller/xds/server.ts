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
import type { Call, CallHandler, EndStatus } from './call.js';
import { type Connections, createConnections } from './connections.js';
import type { CompleteXdsSettings } from './settings.js';

/** The gRPC methods, by full path: `/envoy.service.….Service/Method`. */
export interface Methods {
  readonly streams: ReadonlyMap<string, (call: Call) => CallHandler>;
  /** A rejection is answered as INVALID_ARGUMENT with its message. */
  readonly unary: ReadonlyMap<string, (request: Buffer) => Promise<Buffer>>;
}

export interface GrpcServer {
  start(): Promise<HostPort>;
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
};

/**
 * Memory that one HTTP/2 session may hold, in MB. Node then refuses its new streams; what we have sent
 * and the peer has not yet read counts too, so it must be well above the largest response.
 */
const sessionMemoryMaxMb = 256;

export function createGrpcServer(
  settings: CompleteXdsSettings,
  methods: Methods,
  clock: Clock,
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
    connectionsMax: settings.connectionsMax,
    onConnection: (socket) => injector.injectConnection(socket),
  });
  const asBytes = (bytes: Buffer): Buffer => bytes;
  for (const [path, open] of methods.streams) {
    const handle = (stream: ServerDuplexStream<Buffer, Buffer>): void =>
      serveStream(stream, open, connections, clock);
    server.register(path, handle, asBytes, asBytes, 'bidi');
  }
  for (const [path, answer] of methods.unary) {
    const handle = (
      call: ServerUnaryCall<Buffer, Buffer>,
      respond: sendUnaryData<Buffer>,
    ): void => {
      answer(call.request).then(
        (response) => respond(null, response),
        (error: Error) => respond({ code: status.INVALID_ARGUMENT, details: error.message }),
      );
    };
    server.register(path, handle, asBytes, asBytes, 'unary');
  }
  return {
    start: () => connections.listen(settings.listen),
    drain(ms) {
      connections.close();
      injector.drain(ms);
    },
    closed: () => connections.closed(),
  };
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
  connections: Connections,
  clock: Clock,
): void {
  const peer = stream.getPeer();
  const connection = connections.find(peer);
  connection.isLeaving = false;
  let isOver = false;
  const handler = open({
    peer,
    write(message, done) {
      if (!isOver) {
        stream.write(message, done);
      }
    },
    end(code, message = '') {
      if (code === 'ok') {
        stream.end();
      } else {
        stream.emit('error', { code: statusOf[code], details: message });
      }
    },
    disconnect: () => connection.cut(),
  });
  const conclude = (isClean: boolean): void => {
    if (isOver) {
      return;
    }
    isOver = true;
    if (isClean && connection.state() === 'open') {
      // Where we give up a connection that no longer answers, its streams end before its socket does.
      clock.after(givenUpMs, () => handler.onEnd(connection.state() !== 'broken'));
    } else {
      handler.onEnd(isClean);
    }
  };
  stream.on('data', (message: Buffer) => handler.onMessage(message));
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
