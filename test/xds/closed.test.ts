/**
 * The xDS port to strangers and to neighbours: who is let in over TLS and with tokens, what each may see,
 * and what happens to streams when certificates, authorities, lists and keys change under them.
 */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AdmissionSettings, createAdmission } from '../../controller/admission/admission.js';
import { parseRules } from '../../controller/admission/rules.js';
import { issueToken } from '../../controller/admission/tokens.js';
import { createClock } from '../../controller/clock.js';
import { decodeMessage, encodeMessage } from '../../controller/envoy/encode.js';
import { type Authority, createAuthority, joined } from '../support/authority.js';
import type { Issued } from '../support/certificates.js';
import { type RecordingLogger, recordingLogger } from '../support/recording-logger.js';
import { skippingClock } from '../support/skipping-clock.js';
import { type SotwStream, XdsClient } from '../support/xds-client.js';
import { startTestServer, type TestServer } from '../support/xds-server.js';

interface Context {
  authority: Authority;
  stranger: Authority;
  server: Issued;
  issued: Readonly<Record<'cart' | 'till' | 'staff' | 'nobody' | 'expired' | 'foreign', Issued>>;
}

const closed = suite<Context>('xds: closed to strangers');

const cart = 'mesh/shop/virtualNode/cart';
const till = 'mesh/shop/virtualNode/till';
const rules = [
  'spiffe://shop.example/ns/{mesh}/sa/{name} => mesh/{mesh}/virtualNode/{name}',
  'dns:*.staff.internal => operator',
].join('\n');

closed.before(async (context) => {
  const [authority, stranger] = await Promise.all([createAuthority(), createAuthority('stranger')]);
  const spiffe = (name: string) => `URI:spiffe://shop.example/ns/shop/sa/${name}`;
  context.authority = authority;
  context.stranger = stranger;
  context.server = await authority.issue('server', 'DNS:headgate.internal');
  context.issued = {
    cart: await authority.issue('cart', spiffe('cart')),
    till: await authority.issue('till', spiffe('till')),
    staff: await authority.issue('staff', 'DNS:ann.staff.internal'),
    nobody: await authority.issue('nobody', 'DNS:nobody.example'),
    expired: await authority.issue('expired', spiffe('cart'), {
      from: '20200101000000Z',
      to: '20200102000000Z',
    }),
    foreign: await stranger.issue('cart', spiffe('cart')),
  };
});

closed.after(async ({ authority, stranger }) => {
  await Promise.all([authority.remove(), stranger.remove()]);
});

interface Port {
  readonly t: TestServer;
  /** What the reading of certificates and tokens says. */
  readonly log: RecordingLogger;
  /** Lets `ms` pass at once, for the server too. */
  skip(ms: number): void;
  /** The files are read anew, and every stream is looked at for whether it still counts. */
  reread(): void;
  /** The files that the server reads, for tests to change. */
  readonly path: (name: string) => string;
  connect(proof: { readonly who?: Issued; readonly token?: string }): Promise<XdsClient>;
  refused(reason: string): number;
}

const key = 'secret-key-of-the-tokens-of-a-test';
const tokenFor = (node: string, id = 'a1', livesS = 3600): string => {
  const issuedAtS = Math.floor(Date.now() / 1000);
  return issueToken({ id, node, issuedAtS, expiresAtS: issuedAtS + livesS }, key);
};

