/**
 * Streams and connections: who may open what, how they end, and what one bad peer can cost the others.
 * Statements 1 to 6 and 39 to 43, over real gRPC and, for peers that misbehave, over bare HTTP/2.
 */
import { once } from 'node:events';
import type { ClientHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpError } from '../../controller/base/op-error.js';
import { encodeMessage } from '../../controller/envoy/encode.js';
import { encodeResource } from '../../controller/envoy/resource.js';
import { resourceSet } from '../../controller/envoy/resource-set.js';
import type { ResourceType, Snapshot } from '../../controller/envoy/snapshot.js';
import type { PublisherEvent } from '../../controller/loop/ports.js';
import type { XdsSettings } from '../../controller/xds/settings.js';
import { frame, openSession, openStream, startRelay } from '../support/raw-http2.js';
import { until } from '../support/until.js';
import { adsPath, typeUrl, XdsClient } from '../support/xds-client.js';
import { withServer } from '../support/xds-scenario.js';
import { startTestServer, type TestServer } from '../support/xds-server.js';
import { type SnapshotWords, snapshotOf } from '../support/xds-snapshots.js';

const scenario = (
  name: string,
  play: (t: TestServer) => Promise<void>,
  settings: Partial<XdsSettings> = {},
): void => test(name, withServer(play, settings));

const node = 'node-1';
const world: SnapshotWords = {
  cds: ['a', 'b'],
  eds: ['a', 'b'],
  lds: ['l>r'],
  rds: ['r>a'],
  sds: ['barrier', 's'],
};

const disconnected = (
  event: PublisherEvent,
): event is Extract<PublisherEvent, { readonly kind: 'proxyDisconnected' }> =>
  event.kind === 'proxyDisconnected';

const services: readonly (readonly [ResourceType, string, string, readonly string[]])[] = [
  ['cluster', 'cluster.v3.ClusterDiscoveryService', 'Clusters', ['a', 'b']],
  ['endpoint', 'endpoint.v3.EndpointDiscoveryService', 'Endpoints', ['a']],
  ['listener', 'listener.v3.ListenerDiscoveryService', 'Listeners', ['l']],
  ['route', 'route.v3.RouteDiscoveryService', 'Routes', ['r']],
  ['secret', 'secret.v3.SecretDiscoveryService', 'Secrets', ['s']],
];

for (const [type, service, plural, expected] of services) {
  scenario(
    `1: the service of ${type} alone serves it in both variants, its type unsaid`,
    async (t) => {
      t.serve(node, world);
      const path = `/envoy.service.${service}`;
      const names = type === 'cluster' || type === 'listener' ? [] : [...expected];
      const sotw = t.client().sotw(node, `${path}/Stream${plural}`);
      sotw.send(undefined, { resource_names: names });
      const first = await sotw.receive(type);
      assert.equal(first.names, expected);
      sotw.ack(first, names);
      const delta = t.client().delta(node, `${path}/Delta${plural}`);
      delta.send(undefined, { resource_names_subscribe: names });
      assert.equal((await delta.receive(type)).names, expected);
    },
  );
}

scenario('1: the service of one type does not answer for another', async (t) => {
  t.serve(node, world);
  const stream = t
    .client()
    .sotw(node, '/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters');
  stream.send('listener');
  stream.send('cluster');
  assert.equal((await stream.receive('cluster')).names, ['a', 'b']);
});

scenario('3: a first request without a node ends the stream as INVALID_ARGUMENT', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('cluster', { node: undefined });
  const { code, details } = await stream.raw.ended();
  assert.is(code, 3);
  assert.match(details, /node is empty/);
});

scenario('3: a node that changes in mid-stream ends it as INVALID_ARGUMENT', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('cluster');
  await stream.receive('cluster');
  stream.send('listener', { node: { id: node } });
  assert.equal((await stream.receive('listener')).names, ['l'], 'the same again is nothing new');
  stream.send('route', { node: { id: 'another' }, resource_names: ['r'] });
  const { code, details } = await stream.raw.ended();
  assert.is(code, 3);
  assert.match(details, /node.id is another, and was node-1 before/);
});

