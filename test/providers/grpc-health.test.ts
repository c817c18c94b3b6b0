/** The health check against real gRPC servers, in plain text and over TLS. */
import { readFileSync } from 'node:fs';
import { Server, ServerCredentials, type ServiceDefinition, status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { certificateFolder } from '../support/certificates.js';
import { ask, provider } from './asking.js';

const test = suite('gRPC health');

const { root } = protobuf.parse(`
  syntax = "proto3";
  package grpc.health.v1;
  message HealthCheckRequest { string service = 1; }
  message HealthCheckResponse { int32 status = 1; }
`);
const request = root.lookupType('grpc.health.v1.HealthCheckRequest');
const response = root.lookupType('grpc.health.v1.HealthCheckResponse');

const definition: ServiceDefinition = {
  check: {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: (value: object) => Buffer.from(request.encode(value).finish()),
    requestDeserialize: (bytes: Buffer) => request.decode(bytes),
    responseSerialize: (value: object) => Buffer.from(response.encode(value).finish()),
    responseDeserialize: (bytes: Buffer) => response.decode(bytes),
  },
};

type Reply = (error: { readonly code: number } | null, value?: object) => void;

/** A server that answers for `shop.Checkout` with `answer`; its port, and how to stop it. */
async function serve(
  answer: (reply: Reply, token: string) => void,
  credentials = ServerCredentials.createInsecure(),
) {
  const server = new Server();
  server.addService(definition, {
    check: (
      call: {
        request: { service: string };
        metadata: { get: (name: string) => readonly unknown[] };
      },
      reply: Reply,
    ) =>
      call.request.service === 'shop.Checkout'
        ? answer(reply, String(call.metadata.get('authorization')[0] ?? ''))
        : reply({ code: status.NOT_FOUND }),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { url: `grpc://127.0.0.1:${port}`, port, stop: () => server.forceShutdown() };
}

const question = { kind: 'grpc', service: 'shop.Checkout' } as const;

const statuses: readonly (readonly [number, object])[] = [
  [1, { kind: 'health', status: 'SERVING' }],
  [2, { kind: 'health', status: 'NOT_SERVING' }],
  [0, { kind: 'noData', code: 'grpc-unknown', message: 'somebody answered UNKNOWN' }],
  [3, { kind: 'noData', code: 'grpc-unknown', message: 'somebody answered SERVICE_UNKNOWN' }],
];

for (const [number, expected] of statuses) {
  test(`status ${number} is read`, async () => {
    const server = await serve((reply) => reply(null, { status: number }));
    assert.equal(await ask(provider('grpc', server.url), question), expected);
    server.stop();
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
  test(`${what} is ${expected}`, async () => {
    const server = await serve((reply) => reply({ code }));
    const outcome = await ask(provider('grpc', server.url), question);
    assert.equal(outcome, { kind: 'error', code: expected, message });
    server.stop();
  });
}

test('a service that is not known, a port that is dead and silence are told apart', async () => {
  const server = await serve(() => {});
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

test('the token goes along', async () => {
  let seen = '';
  const server = await serve((reply, token) => {
    seen = token;
    reply(null, { status: 1 });
  });
  const token = { kind: 'file', path: 'token' } as const;
  await ask(provider('grpc', server.url, { credentials: { kind: 'bearer', token } }), question);
  assert.match(seen, /^Bearer /);
  server.stop();
});

test('a server whose authority is not trusted is not asked', async () => {
  const folder = await certificateFolder();
  const [key, chain] = ['server.key', 'server.pem'].map((file) =>
    readFileSync(`${folder}/${file}`),
  );
  const pair = { private_key: key as Buffer, cert_chain: chain as Buffer };
  let isAsked = false;
  const server = await serve(
    (reply) => {
      isAsked = true;
      reply(null, { status: 1 });
    },
    ServerCredentials.createSsl(null, [pair]),
  );
  const outcome = await ask(provider('grpc', `grpcs://127.0.0.1:${server.port}`), question);
  assert.is(outcome.kind, 'error');
  assert.not.ok(isAsked);
  server.stop();
});

test.run();
