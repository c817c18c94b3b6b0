/**
 * The TCP side: accepts connections, hands them to gRPC, and knows of each whether and how it ended. gRPC
 * alone does not tell a proxy that says goodbye from one whose machine went dark.
 */
import { createServer, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import { OpError } from '../base/op-error.js';
import type { HostPort } from '../base/socket-address.js';
import type { Clock } from '../loop/ports.js';
import type { Admission, TlsMaterial } from './admission.js';
import { type AcceptedConnection, type Connection, connectionOf } from './connection.js';
import { Inspection } from './inspection.js';
import { handshakeMs, newcomersWaitMs } from './limits.js';
import { culpritAt, peerOf } from './peer-certificate.js';

export interface Connections {
  listen(address: HostPort): Promise<HostPort>;
  /** Cuts those that misbehave. Answers the bytes that have come on all since the last time. */
  inspect(): number;
  /** Accepts no more. */
  close(): void;
  /** Cuts whatever is left, handshakes too. */
  cut(): void;
  /** Resolves once all connections are closed. */
  closed(): Promise<void>;
}

export interface ConnectionOptions {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly requestBytesMax: number;
  readonly stalledMs: number;
  readonly idleMs: number;
  readonly banMs: number;
  readonly clock: Clock;
  /** Undefined: plain text. */
  readonly tls: Admission['tls'];
  /** A connection has come in, before anything is known of it. */
  onArrival(): void;
  onConnection(socket: Socket, connection: Connection): void;
  /** A connection that was not taken. */
  onRefused(peer: string, reason: 'connections' | 'handshake' | 'conduct', message: string): void;
}

export function createConnections(options: ConnectionOptions): Connections {
  const { clock } = options;
  const inspection = new Inspection<AcceptedConnection>({
    ...options,
    onCut: ({ peer }, why) => options.onRefused(peer, 'conduct', why),
  });
  const perAddress = new Map<string, number>();
  /** As they were accepted: below TLS, where there is TLS. */
  const sockets = new Set<Socket>();
  const server = options.tls === undefined ? createServer({ noDelay: true }) : tlsServer(options);
  const isWelcome = (socket: Socket): boolean => {
    const address = socket.remoteAddress ?? '';
    if (inspection.isBanned(culpritAt(address), clock.now())) {
      options.onRefused(address, 'conduct', 'this address was cut off a moment ago');
      socket.destroy();
      return false;
    }
    const count = (perAddress.get(address) ?? 0) + 1;
    if (count > options.connectionsPerAddressMax) {
      const max = options.connectionsPerAddressMax;
      options.onRefused(address, 'connections', `more than ${max} connections from one address`);
      socket.destroy();
      return false;
    }
    perAddress.set(address, count);
    socket.once('close', () => {
      const left = (perAddress.get(address) ?? 1) - 1;
      perAddress.set(address, left);
      if (left === 0) {
        perAddress.delete(address);
      }
    });
    return true;
  };
  const take = (socket: Socket): void => {
    const connection: AcceptedConnection = connectionOf(socket, {
      banish: () => inspection.banish(connection, clock.now()),
      look: () => void inspection.look(connection, clock.now()),
    });
    const { peer, culprit } = connection;
    if (inspection.isBanned(culprit, clock.now())) {
      options.onRefused(peer, 'conduct', 'whoever shows this certificate was cut off a moment ago');
      socket.destroy();
      return;
    }
    inspection.add(connection, clock.now());
    socket.on('close', () => inspection.remove(connection));
    socket.on('error', () => {
      // A connection that breaks is an ordinary end; its streams report it.
    });
    if (inspection.isDoubtful(culprit, clock.now())) {
      const cancel = clock.after(newcomersWaitMs, () => options.onConnection(socket, connection));
      socket.on('close', cancel);
    } else {
      options.onConnection(socket, connection);
    }
  };
  server.on('connection', (socket: Socket) => {
    options.onArrival();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (isWelcome(socket) && options.tls === undefined) {
      take(socket);
    }
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    // A handshake may end after the server has: nobody would end what it leads to.
    if (server.listening) {
      take(socket);
    } else {
      socket.destroy();
    }
  });
  server.on('error', (error) => {
    // Where it did not even begin, `listen` says so. Later it is one connection that cannot be accepted.
    if (server.listening) {
      options.onRefused('', 'connections', error.message);
    }
  });
  server.maxConnections = options.connectionsMax;
  server.on('drop', (dropped) => {
    const peer = `${dropped?.remoteAddress}:${dropped?.remotePort}`;
    options.onRefused(peer, 'connections', `more than ${options.connectionsMax} connections`);
  });
  const whenClosed = new Promise<void>((resolve) => server.once('close', resolve));
  return {
    listen: (address) => listen(server, address),
    inspect: () => inspection.inspect(clock.now()),
    close: () => void server.close(),
    cut() {
      for (const socket of sockets) {
        socket.destroy();
      }
    },
    closed: () => whenClosed,
  };
}

/** New material is used by the handshakes that follow; connections that stand keep theirs. */
function tlsServer(options: ConnectionOptions): TlsServer {
  const material = options.tls?.now();
  const server = createTlsServer({
    noDelay: true,
    ALPNProtocols: ['h2'],
    handshakeTimeout: handshakeMs,
    requestCert: material?.asks,
    rejectUnauthorized: material?.requires,
    ...material?.context,
  });
  options.tls?.onChange(({ context }: TlsMaterial) => server.setSecureContext(context));
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    options.onRefused(peerOf(socket), 'handshake', error.message);
  });
  return server;
}

/** Connections that may wait to be accepted: a fleet that comes back at once. The system has its own limit. */
const backlogMax = 4_096;

function listen(server: Server | TlsServer, { address, port }: HostPort): Promise<HostPort> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `the xDS server cannot listen on ${address} port ${port}: ${cause.message}`;
      reject(new OpError('xds-listen', message, { retry: { kind: 'stalled' }, cause }));
    });
    server.listen({ host: address, port, backlog: backlogMax }, () => {
      const bound = server.address();
      resolve({
        address,
        port: bound !== null && typeof bound === 'object' ? bound.port : port,
      });
    });
  });
}