scenario('4: no nonce is used twice, on any stream', async (t) => {
  t.serve(node, world);
  const nonces: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    const stream = t.client().sotw(node);
    for (const type of ['cluster', 'listener'] as const) {
      stream.send(type);
      const response = await stream.receive(type);
      stream.ack(response);
      nonces.push(response.nonce);
    }
  }
  assert.is(new Set(nonces).size, 6);
});

scenario('6: a half-closed stream ends as OK and is forgotten', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('cluster');
  await stream.receive('cluster');
  stream.raw.call.end();
  assert.is((await stream.raw.ended()).code, 0);
  assert.is((await t.event(disconnected)).clean, true);
  assert.equal(t.server.proxies(), []);
});

scenario('6: a cancelled stream is forgotten, its neighbours are not', async (t) => {
  t.serve(node, world);
  const client = t.client();
  const [stays, goes] = [client.sotw(node), client.sotw(node)];
  for (const stream of [stays, goes]) {
    stream.send('cluster');
    stream.ack(await stream.receive('cluster'));
  }
  goes.raw.call.cancel();
  assert.is((await t.event(disconnected)).clean, true);
  assert.is(t.server.proxies().length, 1);
  await stays.quiet();
});

scenario('6: a connection that breaks is no clean end', async (t) => {
  t.serve(node, world);
  const relay = await startRelay(t.address);
  try {
    const client = new XdsClient(relay.target);
    const stream = client.sotw(node);
    stream.send('cluster');
    await stream.receive('cluster');
    relay.reset();
    assert.is((await t.event(disconnected)).clean, false);
    client.close();
  } finally {
    await relay.close();
  }
});

scenario(
  '42: a peer that vanished without a word is noticed',
  async (t) => {
    t.serve(node, world);
    const relay = await startRelay(t.address);
    try {
      const client = new XdsClient(relay.target);
      const stream = client.sotw(node);
      stream.send('cluster');
      await stream.receive('cluster');
      relay.goDark();
      assert.is((await t.event(disconnected)).clean, false);
      assert.equal(t.server.proxies(), []);
      client.close();
    } finally {
      await relay.close();
    }
  },
  { keepaliveTimeMs: 100, keepaliveTimeoutMs: 100 },
);

scenario(
  '42: a peer that says goodbye and leaves its connection open loses it',
  async (t) => {
    t.serve(node, world);
    const { address: host, port } = t.address;
    const socket = connect({ host, port, allowHalfOpen: true });
    const settings = Buffer.from('000000040000000000', 'hex');
    const goaway = Buffer.from('0000080700000000000000000000000000', 'hex');
    socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings]));
    socket.write(goaway);
    socket.on('error', () => {
      // It is cut.
    });
    socket.resume();
    await until('there is room for another', async () => {
      const session = await openSession(t.address);
      const isTaken = await Promise.race([
        once(session, 'close').then(() => false),
        once(session, 'remoteSettings').then(() => true),
      ]);
      session.destroy();
      return isTaken;
    });
    socket.destroy();
  },
  { keepaliveTimeMs: 100, keepaliveTimeoutMs: 100, connectionsPerAddressMax: 1 },
);

scenario("42: a proxy's own pings are answered, however many", async (t) => {
  const session = await openSession(t.address);
  try {
    let goneAway = false;
    session.on('goaway', () => {
      goneAway = true;
    });
    for (let count = 0; count < 200; count += 1) {
      await new Promise<void>((resolve, reject) => {
        session.ping((error) => (error === null ? resolve() : reject(error)));
      });
    }
    assert.not(goneAway);
  } finally {
    session.destroy();
  }
});

scenario(
  '42: streams of one connection are limited',
  async (t) => {
    const session = await openSession(t.address);
    try {
      if (session.remoteSettings.maxConcurrentStreams !== 7) {
        await once(session, 'remoteSettings');
      }
      assert.is(session.remoteSettings.maxConcurrentStreams, 7);
    } finally {
      session.destroy();
    }
  },
  { streamsPerConnectionMax: 7 },
);

