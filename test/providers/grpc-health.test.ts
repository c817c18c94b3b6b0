/** The health check against real gRPC servers, in plain text and over TLS. */
import { readFileSync } from 'node:fs';
import { ServerCredentials, status } from '@grpc/grpc-js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { certificateFolder } from '../support/certificates.js';
import { ask, provider } from './asking.js';
import { type HealthServer, type ServingStatus, startHealthServer } from './health-server.js';

const test = suite<{ server: HealthServer }>('gRPC health');

test.before.each(async (context) => {
  context.server = await startHealthServer();
});
test.after.each(({ server }) => server.stop());

const question = { kind: 'grpc', service: 'shop.Checkout' } as const;

const statuses: readonly (readonly [ServingStatus, object])[] = [
  ['SERVING', { kind: 'health', status: 'SERVING' }],
  ['NOT_SERVING', { kind: 'health', status: 'NOT_SERVING' }],
  ['UNKNOWN', { kind: 'noData', code: 'grpc-unknown', message: 'somebody answered UNKNOWN' }],
  [
    'SERVICE_UNKNOWN',
    { kind: 'noData', code: 'grpc-unknown', message: 'somebody answered SERVICE_UNKNOWN' },
  ],
];

for (const [answer, expected] of statuses) {
  test(`${answer} is read`, async ({ server }) => {
    server.set(answer);
    assert.equal(await ask(provider('grpc', server.url), question), expected);
  });
}

const failures: readonly (readonly [string, number, string, string])[] = [
  ['no health check', status.UNIMPLEMENTED, 'grpc-unimplemented', 'somebody has no health check'],
  [
    'wrong credentials',
    status.UNAUTHENTICATED,
    'grpc-refused',
    'somebody refused it; look at its credentials',
  ],
  ['a fault', status.INTERNAL, 'grpc-error', 'somebody answered INTERNAL'],
];

for (const [what, code, expected, message] of failures) {
  test(`${what} is ${expected}`, async ({ server }) => {
    server.set(code);
    const outcome = await ask(provider('grpc', server.url), question);
    assert.equal(outcome, { kind: 'error', code: expected, message });
  });
}

test('a service that is not known, silence and a dead port are told apart', async ({ server }) => {
  server.set('silence');
  const other = await ask(provider('grpc', server.url), { kind: 'grpc', service: 'other' });
  assert.is(other.kind === 'error' ? other.code : '', 'grpc-service-unknown');
  const silent = await ask(provider('grpc', server.url, { timeoutMs: 150 }), question);
  assert.equal(silent, {
    kind: 'error',
    code: 'provider-timeout',
    message: 'somebody did not answer within 150ms',
  });
  server.stop();
  const dead = await ask(provider('grpc', server.url), question);
  assert.equal(dead, {
    kind: 'error',
    code: 'provider-unreachable',
    message: 'somebody cannot be reached',
  });
});

test('the token goes along', async ({ server }) => {
  const token = { kind: 'file', path: 'token' } as const;
  await ask(provider('grpc', server.url, { credentials: { kind: 'bearer', token } }), question);
  assert.match(server.tokens[0] ?? '', /^Bearer /);
});

test('a server whose authority is not trusted is not asked', async () => {
  const folder = await certificateFolder();
  const [key, chain] = ['server.key', 'server.pem'].map((file) =>
    readFileSync(`${folder}/${file}`),
  );
  const pair = { private_key: key as Buffer, cert_chain: chain as Buffer };
  const server = await startHealthServer(ServerCredentials.createSsl(null, [pair]));
  const outcome = await ask(provider('grpc', `grpcs://127.0.0.1:${server.port}`), question);
  assert.is(outcome.kind, 'error');
  assert.equal(server.tokens, []);
  server.stop();
});

test.run();
