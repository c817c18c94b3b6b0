/**
 * The TCP side: accepts connections, hands them to gRPC, and knows of each whether and how it ended. gRPC
 * alone does not tell a proxy that says goodbye from one whose machine went dark.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket, type Server as TlsServer } from 'node:tls';
import { OpError } from '../base/op-error.js';
import type { HostPort } from '../base/socket-address.js';
import type { Admission, PeerCertificate, TlsMaterial } from './admission.js';
import { handshakeMs } from './limits.js';

/** `ended`: the peer's side closed it in good order (FIN). `broken`: reset by anybody, or cut by us. */
export type ConnectionState = 'open' | 'ended' | 'broken';

export interface Connection {
  state(): ConnectionState;
  cut(): void;
  /** The peer took back one of its streams and has opened none since. */
  isLeaving: boolean;
  /** Undefined: it showed none. */
  readonly certificate?: PeerCertificate;
  /** Streams that the peer has opened in the second that began at `sinceMs`. */
  opened: { sinceMs: number; count: number };
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

export interface ConnectionOptions {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  /** Undefined: plain text. */
  readonly tls: Admission['tls'];
  onConnection(socket: Socket): void;
  /** A connection that was not taken. */
  onRefused(peer: string, reason: 'connections' | 'handshake', message: string): void;
}

export function createConnections(options: ConnectionOptions): Connections {
  const connections = new Map<string, Connection>();
  const perAddress = new Map<string, number>();
  const server = options.tls === undefined ? createServer({ noDelay: true }) : tlsServer(options);
  const isWelcome = (socket: Socket): boolean => {
    const address = socket.remoteAddress ?? '';
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
    const peer = peerOf(socket);
    connections.set(peer, connectionOf(socket));
    socket.on('close', () => connections.delete(peer));
    socket.on('error', () => {
      // A connection that breaks is an ordinary end; its streams report it.
    });
    options.onConnection(socket);
  };
  server.on('connection', (socket: Socket) => {
    if (isWelcome(socket) && options.tls === undefined) {
      take(socket);
    }
  });
  server.on('secureConnection', take);
  server.maxConnections = options.connectionsMax;
  const whenClosed = new Promise<void>((resolve) => server.once('close', resolve));
  return {
    listen: (address) => listen(server, address),
    find: (peer) =>
      connections.get(peer) ?? {
        state: () => 'broken',
        cut: () => {},
        isLeaving: false,
        opened: { sinceMs: 0, count: 0 },
      },
    close: () => void server.close(),
    closed: () => whenClosed,
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
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
    opened: { sinceMs: 0, count: 0 },
    certificate: socket instanceof TLSSocket ? certificateOf(socket) : undefined,
  };
}

/** More than any chain has: a peer must not make us walk for long. */
const chainMax = 10;

/** `authorized` is looked at here and nowhere else: a certificate without `fault` is a good one. */
function certificateOf(socket: TLSSocket): PeerCertificate | undefined {
  const leaf = socket.getPeerCertificate(true);
  if (leaf?.raw === undefined) {
    return undefined;
  }
  const chain = [leaf.raw];
  for (let at = leaf; at.issuerCertificate !== at && chain.length < chainMax; ) {
    at = at.issuerCertificate;
    if (at?.raw === undefined) {
      break;
    }
    chain.push(at.raw);
  }
  return {
    fault: socket.authorized ? undefined : String(socket.authorizationError ?? 'not verified'),
    subjectAltName: leaf.subjectaltname ?? '',
    chain,
  };
}

function listen(server: Server | TlsServer, { address, port }: HostPort): Promise<HostPort> {
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
