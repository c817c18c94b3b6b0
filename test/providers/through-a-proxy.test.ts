/** Providers behind the proxy of the environment, which knows their names, over TLS that the operator trusts. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { certificateFolder } from '../support/certificates.js';
import {
  type ConnectProxy,
  startConnectProxy,
  withProxyVariables,
} from '../support/connect-proxy.js';
import { ask, provider } from './asking.js';

interface Context {
  readonly caFile: string;
  readonly proxy: ConnectProxy;
  readonly stop: () => void;
}

const test = suite<Context>('providers through a proxy');

const question = { kind: 'http', method: 'GET', path: '/run', statuses: [] } as const;

test.before.each(async (context) => {
  const folder = await certificateFolder();
  const [key, cert] = ['server.key', 'server.pem'].map((file) => readFileSync(`${folder}/${file}`));
  const server = createServer({ key, cert }, (_, response) => response.end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = await startConnectProxy((server.address() as AddressInfo).port);
  const stop = () => {
    server.closeAllConnections();
    server.close();
    proxy.stop();
  };
  Object.assign(context, { caFile: `${folder}/ca.pem`, proxy, stop });
});

test.after.each(({ stop }) => stop());

test('HTTPS_PROXY leads there, and the configured authority is trusted', ({ caFile, proxy }) =>
  withProxyVariables({ HTTPS_PROXY: proxy.url }, async () => {
    const asked = provider('http', 'https://server.internal/base', { caFile });
    assert.equal(await ask(asked, question), { kind: 'response', status: 200 });
    assert.equal(proxy.tunnels, ['server.internal:443']);
  }));

test('a server of an authority that nobody named is not trusted', ({ proxy }) =>
  withProxyVariables({ HTTPS_PROXY: proxy.url }, async () => {
    const outcome = await ask(provider('http', 'https://server.internal'), question);
    assert.is(outcome.kind === 'error' ? outcome.code : outcome.kind, 'provider-tls');
  }));

test('what NO_PROXY names is asked directly', ({ proxy }) =>
  withProxyVariables({ HTTPS_PROXY: proxy.url, NO_PROXY: '.invalid' }, async () => {
    const outcome = await ask(provider('http', 'https://server.invalid'), question);
    assert.is(outcome.kind === 'error' ? outcome.code : outcome.kind, 'provider-unreachable');
    assert.equal(proxy.tunnels, []);
  }));

test.run();
