/**
 * The TCP side: accepts connections, hands them to gRPC, and knows of each whether and how it ended. gRPC
 * alone does not tell a proxy that says goodbye from one whose machine went dark.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { OpError } from '../base/op-error.js';
import type { HostPort } from '../base/socket-address.js';

/** `ended`: the peer's side closed it in good order (FIN). `broken`: reset by anybody, or cut by us. */
export type ConnectionState = 'open' | 'ended' | 'broken';

export interface Connection {
  state(): ConnectionState;
  cut(): void;
  /** The peer took back one of its streams and has opened none since. */
  isLeaving: boolean;
}

export interface Connections {
  listen(address: HostPort): Promise<HostPort>;
  /** The connection from `peer`; broken where there is none any more. */
  find(peer: string): Connection;
  /** Accepts no more. */
  close(): void;
  /** Resolves once all connections are closed. */
  closed(): Promise<void>;
}

export function createConnections(options: {
  readonly connectionsMax: number;
  onConnection(socket: Socket): void;
}): Connections {
  const connections = new Map<string, Connection>();
  const server = createServer({ noDelay: true }, (socket) => {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    connections.set(peer, connectionOf(socket));
    socket.on('close', () => connections.delete(peer));
    socket.on('error', () => {
      // A connection that breaks is an ordinary end; its streams report it.
    });
    options.onConnection(socket);
  });
  server.maxConnections = options.connectionsMax;
  const whenClosed = new Promise<void>((resolve) => server.once('close', resolve));
  return {
    listen: (address) => listen(server, address),
    find: (peer) =>
      connections.get(peer) ?? { state: () => 'broken', cut: () => {}, isLeaving: false },
    close: () => void server.close(),
    closed: () => whenClosed,
  };
}

function connectionOf(socket: Socket): Connection {
  return {
    state: () => {
      if (socket.readableEnded) {
        return 'ended';
      }
      return socket.destroyed ? 'broken' : 'open';
    },
    cut: () => socket.destroy(),
    isLeaving: false,
  };
}

function listen(server: Server, { address, port }: HostPort): Promise<HostPort> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `the xDS server cannot listen on ${address} port ${port}: ${cause.message}`;
      reject(new OpError('xds-listen', message, { retry: { kind: 'stalled' }, cause }));
    });
    server.listen({ host: address, port }, () => {
      const bound = server.address();
      resolve({
        address,
        port: bound !== null && typeof bound === 'object' ? bound.port : port,
      });
    });
  });
}
