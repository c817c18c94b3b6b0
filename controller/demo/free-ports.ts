/** Ports that are free now, for processes that must be told theirs before they start. */
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/**
 * Below the ports that Linux and macOS give to outgoing connections: one of those may be taken at any
 * moment by whoever connects to somewhere, and then an Envoy cannot listen.
 */
const range = { from: 20_000, below: 32_000 } as const;

/** Of so many random ports one is free, or none is to be had. */
const triesMax = 100;

/**
 * `count` different free ports of 127.0.0.1. All are held at once before any is let go, so that they
 * differ; another process could still take one before it is used, which is why this is for demos only.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => hold(triesMax)));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
  );
  return ports;
}

async function hold(tries: number): Promise<Server> {
  try {
    return await listen(randomInt(range.from, range.below));
  } catch (error) {
    if (tries <= 1) {
      throw error;
    }
    return hold(tries - 1);
  }
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
