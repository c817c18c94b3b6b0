/**
 * Incremental xDS, statement by statement, over real gRPC. D numbers are those of the outside probe, plain
 * numbers those of the list in `STATEMENTS.md`.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ResourceType } from '../../controller/envoy/snapshot.js';
import {
  type DeltaMessage,
  type DeltaStream,
  type Received,
  typeUrl,
} from '../support/xds-client.js';
import { withServer } from '../support/xds-scenario.js';
import type { TestServer } from '../support/xds-server.js';
import type { SnapshotWords } from '../support/xds-snapshots.js';

const scenario = (name: string, play: (t: TestServer) => Promise<void>): void =>
  test(name, withServer(play));

const node = 'node-1';
const sds = ['barrier'];
const world: SnapshotWords = {
  cds: ['a', 'b'],
  eds: ['a', 'b'],
  lds: ['l>r', 'm>s'],
  rds: ['r>a', 's>b'],
  sds,
};

/** Sends a request, takes the response to it and acknowledges that. */
async function take(
  stream: DeltaStream,
  type: ResourceType,
  request: DeltaMessage = {},
): Promise<Received> {
  stream.send(type, request);
  const response = await stream.receive(type);
  stream.ack(response);
  return response;
}

const names = (response: Received): readonly string[] => [...response.names].sort();

scenario(
  'D01 (27, 29): a first request without names gets everything, each with its version',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().delta(node);
    for (const [type, expected] of [
      ['cluster', ['a', 'b']],
      ['listener', ['l', 'm']],
    ] as const) {
      const response = await take(stream, type);
      assert.equal(names(response), expected);
      assert.ok([...response.versions.values()].every((version) => version !== ''));
      assert.is(response.controlPlane, 'headgate');
    }
    await stream.quiet();
  },
);

scenario('D01 (27): "*" asks for everything as well', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  assert.equal(names(await take(stream, 'cluster', { resource_names_subscribe: ['*'] })), [
    'a',
    'b',
  ]);
});

scenario('27: "*" asked for and given up at once is nothing', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  stream.send('cluster', { resource_names_subscribe: ['*'], resource_names_unsubscribe: ['*'] });
  await stream.quiet();
  t.serve(node, { ...world, cds: ['a:2', 'b'] });
  await stream.quiet();
});

scenario('D02 (30): a change of one sends that one', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  await take(stream, 'cluster');
  t.serve(node, { ...world, cds: ['a:2', 'b'] });
  const response = await stream.receive('cluster');
  assert.equal(response.names, ['a']);
  assert.equal(response.removed, []);
});

scenario('D02 (30): a change of one route weight sends one route and nothing else', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  await takeWorld(stream);
  t.serve(node, { ...world, rds: ['r:2>a', 's>b'] });
  const response = await stream.receive('route');
  assert.equal(response.names, ['r']);
  stream.ack(response);
  await stream.quiet();
});

scenario('D03 (30): what is deleted is named as removed', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  await take(stream, 'cluster');
  t.serve(node, { ...world, cds: ['a'] });
  const response = await stream.receive('cluster');
  assert.equal(response.names, []);
  assert.equal(response.removed, ['b']);
});

for (const type of ['cluster', 'endpoint', 'listener', 'route', 'secret'] as const) {
  scenario(
    `D04, D05 (31): an unknown name of ${type} is removed at once, sent when it comes`,
    async (t) => {
      t.serve(node, { sds });
      const stream = t.client().delta(node);
      const first = await take(stream, type, { resource_names_subscribe: ['x'] });
      assert.equal(first.removed, ['x']);
      const key = { cluster: 'cds', endpoint: 'eds', listener: 'lds', route: 'rds', secret: 'sds' };
      t.serve(node, { sds, [key[type]]: type === 'secret' ? ['barrier', 'x'] : ['x'] });
      const response = await stream.receive(type);
      assert.equal(response.names, ['x']);
      assert.equal(response.removed, []);
    },
  );
}

scenario('31: endpoints of a cluster that has none are an empty assignment', async (t) => {
  t.serve(node, { cds: ['a'], sds });
  const stream = t.client().delta(node);
  const response = await take(stream, 'endpoint', { resource_names_subscribe: ['a'] });
  assert.equal(response.resources, [{ '@type': typeUrl('endpoint'), cluster_name: 'a' }]);
  assert.equal(response.removed, []);
});

