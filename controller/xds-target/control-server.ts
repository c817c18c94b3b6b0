/** `POST /state` and `POST /trigger` over HTTP, JSON both ways. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorText } from '../base/op-error.js';
import type { HostPort } from '../base/socket-address.js';

export interface ControlHandlers {
  /** Publishes before it returns. An error is answered as 400 with its message. */
  setState(body: unknown): void;
  trigger(): { readonly marker: string };
}

export interface ControlServer {
  readonly address: HostPort;
  stop(): Promise<void>;
}

/** Rejects where `listen` cannot be had. */
export async function startControlServer(
  listen: HostPort,
  handlers: ControlHandlers,
): Promise<ControlServer> {
  const server = createServer(async (request, response) => {
    const { code, body } = await answer(request, handlers);
    response.writeHead(code, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(body)}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.address, resolve);
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    address: { address, port },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  handlers: ControlHandlers,
): Promise<{ readonly code: number; readonly body: object }> {
  const route = `${request.method} ${request.url}`;
  try {
    switch (route) {
      case 'POST /state':
        handlers.setState(JSON.parse(await textOf(request)));
        return { code: 200, body: {} };
      case 'POST /trigger':
        return { code: 200, body: handlers.trigger() };
      default:
        return { code: 404, body: { error: `${route}: there is POST /state and POST /trigger` } };
    }
  } catch (error) {
    return { code: 400, body: { error: errorText(error) } };
  }
}

/** A state of 100,000 resources of each type with long names is less. */
const bodyBytesMax = 64 * 1024 * 1024;

/** @throws where it is too long, or not UTF-8. */
async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length <= bodyBytesMax) {
      pieces.push(piece);
    }
  }
  if (length > bodyBytesMax) {
    // Only now: who is still sending would not read the answer.
    throw new RangeError(`the body has over ${bodyBytesMax} bytes`);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces));
}