scenario(
  '43: one address has so many connections and no more, until some have gone',
  async (t) => {
    t.serve(node, world);
    const [first, second] = [await openSession(t.address), await openSession(t.address)];
    const third = await openSession(t.address);
    await once(third, 'close');
    assert.is(t.server.refusals().get('connections'), 1);
    first.destroy();
    await until('there is room again', async () => {
      const stream = t.client().sotw(node);
      stream.send('cluster');
      return stream.receive('cluster').then(
        ({ names }) => names.length === 2,
        () => false,
      );
    });
    second.destroy();
  },
  { connectionsPerAddressMax: 2 },
);

scenario(
  '43: a connection that opens and takes back streams on and on is cut, and no other',
  async (t) => {
    t.serve(node, world);
    const good = t.client().sotw(node);
    good.send('cluster');
    good.ack(await good.receive('cluster'));
    const session = await openSession(t.address);
    const closed = once(session, 'close');
    for (let count = 0; count < 40; count += 1) {
      openStream(session, adsPath.sotw).close();
    }
    await closed;
    assert.ok((t.server.refusals().get('streams') ?? 0) > 0);
    await good.quiet();
  },
  { streamsPerSecondMax: 8 },
);

scenario(
  'a message that is never finished, and a connection that opens no stream, end in a cut',
  async (t) => {
    t.serve(node, world);
    const good = t.client().sotw(node);
    good.send('cluster');
    good.ack(await good.receive('cluster'));
    const idle = await openSession(t.address);
    const slow = await openSession(t.address);
    const closed = [idle, slow].map((session) => once(session, 'close'));
    const message = frame(Buffer.alloc(1024 * 1024));
    openStream(slow, adsPath.sotw).write(message.subarray(0, -1));
    await Promise.all(closed);
    const reasons = t.logger.lines
      .filter(({ event }) => event === 'xds.denied')
      .map(({ fields }) => fields.message);
    assert.equal(reasons.toSorted(), [
      'a message that was not finished in 300 ms',
      'no stream that may be opened in 300 ms',
    ]);
    assert.is(t.server.refusals().get('conduct'), 2);
    await good.quiet();
  },
  { stalledMs: 300, idleMs: 300 },
);

scenario('a node that is larger than any ends its stream as RESOURCE_EXHAUSTED', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('cluster', { node: { id: node, cluster: 'x'.repeat(300_000) } });
  assert.is((await stream.raw.ended()).code, 8);
});

scenario('41: a request of 5 MiB is taken', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  const name = 'x'.repeat(100);
  const versions = Array.from({ length: 45_000 }, (_, index) => [`${name}${index}`, 'version']);
  stream.send('cluster', { initial_resource_versions: Object.fromEntries(versions) });
  const response = await stream.receive('cluster');
  assert.equal(response.names, ['a', 'b']);
  stream.ack(response);
  const removed = new Set(response.removed);
  while (removed.size < versions.length) {
    const more = await stream.receive('cluster');
    stream.ack(more);
    for (const gone of more.removed) {
      removed.add(gone);
    }
  }
  await stream.quiet();
});

scenario('41: one of 9 MiB is more than any proxy asks, and ends its stream', async (t) => {
  t.serve(node, world);
  const stream = t.client().sotw(node);
  stream.send('cluster', { resource_names: ['x'.repeat(9 * 1024 * 1024)] });
  assert.is((await stream.raw.ended()).code, 8);
});

scenario(
  '41: a request over the limit ends its stream as RESOURCE_EXHAUSTED, and no other',
  async (t) => {
    t.serve(node, world);
    const client = t.client();
    const good = client.sotw(node);
    good.send('cluster');
    good.ack(await good.receive('cluster'));
    const bad = client.sotw('bad');
    bad.send('cluster', { resource_names: ['x'.repeat(20_000)] });
    assert.is((await bad.raw.ended()).code, 8);
    await good.quiet();
  },
  { requestBytesMax: 10_000 },
);

