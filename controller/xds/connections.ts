/**
 * The TCP side: accepts connections, hands them to gRPC, and knows of each whether and how it ended. gRPC
 * alone does not tell a proxy that says goodbye from one whose machine went dark.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket, type Server as TlsServer } from 'node:tls';
import { contentHash } from '../base/hash.js';
import { OpError } from '../base/op-error.js';
import { type HostPort, isLoopback } from '../base/socket-address.js';
import type { Clock } from '../loop/ports.js';
import type { Admission, PeerCertificate, TlsMaterial } from './admission.js';
import { type Inspected, Inspection } from './inspection.js';
import { handshakeMs } from './limits.js';

/** `ended`: the peer's side closed it in good order (FIN). `broken`: reset by anybody, or cut by us. */
export type ConnectionState = 'open' | 'ended' | 'broken';

export interface Connection {
  /** `address:port` of the other end. */
  readonly peer: string;
  state(): ConnectionState;
  cut(): void;
  /** Cuts it for what it did, and keeps whoever that was out for a while. */
  banish(): void;
  /** Bytes that have come on it. */
  readBytes(): number;
  /** A piece of a message has come: one DATA frame. */
  tookPiece(bytes: number): void;
  /** A whole message has come. */
  took(bytes: number): void;
  /** So many names were asked for. */
  askedFor(names: number): void;
  /** Somebody who may has opened a stream. */
  proven(): void;
  /** The peer took back one of its streams and has opened none since. */
  isLeaving: boolean;
  /** Undefined: it showed none. */
  readonly certificate?: PeerCertificate;
  /** Streams that the peer has opened in the second that began at `sinceMs`. */
  opened: { sinceMs: number; count: number };
}

export interface Connections {
  listen(address: HostPort): Promise<HostPort>;
  /** Cuts those that misbehave. */
  inspect(): void;
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
    options.onConnection(socket, connection);
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

type AcceptedConnection = Connection & Inspected;

/**
 * Whom a cut is remembered for where a good certificate was shown. Its names alone would be too many: all
 * proxies of a service have the same. Its key may be one file for them all, so the address counts as well.
 */
function culpritWith({ chain: [leaf] }: PeerCertificate, address: string | undefined): string {
  return `certificate ${contentHash(leaf ?? '')} at ${address}`;
}

/** Without a certificate it is the address; what is on this machine has all the same one. */
function culpritAt(address: string | undefined): string | undefined {
  return address === undefined || isLoopback(address) ? undefined : address;
}

/** So many pieces of messages, or bytes of them, may come before a connection is looked at again. */
const unseenPiecesMax = 500;
const unseenBytesMax = 1024 * 1024;

/** Who asks for so many names at once is looked at at once. */
const manyNames = 5_000;

function connectionOf(
  socket: Socket,
  { banish, look }: { readonly banish: () => void; readonly look: () => void },
): AcceptedConnection {
  const certificate = socket instanceof TLSSocket ? certificateOf(socket) : undefined;
  const isGood = certificate !== undefined && certificate.fault === undefined;
  let pieces = 0;
  let pieceBytes = 0;
  let seen = { pieces: 0, pieceBytes: 0 };
  let messages = 0;
  let messageBytes = 0;
  let names = 0;
  let isProven = false;
  return {
    peer: peerOf(socket),
    banish,
    culprit: isGood
      ? culpritWith(certificate, socket.remoteAddress)
      : culpritAt(socket.remoteAddress),
    traffic: () => ({
      readBytes: socket.bytesRead,
      writtenBytes: socket.bytesWritten,
      pieces,
      pieceBytes,
      messages,
      messageBytes,
      names,
      isProven,
    }),
    readBytes: () => socket.bytesRead,
    tookPiece(bytes) {
      pieces += 1;
      pieceBytes += bytes;
      if (pieces - seen.pieces > unseenPiecesMax || pieceBytes - seen.pieceBytes > unseenBytesMax) {
        seen = { pieces, pieceBytes };
        look();
      }
    },
    took(bytes) {
      messages += 1;
      messageBytes += bytes;
    },
    askedFor(count) {
      names += count;
      if (count > manyNames) {
        look();
      }
    },
    proven() {
      isProven = true;
    },
    state: () => {
      if (socket.readableEnded) {
        return 'ended';
      }
      return socket.destroyed ? 'broken' : 'open';
    },
    cut: () => socket.destroy(),
    isLeaving: false,
    opened: { sinceMs: 0, count: 0 },
    certificate,
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
