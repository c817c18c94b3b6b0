/** Small real servers, on free ports of 127.0.0.1 unless told otherwise, for proxies to send traffic to. */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import type { SocketAddress } from '../../controller/envoy/snapshot.js';

const anyPort: SocketAddress = { address: '127.0.0.1', port: 0 };

export interface App {
  readonly port: number;
  stop(): Promise<void>;
}

/** Keeps its connections for as long as it lives: one that it closed could take a request with it. */
export function startHttpApp(answer: RequestListener, at = anyPort): Promise<App> {
  const server = createHttpServer(answer);
  server.keepAliveTimeout = 0;
  return startApp(server, at);
}

export function startTcpApp(serve: (socket: Socket) => void, at = anyPort): Promise<App> {
  return startApp(createTcpServer(serve), at);
}

async function startApp(server: Server, { address, port }: SocketAddress): Promise<App> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) {
          socket.destroy();
        }
      }),
  };
}