scenario('41: a compressed request is refused, and never unpacked', async (t) => {
  const session = await openSession(t.address);
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': adsPath.sotw,
      'content-type': 'application/grpc',
      'grpc-encoding': 'gzip',
      te: 'trailers',
    });
    const bomb = frame(gzipSync(Buffer.alloc(50 * 1024 * 1024)));
    bomb.writeUInt8(1, 0);
    stream.write(bomb);
    stream.resume();
    const [headers] = await once(stream, 'response');
    assert.is(Number(headers['grpc-status']), 12, 'UNIMPLEMENTED');
    assert.is(headers['grpc-accept-encoding'], 'identity');
  } finally {
    session.destroy();
  }
});

scenario(
  '41: a message that says to be compressed, on a stream that does not, is an error',
  async (t) => {
    const message = frame(Buffer.alloc(10));
    message.writeUInt8(1, 0);
    const { grpc, message: why } = await statusOf(
      t,
      { 'content-type': 'application/grpc' },
      message,
    );
    assert.is(grpc, 13, 'INTERNAL');
    assert.match(why, 'compressed flag 1');
  },
);

/** The status of a call by hand, which sends `body` and then nothing more. */
async function statusOf(
  t: TestServer,
  headers: Readonly<Record<string, string>>,
  body: Buffer | undefined,
): Promise<{ readonly http: number; readonly grpc: number; readonly message: string }> {
  const session = await openSession(t.address);
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': adsPath.sotw,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const trailers = new Promise<Record<string, unknown>>((resolve) =>
      stream.once('trailers', resolve),
    );
    stream.end(body);
    stream.resume();
    const [first] = await once(stream, 'response');
    const last = first['grpc-status'] === undefined && first[':status'] === 200;
    const ending = last ? await trailers : first;
    return {
      http: Number(first[':status']),
      grpc: Number(ending['grpc-status']),
      message: decodeURIComponent(String(ending['grpc-message'] ?? '')),
    };
  } finally {
    session.destroy();
  }
}

scenario('what is no gRPC, or no method, is told so', async (t) => {
  assert.is((await statusOf(t, { 'content-type': 'text/plain' }, undefined)).http, 415);
  const unknown = await statusOf(t, { ':path': '/none.Service/Method%ü' }, undefined);
  assert.is(unknown.grpc, 12, 'UNIMPLEMENTED');
  assert.is(unknown.message, 'there is no method /none.Service/Method%ü');
});

scenario('a message that is cut short by the end of its stream is an error', async (t) => {
  assert.is((await statusOf(t, {}, Buffer.from([0, 0, 0, 0, 9, 1]))).grpc, 13, 'INTERNAL');
  assert.is((await statusOf(t, {}, undefined)).grpc, 0, 'nothing at all is none');
});

scenario('a method of one request wants just one', async (t) => {
  const path = '/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus';
  const empty = frame(Buffer.alloc(0));
  assert.is((await statusOf(t, { ':path': path }, empty)).grpc, 0);
  assert.is((await statusOf(t, { ':path': path }, undefined)).grpc, 12);
  assert.is((await statusOf(t, { ':path': path }, Buffer.concat([empty, empty]))).grpc, 12);
  assert.is((await statusOf(t, { ':path': path }, frame(Buffer.from([255])))).grpc, 3);
});

scenario('a stream with a deadline ends when that is over', async (t) => {
  t.serve(node, world);
  const session = await openSession(t.address);
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': adsPath.sotw,
      'content-type': 'application/grpc',
      'grpc-timeout': '200m',
    });
    stream.resume();
    const [headers] = await once(stream, 'response');
    assert.is(Number(headers['grpc-status']), 4, 'DEADLINE_EXCEEDED');
  } finally {
    session.destroy();
  }
});

scenario(
  '42: a connection that is old ends its streams, which are told to come back',
  async (t) => {
    t.serve(node, world);
    const session = await openSession(t.address);
    const goneAway = once(session, 'goaway');
    const stream = openStream(session, adsPath.sotw);
    const request = { node: { id: node }, type_url: typeUrl('cluster') };
    stream.write(frame(encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', request)));
    stream.resume();
    const [trailers] = await once(stream, 'trailers');
    assert.is(Number(trailers['grpc-status']), 14, 'UNAVAILABLE');
    await goneAway;
    assert.is((await t.event(disconnected)).clean, true);
    session.destroy();
  },
  { connectionAgeMs: 300 },
);

scenario('a request that cannot be read ends its stream as INVALID_ARGUMENT', async (t) => {
  const stream = t.client().open(adsPath.sotw);
  stream.call.write(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff]));
  const { code, details } = await stream.ended();
  assert.is(code, 3);
  assert.match(details, /cannot be read/);
});