scenario('D06 (35): what a reconnecting client has already is not sent again', async (t) => {
  t.serve(node, world);
  const first = t.client().delta(node);
  const clusters = await take(first, 'cluster');
  const routes = await take(first, 'route', { resource_names_subscribe: ['r', 's'] });
  const second = t.client().delta(node);
  second.send('cluster', { initial_resource_versions: Object.fromEntries(clusters.versions) });
  second.send('route', {
    resource_names_subscribe: ['r', 's'],
    initial_resource_versions: Object.fromEntries(routes.versions),
  });
  await second.quiet();
  t.serve(node, { ...world, cds: ['a', 'b:2'] });
  assert.equal((await second.receive('cluster')).names, ['b']);
});

scenario('35: of what changed while a client was away, only that is sent', async (t) => {
  t.serve(node, world);
  const first = t.client().delta(node);
  const { versions } = await take(first, 'cluster');
  t.serve(node, { ...world, cds: ['a', 'b:2', 'c'] });
  const second = t.client().delta(node);
  const response = await take(second, 'cluster', {
    initial_resource_versions: Object.fromEntries(versions),
  });
  assert.equal(names(response), ['b', 'c']);
});

scenario('29, 35: versions are the same across a restart', async (t) => {
  t.serve(node, world);
  const { versions } = await take(t.client().delta(node), 'cluster');
  await t.restart();
  t.serve(node, world);
  const stream = t.client().delta(node);
  stream.send('cluster', { initial_resource_versions: Object.fromEntries(versions) });
  await stream.quiet();
});

scenario('D07 (35): what is gone is removed on reconnect (wildcard)', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  const response = await take(stream, 'cluster', { initial_resource_versions: { ghost: 'v1' } });
  assert.equal(names(response), ['a', 'b']);
  assert.equal(response.removed, ['ghost']);
});

scenario('D08 (35): what is gone is removed on reconnect (by name)', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  const response = await take(stream, 'route', {
    resource_names_subscribe: ['r', 'ghost'],
    initial_resource_versions: { ghost: 'v1' },
  });
  assert.equal(response.names, ['r']);
  assert.equal(response.removed, ['ghost']);
});

scenario('35: a name among the initial versions is no subscription', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  const response = await take(stream, 'route', {
    resource_names_subscribe: ['r'],
    initial_resource_versions: { s: 'old' },
  });
  assert.equal(response.names, ['r']);
  assert.equal(response.removed, []);
  t.serve(node, { ...world, rds: ['r>a', 's:2>b'] });
  await stream.quiet();
});

scenario(
  '35: after a refusal the versions that a client brings along are not believed',
  async (t) => {
    t.serve(node, world);
    const first = t.client().delta(node);
    const { versions } = await take(first, 'cluster');
    t.serve(node, { ...world, cds: ['a:2', 'b'] });
    first.nack(await first.receive('cluster'));
    await t.event((event) => event.kind === 'proxyNacked');
    first.raw.call.end();
    await t.event((event) => event.kind === 'proxyDisconnected');
    // Envoy may have applied a part of what it refused, and still names the versions from before.
    t.serve(node, world);
    const second = t.client().delta(node);
    const response = await take(second, 'cluster', {
      initial_resource_versions: Object.fromEntries(versions),
    });
    assert.equal(names(response), ['a', 'b']);
  },
);

scenario('D09 (32): a name that is asked for again is sent again', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  await take(stream, 'route', { resource_names_subscribe: ['r', 's'] });
  const again = await take(stream, 'route', { resource_names_subscribe: ['r'] });
  assert.equal(again.names, ['r']);
  await take(stream, 'cluster');
  assert.equal((await take(stream, 'cluster', { resource_names_subscribe: ['a'] })).names, ['a']);
});

scenario('D10 (33): unsubscribing is not answered and ends the updates', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  await take(stream, 'route', { resource_names_subscribe: ['r', 's'] });
  stream.send('route', { resource_names_unsubscribe: ['r'] });
  await stream.quiet();
  t.serve(node, { ...world, rds: ['r:2>a', 's>b'] });
  await stream.quiet();
});

scenario('D11 (32): unsubscribed and subscribed again is sent again', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  await take(stream, 'route', { resource_names_subscribe: ['r'] });
  stream.send('route', { resource_names_unsubscribe: ['r'] });
  assert.equal((await take(stream, 'route', { resource_names_subscribe: ['r'] })).names, ['r']);
});

scenario('D12 (33): unsubscribing from what was never asked for is ignored', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  await take(stream, 'cluster');
  stream.send('cluster', { resource_names_unsubscribe: ['a', 'ghost'] });
  await stream.quiet();
  t.serve(node, { ...world, cds: ['a:2', 'b'] });
  assert.equal((await stream.receive('cluster')).names, ['a']);
});

