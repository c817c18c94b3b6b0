/** The demo's services: three versions of a checkout that answer with their own name. */
import { createServer, type Server } from 'node:http';

export interface DemoService {
  readonly version: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** `errorShare` of the answers, 0 to 1, are 500: every n-th, so that the story is the same each time. */
export async function startService(version: string, errorShare: number): Promise<DemoService> {
  let count = 0;
  const server = createServer((_request, response) => {
    count += 1;
    const isError = Math.floor(count * errorShare) > Math.floor((count - 1) * errorShare);
    response.writeHead(isError ? 500 : 200, { 'x-version': version });
    response.end(isError ? `${version}: out of stock exception\n` : `${version}: thank you\n`);
  });
  // Envoy keeps its connections; a server that closes them first would break requests in flight.
  server.keepAliveTimeout = 0;
  const port = await listen(server);
  return { version, port, stop: () => close(server) };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });
}