scenario('a version that it brings along and that is cut short ends it likewise', async (t) => {
  const stream = t.client().open(adsPath.delta);
  const request = encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', {
    node: { id: node },
    type_url: typeUrl('cluster'),
  });
  // An entry of initial_resource_versions whose key would be longer than the entry is.
  const entry = Buffer.from([0x2a, 2, 0x0a, 9]);
  stream.call.write(Buffer.concat([request, entry]));
  const { code, details } = await stream.ended();
  assert.is(code, 3);
  assert.match(details, /cannot be read/);
});

scenario('more names than anybody needs end the stream as RESOURCE_EXHAUSTED', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  const names = Array.from({ length: 50_001 }, (_, index) => `n${index}`);
  stream.send('route', { resource_names_subscribe: names });
  assert.is((await stream.raw.ended()).code, 8);
});

scenario(
  'more names than anybody needs on all streams of a connection end the last one',
  async (t) => {
    t.serve(node, world);
    const client = t.client();
    const names = Array.from({ length: 45_000 }, (_, index) => `n${index}`);
    const streams = Array.from({ length: 5 }, () => client.delta(node));
    for (const stream of streams.slice(0, 4)) {
      stream.send('route', { resource_names_subscribe: names });
      for (let told = 0; told < names.length; ) {
        told += (await stream.receive('route')).removed.length;
      }
    }
    const last = streams[4];
    last?.send('route', { resource_names_subscribe: names });
    const { code, details } = (await last?.raw.ended()) ?? {};
    assert.is(code, 8);
    assert.is(details, 'more than 200000 names on one connection');
    await streams[0]?.quiet();
  },
);

scenario(
  'a proxy of 10,000 services asks, asks again and acknowledges, and is left alone',
  async (t) => {
    t.serve(node, world);
    const client = t.client();
    const names = Array.from({ length: 10_000 }, (_, index) => `service-${index}.default.svc:80`);
    const types = ['endpoint', 'route', 'cluster', 'listener'] as const;
    for (let round = 0; round < 4; round += 1) {
      const stream = client.delta(node);
      for (const type of types) {
        stream.send(type, { resource_names_subscribe: names });
      }
      const told = new Set<string>();
      while (told.size < types.length * names.length) {
        const response = await stream.next('what is not there');
        for (const name of response.removed) {
          told.add(`${response.type} ${name}`);
        }
        stream.ack(response);
      }
      stream.raw.call.cancel();
    }
    const sotw = client.sotw(node);
    sotw.send('cluster', { resource_names: names });
    const response = await sotw.receive('cluster');
    for (let round = 0; round < 40; round += 1) {
      sotw.ack(response, names);
    }
    await sotw.quiet();
  },
);

scenario('41: a list of clusters is one response however large', async (t) => {
  t.serve(node, bulky('1'));
  const stream = t.client().sotw(node);
  stream.send('cluster');
  assert.is((await stream.receive('cluster')).names.length, bulkyCount);
});

scenario('41: what may be divided comes in responses below 4 MiB', async (t) => {
  t.serve(node, bulky('1'));
  const stream = t.client().delta(node);
  stream.send('cluster');
  const names: string[] = [];
  while (names.length < bulkyCount) {
    const response = await stream.receive('cluster');
    assert.ok(response.names.length * bulkyBytes < 4 * 1024 * 1024);
    names.push(...response.names);
    stream.ack(response);
  }
  assert.is(new Set(names).size, bulkyCount);
});

