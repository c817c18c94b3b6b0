/** A chat server on loopback that answers as a test tells it and remembers what it was sent. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Answer = (response: ServerResponse, request: ReceivedRequest) => void;

export interface ChatServer {
  readonly url: string;
  /** In the order of arrival. */
  readonly requests: readonly ReceivedRequest[];
  /** From now on answers like this. */
  answer(answer: Answer): void;
  /** Resolves once at least `count` requests have come in whole. */
  until(count: number): Promise<void>;
  /** Closes the port and every connection. */
  close(): Promise<void>;
}

/** Answers with `status` and nothing else. */
export function status(code: number, headers: Record<string, string> = {}, body = ''): Answer {
  return (response) => response.writeHead(code, headers).end(body);
}

export async function startChatServer(port = 0): Promise<ChatServer> {
  const requests: ReceivedRequest[] = [];
  let waiting: readonly { readonly count: number; readonly resolve: () => void }[] = [];
  let current: Answer = status(200, {}, 'ok');
  const server = createServer((incoming, response) => {
    void receive(incoming).then((request) => {
      requests.push(request);
      current(response, request);
      const met = waiting.filter(({ count }) => count <= requests.length);
      waiting = waiting.filter((waiter) => !met.includes(waiter));
      for (const { resolve } of met) {
        resolve();
      }
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T0/B0/s3cret`,
    requests,
    answer: (answer) => {
      current = answer;
    },
    until: (count) =>
      new Promise((resolve) => {
        if (requests.length >= count) {
          resolve();
        } else {
          waiting = [...waiting, { count, resolve }];
        }
      }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function receive(incoming: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) {
    chunks.push(chunk as Buffer);
  }
  return {
    path: incoming.url ?? '',
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}
