/** A TCP way to a database that a test can cut, stop, slow down, or cut just when a commit is on its way. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Undo } from './stage.js';

/** `cut`: connections end and new ones are refused. `hole`: nothing comes through, and nobody is told. */
export type LinkMode = 'open' | 'cut' | 'hole' | 'slow' | 'cutAtCommit';

export interface DatabaseLink {
  /** `url` by way of this link. */
  through(url: string): string;
  set(mode: LinkMode): void;
  /** How often a commit's answer was cut off. */
  readonly cuts: number;
}

const slowMs = 8_000;

export async function openLink(undo: Undo, port: number): Promise<DatabaseLink> {
  let mode: LinkMode = 'open';
  let cuts = 0;
  const pairs = new Set<readonly [Socket, Socket]>();
  const waiting: (() => void)[] = [];
  const end = (pair: readonly [Socket, Socket]): void => {
    pairs.delete(pair);
    for (const socket of pair) {
      socket.destroy();
    }
  };
  const pass = (pair: readonly [Socket, Socket], to: Socket, chunk: Buffer): void => {
    if (mode === 'hole') {
      waiting.push(() => to.write(chunk));
    } else if (mode === 'slow') {
      let isSent = false;
      const send = () => {
        if (!isSent) {
          isSent = true;
          to.write(chunk);
        }
      };
      // What comes after a change of the mode never overtakes it.
      waiting.push(send);
      setTimeout(send, slowMs).unref();
    } else {
      to.write(chunk);
      if (mode === 'cutAtCommit' && to === pair[1] && chunk.includes('COMMIT')) {
        cuts += 1;
        mode = 'open';
        // The database has it; nobody hears what came of it.
        pair[1].removeAllListeners('data');
        setTimeout(() => end(pair), 200);
      }
    }
  };
  const server = createServer((client) => {
    if (mode === 'cut') {
      client.destroy();
      return;
    }
    const upstream = connect(port, '127.0.0.1');
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.on('data', (chunk) => pass(pair, upstream, chunk));
    upstream.on('data', (chunk) => pass(pair, client, chunk));
    for (const socket of pair) {
      socket.on('error', () => end(pair));
      socket.on('close', () => end(pair));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = (server.address() as AddressInfo).port;
  undo.push(() => {
    server.close();
    for (const pair of pairs) {
      end(pair);
    }
  });
  return {
    through: (url) => url.replace(`:${port}/`, `:${own}/`),
    set(next) {
      mode = next;
      if (next === 'cut') {
        for (const pair of pairs) {
          end(pair);
        }
      }
      if (next !== 'hole') {
        for (const send of waiting.splice(0)) {
          send();
        }
      }
    },
    get cuts() {
      return cuts;
    },
  };
}