scenario('D13 (33): a name given up beside "*" is answered with the resource', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  await take(stream, 'cluster', { resource_names_subscribe: ['*', 'a'] });
  const response = await take(stream, 'cluster', { resource_names_unsubscribe: ['a'] });
  assert.equal(response.names, ['a']);
  assert.equal(response.removed, []);
});

scenario(
  'D14 (33): a name given up beside "*" that does not exist is answered as removed',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().delta(node);
    await take(stream, 'cluster', { resource_names_subscribe: ['*', 'ghost'] });
    const response = await take(stream, 'cluster', { resource_names_unsubscribe: ['ghost'] });
    assert.equal(response.names, []);
    assert.equal(response.removed, ['ghost']);
  },
);

scenario('D15 (27): giving up "*" keeps the names', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  await take(stream, 'cluster', { resource_names_subscribe: ['*', 'a'] });
  stream.send('cluster', { resource_names_unsubscribe: ['*'] });
  await stream.quiet();
  t.serve(node, { ...world, cds: ['a:2', 'b:2'] });
  assert.equal((await stream.receive('cluster')).names, ['a']);
});

scenario('D15 (27): what was still to come of "*" ends with it', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  stream.send('cluster', { resource_names_subscribe: ['*', 'a'] });
  const all = await stream.receive('cluster');
  t.serve(node, { ...world, cds: ['a', 'b', 'c'] });
  stream.ack(all, { resource_names_unsubscribe: ['*'] });
  await stream.quiet();
});

scenario(
  'D16 (27): a name asked for after an empty first request keeps the wildcard',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().delta(node);
    await take(stream, 'cluster');
    await take(stream, 'cluster', { resource_names_subscribe: ['a'] });
    t.serve(node, { ...world, cds: ['a', 'b:2'] });
    assert.equal((await stream.receive('cluster')).names, ['b']);
  },
);

scenario('27: the last name given up leaves nothing', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  await take(stream, 'cluster', { resource_names_subscribe: ['a'] });
  stream.send('cluster', { resource_names_unsubscribe: ['a'] });
  t.serve(node, { ...world, cds: ['a:2', 'b:2'] });
  await stream.quiet();
});

scenario('D17 (34): a refusal is not answered, and the next version is', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  await take(stream, 'cluster');
  t.serve(node, { ...world, cds: ['a:2', 'b'] });
  stream.nack(await stream.receive('cluster'));
  await stream.quiet();
  t.serve(node, { ...world, cds: ['a:2', 'b:2'] });
  const other = await stream.receive('cluster');
  assert.equal(other.names, ['b'], 'the refused one is not sent again beside another');
  stream.ack(other);
  t.serve(node, { ...world, cds: ['a:3', 'b:2'] });
  assert.equal((await stream.receive('cluster')).names, ['a']);
});

scenario(
  '34: after a refusal the last good state is sent again, though it was acknowledged',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().delta(node);
    await take(stream, 'cluster');
    t.serve(node, { ...world, cds: ['a:2', 'b', 'c'] });
    stream.nack(await stream.receive('cluster'));
    t.serve(node, world);
    const back = await stream.receive('cluster');
    assert.equal(back.names, ['a']);
    assert.equal(back.removed, ['c'], 'Envoy applies the good part of what it refuses');
  },
);

scenario('34: where the client names the bad resource, the others come without it', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  stream.send('cluster');
  stream.nack(await stream.receive('cluster'), {}, 'Error adding/updating cluster(s) b: no');
  const rest = await stream.receive('cluster');
  assert.equal(rest.names, ['a']);
  stream.ack(rest);
  await stream.quiet();
});

scenario(
  'D17 (34): a removal in a response that is refused is told once more, alone',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().delta(node);
    await take(stream, 'cluster');
    t.serve(node, { ...world, cds: ['a:2'], eds: ['a'], lds: ['l>r'], rds: ['r>a'] });
    const response = await stream.receive('cluster');
    assert.equal([response.names, response.removed], [['a'], ['b']]);
    stream.nack(response);
    const again = await stream.receive('cluster');
    assert.equal([again.names, again.removed], [[], ['b']]);
    stream.nack(again);
    await stream.quiet();
  },
);

scenario('D18 (34): a stale nonce does not invalidate a subscription', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  const first = await take(stream, 'route', { resource_names_subscribe: ['r'] });
  t.serve(node, { ...world, rds: ['r:2>a', 's>b'] });
  await stream.receive('route');
  stream.send('route', { response_nonce: first.nonce, resource_names_subscribe: ['s'] });
  assert.equal((await stream.receive('route')).names, ['s']);
  stream.send('route', { response_nonce: 'never-sent', resource_names_subscribe: ['r'] });
  assert.equal((await stream.receive('route')).names, ['r']);
});

