/** Every refusal is counted and logged once, and falls on nobody but the one who earned it. */
import { readFile } from 'node:fs/promises';
import type { ClientHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { credentials } from '@grpc/grpc-js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createAdmission } from '../../controller/admission/admission.js';
import { parseRules } from '../../controller/admission/rules.js';
import { createClock } from '../../controller/clock.js';
import type { Admission } from '../../controller/xds/admission.js';
import { createAuthority } from '../support/authority.js';
import type { Issued } from '../support/certificates.js';
import { openSession, openStream } from '../support/raw-http2.js';
import { recordingLogger } from '../support/recording-logger.js';
import { skippingClock } from '../support/skipping-clock.js';
import { XdsClient } from '../support/xds-client.js';
import { startTestServer } from '../support/xds-server.js';

const ads = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources';
/** Whom the certificates of the test may be. */
const cart = 'mesh/shop/virtualNode/cart';

const fetchStatus = '/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus';

test('43: connections above the ceiling are dropped, counted and logged', async () => {
  const t = await startTestServer({ connectionsMax: 1 });
  const { address: host, port } = t.address;
  const [first, second] = [connect({ host, port }), connect({ host, port })];
  try {
    await t.untilLogged(({ event }) => event === 'xds.denied');
    const [line] = t.logger.lines.filter(({ event }) => event === 'xds.denied');
    assert.is(line?.fields.reason, 'connections');
    assert.is(line?.fields.message, 'more than 1 connections');
    assert.match(String(line?.fields.peer), /^127\.0\.0\.1:\d+$/);
    assert.is(t.server.refusals().get('connections'), 1);
  } finally {
    first.destroy();
    second.destroy();
    await t.stop();
  }
});

/** Lets everybody in until `revoke` is called. */
function revocable(): { readonly admission: Admission; revoke(): void } {
  let fault: string | undefined;
  const caller = {
    name: 'token a1',
    mayBe: () => true,
    isOperator: true,
    standing: () => fault,
  };
  return {
    admission: { admit: () => ({ caller }) },
    revoke() {
      fault = 'it is revoked';
    },
  };
}

/** The status in the trailers, of a stream that the client leaves open on its side. */
function statusOf(stream: ClientHttp2Stream): Promise<unknown> {
  return new Promise((resolve) => {
    const take = (headers: Readonly<Record<string, unknown>>): void => {
      if (headers['grpc-status'] !== undefined) {
        resolve(headers['grpc-status']);
      }
    };
    stream.on('response', take).on('trailers', take).resume();
  });
}

for (const [what, path] of [
  ['a stream', ads],
  ['a call of one request that is not yet asked', fetchStatus],
] as const) {
  test(`${what} whose caller no longer counts is ended, and counted once`, async () => {
    const clock = skippingClock();
    const { admission, revoke } = revocable();
    const t = await startTestServer({}, clock, admission);
    const session = await openSession(t.address);
    try {
      const stream = openStream(session, path);
      const status = statusOf(stream);
      // The server answers in order, so it has seen the stream by then.
      await new Promise((resolve) => session.ping(resolve));
      clock.skip(1_000);
      assert.is(t.server.refusals().get('unauthenticated'), 0);
      revoke();
      clock.skip(1_000);
      assert.is(await status, '16');
      clock.skip(1_000);
      clock.skip(1_000);
      assert.is(t.server.refusals().get('unauthenticated'), 1);
    } finally {
      session.destroy();
      await t.stop();
    }
  });
}

test('who is cut is kept out, and others with the same names are not', async () => {
  const authority = await createAuthority();
  const san = 'URI:spiffe://shop.example/ns/shop/sa/cart';
  const parsed = parseRules(
    'spiffe://shop.example/ns/{mesh}/sa/{name} => mesh/{mesh}/virtualNode/{name}',
  );
  const server = await authority.issue('server', 'DNS:headgate.internal');
  const [bad, good] = [await authority.issue('bad', san), await authority.issue('good', san)];
  const settings = {
    certificate: server.chain,
    key: server.key,
    clientCa: authority.ca,
    rules: 'value' in parsed ? parsed.value : [],
  };
  const admission = createAdmission(settings, { clock: createClock(), logger: recordingLogger() });
  const t = await startTestServer({ streamsPerSecondMax: 2 }, createClock(), admission);
  const clients: XdsClient[] = [];
  const clientOf = async ({ key, chain }: Issued) => {
    const files = [authority.ca, key, chain].map((path) => readFile(path));
    const [ca, keyPem, chainPem] = await Promise.all(files);
    const channel = credentials.createSsl(ca ?? null, keyPem, chainPem);
    const client = new XdsClient(t.address, { channel });
    clients.push(client);
    return client;
  };
  t.serve(cart, { cds: ['a'] });
  try {
    const hasty = await clientOf(bad);
    const endings = Array.from({ length: 8 }, () => hasty.sotw(cart).raw.ended());
    await Promise.all(endings);
    assert.ok((t.server.refusals().get('streams') ?? 0) > 0, 'it was cut for its haste');
    const again = (await clientOf(bad)).sotw(cart);
    again.send('cluster');
    assert.is((await again.raw.ended()).code, 14, 'the same certificate is kept out');
    const other = (await clientOf(good)).sotw(cart);
    other.send('cluster');
    await other.receive('cluster');
  } finally {
    for (const client of clients) {
      client.close();
    }
    await t.stop();
    admission.stop();
    await authority.remove();
  }
});

test.run();
