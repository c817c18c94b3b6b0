/**
 * Requests of as many names as there may be are taken in parts; what else happens meanwhile is as it would
 * be with a short one: later messages come after it, publications count, and the end is an end.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { InParts } from '../../controller/base/in-parts.js';
import { encodeMessage } from '../../controller/envoy/encode.js';
import type { PublisherEvent } from '../../controller/loop/ports.js';
import { decodeRequestInParts } from '../../controller/xds/requests.js';
import { type DeltaStream, typeUrl } from '../support/xds-client.js';
import { withServer } from '../support/xds-scenario.js';
import type { TestServer } from '../support/xds-server.js';

const node = 'node-1';
const world = { cds: ['a'], eds: ['a'], rds: ['r>a', 'late>a'], sds: ['barrier'] };
const many = 50_000;
const missing = Array.from({ length: many - 2 }, (_, index) => `missing-${index}`);
const names = ['r', ...missing, 'late'];

const scenario = (name: string, play: (t: TestServer) => Promise<void>): void =>
  test(name, withServer(play));

/** How often `work` pauses, and what it comes to. */
function parts<T>(work: InParts<T>): { readonly pauses: number; readonly result: T } {
  for (let pauses = 0; ; pauses += 1) {
    const step = work.next();
    if (step.done === true) {
      return { pauses, result: step.value };
    }
  }
}

test('decoding many names pauses at each thousand, and few names not at all', () => {
  const bytes = (count: number): Buffer =>
    Buffer.from(
      encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', {
        type_url: typeUrl('route'),
        resource_names_subscribe: names.slice(0, count),
        initial_resource_versions: Object.fromEntries(
          names.slice(0, count).map((name) => [name, '1']),
        ),
      }),
    );
  const short = parts(decodeRequestInParts('delta', bytes(400)));
  assert.is(short.pauses, 0);
  assert.is(parts(short.result.asInParts('route')).pauses, 0);
  const long = parts(decodeRequestInParts('delta', bytes(20_000)));
  assert.ok(long.pauses >= 4, `${long.pauses}`);
  const { pauses, result } = parts(long.result.asInParts('route'));
  assert.ok(pauses >= 40, `${pauses}`);
  assert.is(result.kind === 'delta' && result.subscribe.names.size, 20_000);
});

/** All that comes until everything that was asked for has been answered. */
async function answers(stream: DeltaStream, count: number) {
  const [found, removed] = [new Set<string>(), new Set<string>()];
  while (found.size + removed.size < count) {
    const response = await stream.receive('route');
    for (const name of response.names) {
      found.add(name);
    }
    for (const name of response.removed) {
      removed.add(name);
    }
    stream.ack(response);
  }
  return { found: [...found].sort(), removed };
}

scenario('a delta request of many names is answered whole', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  stream.send('route', { resource_names_subscribe: names });
  const { found, removed } = await answers(stream, many);
  assert.equal(found, ['late', 'r']);
  assert.is(removed.size, missing.length);
});

scenario('what is sent after it counts after it', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  stream.send('route', { resource_names_subscribe: names });
  stream.send('route', { resource_names_unsubscribe: [...missing, 'r'] });
  stream.send('route', { resource_names_subscribe: ['new'] });
  for (let isOver = false; !isOver; ) {
    const response = await stream.receive('route');
    isOver = response.removed.includes('new');
    stream.ack(response);
  }
  await stream.quiet();
  t.serve(node, { ...world, rds: ['r>a:2', 'late>a', 'new>a'] });
  assert.equal((await stream.receive('route')).names, ['new'], 'of r nothing is told any more');
});

scenario('a publication that comes meanwhile is what it is answered from', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  stream.send('route', { resource_names_subscribe: names });
  await t.until(() => t.server.proxies().length === 1);
  t.serve(node, { ...world, rds: ['r>a:2', 'late>a', 'missing-7>a'] });
  const { found } = await answers(stream, many);
  assert.ok(['r', 'late', 'missing-7'].every((name) => found.includes(name)));
});

scenario(
  'a list of many names in the state of the world is answered, and then another',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().sotw(node);
    stream.send('route', { resource_names: names });
    const response = await stream.receive('route');
    assert.equal([...response.names].sort(), ['late', 'r']);
    stream.ack(response, ['late', ...missing.map((name) => `${name}-b`)]);
    await stream.quiet();
    t.serve(node, { ...world, rds: ['r>a:2', 'late>a:2', 'missing-7-b>a'] });
    const newer = await stream.receive('route');
    assert.equal([...newer.names].sort(), ['late', 'missing-7-b']);
  },
);

const isDisconnected = (
  event: PublisherEvent,
): event is Extract<PublisherEvent, { readonly kind: 'proxyDisconnected' }> =>
  event.kind === 'proxyDisconnected';

scenario('who takes it back is gone, and others are served as before', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  stream.send('route', { resource_names_subscribe: names });
  await t.until(() => t.server.proxies().length === 1);
  stream.raw.call.cancel();
  assert.is((await t.event(isDisconnected)).clean, true);
  const other = t.client().delta(node);
  other.send('route', { resource_names_subscribe: ['r'] });
  assert.equal((await other.receive('route')).names, ['r']);
  assert.is(t.events.filter(isDisconnected).length, 1);
});

scenario('more names to give up than anybody can have end the stream', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  const tooMany = [...names, 'one more'];
  stream.send('route', { resource_names_unsubscribe: tooMany });
  const { code, details } = await stream.raw.ended();
  assert.is(code, 8);
  assert.match(details, /more than 50000 names of one type/);
});

scenario('names in no order, between other fields over and over, end the stream', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  const one = (fields: object): Buffer =>
    Buffer.from(encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', fields));
  const first = one({ node: { id: node }, type_url: typeUrl('route') });
  const pair = [
    one({ resource_names_subscribe: ['x'] }),
    one({ resource_names_unsubscribe: ['y'] }),
  ];
  stream.raw.call.write(
    Buffer.concat([first, ...Array.from({ length: 1_000 }, () => pair).flat()]),
  );
  const { code, details } = await stream.raw.ended();
  assert.is(code, 3);
  assert.match(details, /cannot be read: names stand between other fields/);
});

test.run();