scenario('D19 (34): an acknowledgement may change the subscription', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  stream.send('route', { resource_names_subscribe: ['r'] });
  stream.ack(await stream.receive('route'), { resource_names_subscribe: ['s'] });
  const second = await stream.receive('route');
  assert.equal(second.names, ['s']);
  stream.ack(second, { resource_names_unsubscribe: ['r'] });
  t.serve(node, { ...world, rds: ['r:2>a', 's>b'] });
  await stream.quiet();
});

scenario('D20 (28): a first wildcard request is answered though there is nothing', async (t) => {
  t.serve(node, { sds });
  const stream = t.client().delta(node);
  for (const type of ['cluster', 'listener'] as const) {
    const response = await take(stream, type);
    assert.equal([response.names, response.removed], [[], []]);
  }
});

scenario('D21 (21): endpoints follow a changed cluster unasked', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  await takeWorld(stream);
  t.serve(node, { ...world, cds: ['a:2', 'b'] });
  const cluster = await stream.receive('cluster');
  const endpoints = await stream.receive('endpoint');
  assert.equal(endpoints.names, ['a'], 'of the changed cluster only');
  stream.ack(endpoints);
  stream.ack(cluster);
  await stream.quiet();
});

scenario('D21 (21): endpoints follow though other endpoints are unanswered', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  await takeWorld(stream);
  t.serve(node, { ...world, eds: ['a', 'b:2'] });
  await stream.receive('endpoint');
  t.serve(node, { ...world, cds: ['a:2', 'b'], eds: ['a', 'b:2'] });
  await stream.receive('cluster');
  assert.equal((await stream.receive('endpoint')).names, ['a']);
});

scenario(
  '21: endpoints are sent again to a client whose clusters are paused by a lost stream',
  async (t) => {
    t.serve(node, world);
    const first = t.client().delta(node);
    await take(first, 'cluster');
    const { versions } = await take(first, 'endpoint', { resource_names_subscribe: ['a', 'b'] });
    // Envoy asks for no clusters while it warms one, and says to have the endpoints that it waits for.
    const second = t.client().delta(node);
    second.send('endpoint', {
      resource_names_subscribe: ['a', 'b'],
      initial_resource_versions: Object.fromEntries(versions),
    });
    await second.quiet();
    assert.equal(names(await second.receive('endpoint')), ['a', 'b']);
  },
);

scenario('D22 (24): one change of everything goes out in order', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  await takeWorld(stream);
  for (let round = 2; round < 22; round += 1) {
    t.serve(node, {
      cds: [`a:${round}`, 'b'],
      eds: [`a:${round}`, 'b'],
      lds: [`l:${round}>r`, 'm>s'],
      rds: [`r:${round}>a`, 's>b'],
      sds,
    });
    for (const type of ['cluster', 'endpoint', 'listener', 'route'] as const) {
      stream.ack(await stream.receive(type));
    }
  }
  await stream.quiet();
});

scenario('37: names are compared as they are, also those of the new form', async (t) => {
  const name = 'xdstp://authority/envoy.config.cluster.v3.Cluster/a?x=1';
  t.serve(node, { cds: ['a'], sds });
  const stream = t.client().delta(node);
  const response = await take(stream, 'cluster', { resource_names_subscribe: [name] });
  assert.equal(response.removed, [name]);
});

scenario('39: pushes wait for the answer and come as one', async (t) => {
  t.serve(node, world);
  const stream = t.client().delta(node);
  stream.send('cluster');
  const first = await stream.receive('cluster');
  t.serve(node, { ...world, cds: ['a:2', 'b'] });
  t.serve(node, { ...world, cds: ['a:2', 'b:2'] });
  t.serve(node, { ...world, cds: ['a:3', 'b:2'] });
  await stream.quiet();
  stream.ack(first);
  const newest = await stream.receive('cluster');
  assert.equal(names(newest), ['a', 'b']);
  stream.ack(newest);
  await stream.quiet();
});

async function takeWorld(stream: DeltaStream): Promise<void> {
  await take(stream, 'cluster');
  await take(stream, 'endpoint', { resource_names_subscribe: ['a', 'b'] });
  await take(stream, 'listener');
  await take(stream, 'route', { resource_names_subscribe: ['r', 's'] });
  await stream.quiet();
}

test.run();
