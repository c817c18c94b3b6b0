/** Providers behind the proxy of the environment, which knows their names, over TLS that the operator trusts. */
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { certificateFolder } from '../support/certificates.js';
import { ask, provider } from './asking.js';

const test = suite('providers through a proxy');

const question = { kind: 'http', method: 'GET', path: '/run', statuses: [] } as const;

/** A TLS server of `server.internal`, and a proxy that leads every tunnel to it. */
async function start() {
  const folder = await certificateFolder();
  const [key, cert] = ['server.key', 'server.pem'].map((file) => readFileSync(`${folder}/${file}`));
  const server = createTlsServer({ key, cert }, (_, response) => response.end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const tunnels: string[] = [];
  const proxy = createHttpServer();
  proxy.on('connect', (request, socket) => {
    tunnels.push(request.url ?? '');
    const upstream = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.closeAllConnections();
    server.close();
    proxy.close();
  };
  return { caFile: `${folder}/ca.pem`, port: (proxy.address() as AddressInfo).port, tunnels, stop };
}

const variables = ['HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy'] as const;
let before: readonly (readonly [string, string | undefined])[] = [];

test.before.each(() => {
  before = variables.map((name) => [name, process.env[name]]);
  for (const name of variables) {
    delete process.env[name];
  }
});

test.after.each(() => {
  for (const [name, value] of before) {
    if (value === undefined) {
      delete process.env[name];
    } else {
      process.env[name] = value;
    }
  }
});

test('HTTPS_PROXY leads there, and the authority of the configuration is trusted', async () => {
  const { caFile, port, tunnels, stop } = await start();
  process.env.HTTPS_PROXY = `http://127.0.0.1:${port}`;
  const asked = provider('http', 'https://server.internal/base', { caFile });
  assert.equal(await ask(asked, question), { kind: 'response', status: 200 });
  assert.equal(tunnels, ['server.internal:443']);
  stop();
});

test('a server of an authority that nobody named is not trusted', async () => {
  const { port, stop } = await start();
  process.env.HTTPS_PROXY = `http://127.0.0.1:${port}`;
  const outcome = await ask(provider('http', 'https://server.internal'), question);
  assert.is(outcome.kind === 'error' ? outcome.code : outcome.kind, 'provider-tls');
  stop();
});

test('what NO_PROXY names is asked directly', async () => {
  const { port, tunnels, stop } = await start();
  process.env.HTTPS_PROXY = `http://127.0.0.1:${port}`;
  process.env.NO_PROXY = '.invalid';
  const outcome = await ask(provider('http', 'https://server.invalid'), question);
  assert.is(outcome.kind === 'error' ? outcome.code : outcome.kind, 'provider-unreachable');
  assert.equal(tunnels, []);
  stop();
});

test.run();
