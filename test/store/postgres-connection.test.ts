/** A PostgreSQL that ends a session at the worst moment, played by a socket: the process must live. */
import { type AddressInfo, createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PostgresConnection } from '../../controller/store/postgres-connection.js';
import { postgresSettings } from '../../controller/store/postgres-settings.js';
import { recordingLogger } from '../support/recording-logger.js';
import { opError } from './store-suite.js';

const test = suite('a connection to PostgreSQL');

test('a session that is ended in the packet that opens it is an error of its question', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      const welcome = Buffer.concat([
        message('R', Buffer.alloc(4)),
        message('Z', Buffer.from('I')),
      ]);
      const fields = 'SFATAL\0C57P01\0Mterminating connection\0\0';
      socket.end(Buffer.concat([welcome, message('E', Buffer.from(fields))]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const settings = postgresSettings(`postgres://u@127.0.0.1:${port}/d`, undefined);
  const connection = new PostgresConnection(settings, recordingLogger());
  try {
    const error = await opError(connection.query('SELECT 1'));
    assert.is(error.code, 'store-unreachable');
  } finally {
    await connection.close();
    server.close();
  }
});

test.run();

/** One message of the protocol: a letter, its length and its body. */
function message(letter: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(letter);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