scenario(
  '41: so it does where most of it is names, of what is there and of what is gone',
  async (t) => {
    const [nameBytes, count] = [10_000, 800];
    const clusters = Array.from({ length: count }, (_, index) => {
      const name = `${index}-`.padEnd(nameBytes, 'x');
      return encodeResource('cluster', name, { name }, []);
    });
    const empty = snapshotOf({ sds: ['barrier'] });
    t.serve(node, { ...empty, cluster: resourceSet(clusters) });
    const stream = t.client().delta(node);
    stream.send('cluster');
    for (let left = count; left > 0; ) {
      const response = await stream.receive('cluster');
      left -= response.names.length;
      assert.ok(
        response.names.length * 2 * nameBytes < 4 * 1024 * 1024,
        'its own and the resource has it',
      );
      stream.ack(response);
    }
    t.serve(node, empty);
    for (let left = count; left > 0; ) {
      const response = await stream.receive('cluster');
      left -= response.removed.length;
      assert.ok(response.removed.length * nameBytes < 4 * 1024 * 1024);
      stream.ack(response);
    }
    await stream.quiet();
  },
);

/** Opens a stream of clusters that nobody reads, until it is resumed. */
async function openUnread(t: TestServer): Promise<ClientHttp2Stream> {
  const session = await openSession(t.address);
  const stream = openStream(session, adsPath.sotw);
  const request = { node: { id: node }, type_url: typeUrl('cluster') };
  stream.write(frame(encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', request)));
  await t.event((event) => event.kind === 'proxyConnected');
  return stream;
}

scenario(
  '40: for a proxy that does not read, nothing queues: it gets what was begun, then the newest',
  async (t) => {
    t.serve(node, bulky('1'));
    t.serve('reader', bulky('1'));
    const unread = await openUnread(t);
    const reader = t.client().sotw('reader');
    reader.send('cluster');
    reader.ack(await reader.receive('cluster'));
    for (let round = 2; round < 22; round += 1) {
      t.serve(node, bulky(String(round)));
      t.serve('reader', bulky(String(round)));
      reader.ack(await reader.receive('cluster'));
    }
    const newest = [...bulky('21').cluster.byName.values()][0]?.any ?? Buffer.alloc(1);
    const sizes = await messagesUntil(unread, newest);
    assert.ok(sizes.length <= 3, `${sizes.length} responses, of 21 publications`);
    unread.session?.destroy();
  },
  { ackTimeoutMs: 1 },
);

scenario(
  '40: a proxy that reads nothing for long is disconnected, others are not',
  async (t) => {
    t.serve(node, bulky('1'));
    t.serve('reader', bulky('1'));
    const reader = t.client().sotw('reader');
    reader.send('cluster');
    reader.ack(await reader.receive('cluster'));
    await openUnread(t);
    await t.event(disconnected);
    assert.ok(t.logger.lines.some((line) => line.event === 'xds.stalled'));
    assert.equal(
      t.server.proxies().map((proxy) => proxy.identity.nodeId),
      ['reader'],
    );
    await reader.quiet();
  },
  { stalledMs: 500 },
);

/** Reads `stream` up to the message that contains `part`; the sizes of all messages. */
async function messagesUntil(stream: ClientHttp2Stream, part: Buffer): Promise<readonly number[]> {
  const sizes: number[] = [];
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const length = rest.readUInt32BE(1);
      sizes.push(length);
      if (rest.subarray(5, 5 + length).includes(part)) {
        return sizes;
      }
      rest = rest.subarray(5 + length);
    }
  }
  throw new Error(`the stream ended after ${sizes.length} messages`);
}

test('an address that is taken is an operating error', async () => {
  const t = await startTestServer();
  try {
    await startTestServer({ listen: t.address });
    assert.unreachable('the address was taken');
  } catch (error) {
    assert.instance(error, OpError);
    assert.is((error as OpError).code, 'xds-listen');
  } finally {
    await t.stop();
  }
});

const bulkyCount = 60;
const bulkyBytes = 100_000;

/** Clusters of 100 kB each, 6 MB together; `variant` changes all of them. */
function bulky(variant: string): Snapshot {
  const text = variant.repeat(bulkyBytes).slice(0, bulkyBytes);
  const clusters = Array.from({ length: bulkyCount }, (_, index) =>
    encodeResource('cluster', `c${index}`, { name: `c${index}`, alt_stat_name: text }, []),
  );
  return { ...snapshotOf({ sds: ['barrier'] }), cluster: resourceSet(clusters) };
}

test.run();