/** Plays `play` against a server that asks for certificates, for tokens, or for either. */
async function withPort(
  context: Context,
  asks: readonly ('certificates' | 'tokens')[],
  play: (port: Port) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-port-'));
  const path = (name: string) => join(folder, name);
  const { authority, server } = context;
  await Promise.all([
    copyFile(server.chain, path('tls.crt')),
    copyFile(server.key, path('tls.key')),
    copyFile(authority.ca, path('ca.crt')),
    copyFile(authority.crl, path('ca.crl')),
    writeFile(path('token.key'), `${key}\n`),
    writeFile(path('revoked'), ''),
  ]);
  const parsed = parseRules(rules);
  const settings: AdmissionSettings = {
    certificate: path('tls.crt'),
    key: path('tls.key'),
    rules: [],
    ...(asks.includes('certificates') && {
      clientCa: path('ca.crt'),
      crl: path('ca.crl'),
      rules: 'value' in parsed ? parsed.value : [],
    }),
    ...(asks.includes('tokens') && { tokenKey: path('token.key'), tokensRevoked: path('revoked') }),
  };
  const clock = skippingClock();
  const log = recordingLogger();
  const admission = createAdmission(settings, { clock, logger: log });
  const t = await startTestServer({}, clock, admission);
  const clients: XdsClient[] = [];
  t.serve(cart, { cds: ['a'], sds: ['cart-key', 'barrier'] });
  t.serve(till, { cds: ['b'], sds: ['till-key', 'barrier'] });
  try {
    await play({
      t,
      log,
      skip: clock.skip,
      reread() {
        // Whichever of the two, which look once a second, comes first: the second time it is after the other.
        clock.skip(1_000);
        clock.skip(1_000);
      },
      path,
      async connect({ who, token }) {
        const channel = await channelOf(await readFile(path('ca.crt')), who);
        const client = new XdsClient(t.address, { channel, token });
        clients.push(client);
        return client;
      },
      refused: (reason) => t.server.refusals().get(reason) ?? Number.NaN,
    });
  } finally {
    for (const client of clients) {
      client.close();
    }
    await t.stop();
    admission.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function channelOf(ca: Buffer, who: Issued | undefined): Promise<ChannelCredentials> {
  return who === undefined
    ? credentials.createSsl(ca)
    : credentials.createSsl(ca, await readFile(who.key), await readFile(who.chain));
}

/** How a stream of clusters as `nodeId` ends that must not be answered. */
async function ending(client: XdsClient, nodeId: string) {
  const stream = client.sotw(nodeId);
  stream.send('cluster');
  return stream.raw.ended();
}

async function subscribed(client: XdsClient, nodeId: string): Promise<SotwStream> {
  const stream = client.sotw(nodeId);
  stream.send('cluster');
  stream.ack(await stream.receive('cluster'));
  return stream;
}

closed('a certificate is its node, and no other node', async (context) => {
  await withPort(context, ['certificates'], async ({ t, connect, refused }) => {
    const client = await connect({ who: context.issued.cart });
    const stream = await subscribed(client, cart);
    const { code, details } = await ending(client, till);
    assert.is(code, 7, 'PERMISSION_DENIED');
    assert.is(
      details,
      'spiffe://shop.example/ns/shop/sa/cart may not be node mesh/shop/virtualNode/till; correct node.id ' +
        'of the proxy, or the rule or token that says what it may be',
    );
    assert.is((await ending(client, '')).code, 7);
    assert.is((await ending(client, `${cart}/x`)).code, 7);
    assert.is(refused('node'), 3);
    const denied = t.logger.lines.find((line) => line.event === 'xds.denied');
    assert.is(denied?.fields.caller, 'spiffe://shop.example/ns/shop/sa/cart');
    await stream.quiet();
  });
});

closed(
  'a secret of another node is not returned, asked for by name or with everything',
  async (context) => {
    await withPort(context, ['certificates'], async ({ connect }) => {
      const client = await connect({ who: context.issued.cart });
      const stream = client.delta(cart);
      stream.send('secret', { resource_names_subscribe: ['till-key', 'cart-key', '*'] });
      const names: string[] = [];
      for (let round = 0; round < 2 && !names.includes('cart-key'); round += 1) {
        const response = await stream.receive('secret');
        stream.ack(response);
        names.push(...response.names);
      }
      assert.ok(names.includes('cart-key'));
      assert.not(names.includes('till-key'));
    });
  },
);

closed('no certificate, an expired, a foreign and a nameless one get nothing', async (context) => {
  await withPort(context, ['certificates'], async ({ t, connect, refused }) => {
    const { expired, foreign, nobody } = context.issued;
    for (const who of [undefined, expired, foreign]) {
      const { code, details } = await ending(await connect({ who }), cart);
      assert.is(code, 14, details);
    }
    await t.untilStatus(() => refused('handshake') >= 3);
    const { code, details } = await ending(await connect({ who: nobody }), cart);
    assert.is(code, 16, 'UNAUTHENTICATED');
    assert.match(details, /no rule of xdsClients is about nobody\.example/);
    assert.is(refused('unauthenticated'), 1);
    assert.equal(t.server.proxies(), []);
  });
});

closed('plain text to a TLS port gets nothing', async (context) => {
  await withPort(context, ['certificates'], async ({ t, refused }) => {
    const client = new XdsClient(t.address);
    assert.is((await ending(client, cart)).code, 14);
    client.close();
    await t.untilStatus(() => refused('handshake') > 0);
  });
});

const statusPath = '/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus';

async function statesSeenBy(client: XdsClient): Promise<readonly string[]> {
  const request = encodeMessage('envoy.service.status.v3.ClientStatusRequest', {});
  const answer = await client.call(statusPath, request);
  const { config = [] } = decodeMessage('envoy.service.status.v3.ClientStatusResponse', answer);
  return config.map(({ node }) => node?.id ?? '').sort();
}

closed('client status: a proxy sees itself, an operator all, and is no node', async (context) => {
  await withPort(context, ['certificates'], async ({ connect }) => {
    const proxy = await connect({ who: context.issued.cart });
    await subscribed(proxy, cart);
    await subscribed(await connect({ who: context.issued.till }), till);
    assert.equal(await statesSeenBy(proxy), [cart]);
    const staff = await connect({ who: context.issued.staff });
    assert.equal(await statesSeenBy(staff), [cart, till]);
    assert.is((await ending(staff, cart)).code, 7);
  });
});

for (const [service, message, path] of [
  [
    'load',
    'envoy.service.load_stats.v3.LoadStatsRequest',
    '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats',
  ],
  [
    'statistics',
    'envoy.service.metrics.v3.StreamMetricsMessage',
    '/envoy.service.metrics.v3.MetricsService/StreamMetrics',
  ],
] as const) {
  closed(`${service} of another node is not taken`, async (context) => {
    await withPort(context, ['certificates'], async ({ t, connect }) => {
      const stream = (await connect({ who: context.issued.cart })).open(path);
      const node = { id: till };
      stream.call.write(
        message === 'envoy.service.load_stats.v3.LoadStatsRequest'
          ? encodeMessage(message, { node, cluster_stats: [{ cluster_name: 'b' }] })
          : encodeMessage(message, { identifier: { node } }),
      );
      assert.is((await stream.ended()).code, 7);
      assert.equal(t.events, []);
    });
  });
}

closed('a revoked certificate loses its streams, and others keep theirs', async (context) => {
  const lost = await context.authority.issue('lost', `URI:spiffe://shop.example/ns/shop/sa/till`);
  await withPort(context, ['certificates'], async ({ path, reread, connect, refused }) => {
    const stays = await subscribed(await connect({ who: context.issued.cart }), cart);
    const goes = await subscribed(await connect({ who: lost }), till);
    await context.authority.revoke('lost');
    await copyFile(context.authority.crl, path('ca.crl'));
    reread();
    const { code, details } = await goes.raw.ended();
    assert.is(code, 16);
    assert.is(details, 'it is revoked');
    assert.is(refused('unauthenticated'), 1);
    await stays.quiet();
    assert.is((await ending(await connect({ who: lost }), till)).code, 14, 'nor a new handshake');
    await stays.quiet();
  });
});

closed('server certificate and authorities change, and streams stay', async (context) => {
  const { authority, stranger, issued } = context;
  const renewed = await authority.issue('renewed', 'DNS:headgate.internal');
  await withPort(context, ['certificates'], async ({ t, path, reread, connect }) => {
    const streams = await Promise.all(
      Array.from({ length: 50 }, async () => subscribed(await connect({ who: issued.cart }), cart)),
    );
    const before = await serialOf(t, issued.cart);
    await copyFile(renewed.key, path('tls.key'));
    await copyFile(renewed.chain, path('tls.crt'));
    await writeFile(path('ca.crt'), await joined(authority.ca, stranger.ca));
    await writeFile(path('ca.crl'), await joined(authority.crl, stranger.crl));
    reread();
    assert.is.not(await serialOf(t, issued.cart), before);
    await subscribed(await connect({ who: issued.foreign }), cart);
    t.serve(cart, { cds: ['a:2'], sds: ['barrier'] });
    for (const stream of streams) {
      stream.ack(await stream.receive('cluster'));
    }
    // The old authority goes: what it signed no longer counts, on streams that stand as well.
    await writeFile(path('ca.crt'), await joined(stranger.ca));
    await writeFile(path('ca.crl'), await joined(stranger.crl));
    reread();
    const endings = await Promise.all(streams.map((stream) => stream.raw.ended()));
    assert.equal([...new Set(endings.map(({ code }) => code))], [16]);
    assert.match(endings[0]?.details ?? '', /authority that signed it is none of the client/);
  });
});

closed('half-written files change nothing', async (context) => {
  await withPort(context, ['certificates'], async ({ t, log, path, reread, connect }) => {
    const stream = await subscribed(await connect({ who: context.issued.cart }), cart);
    const before = await serialOf(t, context.issued.cart);
    const whole = await readFile(path('tls.key'));
    await writeFile(path('tls.key'), whole.subarray(0, 80));
    reread();
    const [line] = await log.until('admission.broken', 1);
    assert.is(line?.fields.serving, 'what was read before');
    assert.is(await serialOf(t, context.issued.cart), before);
    await stream.quiet();
  });
});

/** The serial number of the certificate that the server shows now. */
function serialOf({ address }: TestServer, who: Issued): Promise<string> {
  return Promise.all([readFile(who.key), readFile(who.chain)]).then(
    ([clientKey, cert]) =>
      new Promise((resolve, reject) => {
        const { address: host, port } = address;
        const options = { host, port, key: clientKey, cert, rejectUnauthorized: false };
        const socket = connect({ ...options, ALPNProtocols: ['h2'] }, () => {
          resolve(socket.getPeerCertificate().serialNumber);
          socket.destroy();
        });
        socket.on('error', reject);
      }),
  );
}

closed('a token is its node, until it expires, is revoked or its key goes', async (context) => {
  await withPort(context, ['tokens'], async ({ path, reread, connect, refused }) => {
    const client = await connect({ token: tokenFor(cart) });
    const stream = await subscribed(client, cart);
    const stolen = await ending(client, till);
    assert.is(stolen.code, 7);
    assert.match(stolen.details, /^token a1 of mesh\/shop\/virtualNode\/cart may not be node mesh/);
    const none = await ending(await connect({}), cart);
    assert.is(none.code, 16);
    assert.match(none.details, /asks for a token in the header authorization, and there is none/);
    const old = await ending(await connect({ token: tokenFor(cart, 'b2', -60) }), cart);
    assert.is(old.code, 16);
    assert.match(old.details, /^token b2 expired at 20.*; make a new one with/);
    const forged = await ending(await connect({ token: `${tokenFor(cart)}x` }), cart);
    assert.is(forged.code, 16);
    assert.match(forged.details, /none that this controller has signed/);
    assert.not.match([none, old, forged].map(({ details }) => details).join(), /eyJ|secret-key/);
    const other = await subscribed(
      await connect({ token: tokenFor('mesh/shop/virtualNode/*', 'c3') }),
      till,
    );
    await writeFile(path('revoked'), 'a1 # lost\n');
    reread();
    const revoked = await stream.raw.ended();
    assert.is(revoked.code, 16);
    assert.match(revoked.details, /^token a1 is revoked/);
    await other.quiet();
    await writeFile(path('token.key'), `${'n'.repeat(32)}\n${key}\n`);
    await writeFile(path('revoked'), '');
    reread();
    await subscribed(client, cart);
    await other.quiet();
    await writeFile(path('token.key'), `${'n'.repeat(32)}\n`);
    reread();
    assert.match((await other.raw.ended()).details, /signed with a key that is no longer used/);
    assert.ok(refused('unauthenticated') >= 4);
  });
});

closed('a token that expires ends its streams', async (context) => {
  await withPort(context, ['tokens'], async ({ skip, connect }) => {
    const stream = await subscribed(await connect({ token: tokenFor(cart, 'd4') }), cart);
    const other = await subscribed(await connect({ token: tokenFor(till, 'e5', 7200) }), till);
    skip(3_600_000);
    assert.match((await stream.raw.ended()).details, /^token d4 expired at/);
    await other.quiet();
  });
});

closed('a token of an operator sees all, and is no node', async (context) => {
  await withPort(context, ['tokens'], async ({ connect }) => {
    await subscribed(await connect({ token: tokenFor(cart) }), cart);
    await subscribed(await connect({ token: tokenFor(till) }), till);
    const staff = await connect({ token: tokenFor('operator') });
    assert.equal(await statesSeenBy(staff), [cart, till]);
    assert.is((await ending(staff, cart)).code, 7);
  });
});

closed(
  'either way is one: a certificate without a token, a token without a certificate',
  async (context) => {
    await withPort(context, ['certificates', 'tokens'], async ({ connect }) => {
      await subscribed(await connect({ who: context.issued.cart }), cart);
      await subscribed(await connect({ token: tokenFor(till) }), till);
      const foreign = await ending(await connect({ who: context.issued.foreign }), cart);
      assert.is(foreign.code, 16);
      assert.match(foreign.details, /does not count: /);
      assert.is((await ending(await connect({}), cart)).code, 16);
    });
  },
);

closed('an empty or half-written revocation list is refused', async ({ authority, server }) => {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-list-'));
  const crl = join(folder, 'ca.crl');
  const whole = await readFile(authority.crl, 'utf8');
  const parsed = parseRules(rules);
  for (const [text, words] of [
    ['', /has no revocation list/],
    [whole.slice(0, 100), /has a list without an end/],
    [`${whole}${whole.slice(0, 100)}`, /has a list without an end/],
  ] as const) {
    await writeFile(crl, text);
    const settings = {
      certificate: server.chain,
      key: server.key,
      clientCa: authority.ca,
      crl,
      rules: 'value' in parsed ? parsed.value : [],
    };
    const deps = { clock: createClock(), logger: recordingLogger() };
    assert.throws(() => createAdmission(settings, deps), words);
  }
  await rm(folder, { recursive: true });
});

closed('a missing file is said with its path', () => {
  assert.throws(
    () =>
      createAdmission(
        { rules: [], tokenKey: '/nowhere/token.key' },
        { clock: createClock(), logger: recordingLogger() },
      ),
    /\/nowhere\/token\.key cannot be read/,
  );
});

closed.run();
