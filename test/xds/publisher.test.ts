/**
 * What the loop learns of proxies: who is connected, what each has acknowledged, refused and lacks. A
 * rollout goes on by these events alone, so none may come early and none may be missing.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProxyStatus, PublisherEvent } from '../../controller/loop/ports.js';
import { createPlayer, variants, type XdsPlayer } from '../support/xds-player.js';
import { withServer } from '../support/xds-scenario.js';
import type { TestServer } from '../support/xds-server.js';
import type { SnapshotWords } from '../support/xds-snapshots.js';

const node = 'node-1';
const world: SnapshotWords = {
  cds: ['a'],
  eds: ['a'],
  lds: ['l>r'],
  rds: ['r>a'],
  sds: ['barrier'],
};

const isAcked = (generation: number) => (event: PublisherEvent) =>
  event.kind === 'proxyAcked' && event.proxy.ackedGeneration === generation;

async function takeWorld(player: XdsPlayer): Promise<void> {
  await player.take('cluster');
  await player.take('endpoint', ['a']);
  await player.take('listener');
  await player.take('route', ['r']);
  await player.quiet();
}

for (const variant of variants) {
  const scenario = (
    name: string,
    play: (t: TestServer, player: XdsPlayer) => Promise<void>,
  ): void =>
    test(
      `${variant}: ${name}`,
      withServer(async (t) => {
        t.serve(node, world);
        await play(t, createPlayer(t.client(), node, variant));
      }),
    );
  const only = (t: TestServer): ProxyStatus => {
    const proxies = t.server.proxies();
    assert.is(proxies.length, 1);
    return proxies[0] as ProxyStatus;
  };

  scenario('a proxy has a generation once it has all of it, and not before', async (t, player) => {
    const isAtNone = (): void => assert.is(only(t).ackedGeneration, 0);
    await player.take('cluster');
    await player.quiet();
    isAtNone();
    await player.take('endpoint', ['a']);
    await player.quiet();
    isAtNone();
    await player.take('listener');
    await player.quiet();
    isAtNone();
    player.ask('route', ['r']);
    const route = await player.receive('route');
    isAtNone();
    player.ack(route);
    await player.quiet();
    assert.is(only(t).ackedGeneration, 1);
    assert.is(t.events.filter(isAcked(1)).length, 1);
  });

  scenario(
    'a publication that changes nothing for a proxy is acknowledged at once',
    async (t, player) => {
      await takeWorld(player);
      await t.untilStatus(() => only(t).types.secret?.state === 'synced');
      t.serve('node-2', world);
      assert.is(only(t).ackedGeneration, 2);
      t.serve(node, world);
      assert.is(only(t).ackedGeneration, 3);
      assert.ok(t.events.some(isAcked(3)));
      await player.quiet();
    },
  );

  scenario('of publications that were overtaken, the newest is acknowledged', async (t, player) => {
    await takeWorld(player);
    t.serve(node, { ...world, rds: ['r:2>a'] });
    const second = await player.receive('route');
    t.serve(node, { ...world, rds: ['r:3>a'] });
    t.serve(node, { ...world, rds: ['r:4>a'] });
    player.ack(second);
    const newest = await player.receive('route');
    assert.is(only(t).ackedGeneration, 1);
    player.ack(newest);
    await player.quiet();
    assert.is(only(t).ackedGeneration, 4);
    assert.not(t.events.some(isAcked(2)) || t.events.some(isAcked(3)));
  });

  scenario('what is sent is stale until it is acknowledged', async (t, player) => {
    player.ask('cluster');
    const first = await player.receive('cluster');
    assert.is(only(t).types.cluster?.state, 'stale');
    assert.is(only(t).types.cluster?.ackedVersion, '');
    assert.is(only(t).types.route, undefined, 'what was not asked for is not listed');
    player.ack(first);
    await player.quiet();
    const synced = only(t).types.cluster;
    assert.is(synced?.state, 'synced');
    assert.is(synced?.ackedVersion, synced?.version);
    t.serve(node, { ...world, cds: ['a:2'] });
    await player.receive('cluster');
    const stale = only(t).types.cluster;
    assert.is(stale?.state, 'stale');
    assert.is(stale?.ackedVersion, synced?.version, 'the version from before');
    assert.is.not(stale?.version, synced?.version);
  });

  scenario('a refusal says what, why and of which publication', async (t, player) => {
    await takeWorld(player);
    t.serve(node, { ...world, rds: ['r:2>a'] });
    const refused = await player.receive('route');
    t.serve(node, { ...world, rds: ['r:2>a'], cds: ['a', 'b'] });
    player.nack(refused, 'no such thing');
    const event = await t.event((each) => each.kind === 'proxyNacked');
    assert.is(event.type, 'route');
    assert.equal(event.resources, ['r']);
    assert.is(event.error, 'no such thing');
    assert.is(event.generation, 2);
    const { types } = event.proxy;
    assert.is(types.route?.state, 'rejected');
    assert.is(types.route?.error, 'no such thing');
    assert.is(event.proxy.ackedGeneration, 1);
  });

  scenario('a refusal stands until something else is to be served', async (t, player) => {
    await takeWorld(player);
    t.serve(node, { ...world, rds: ['r:2>a'] });
    player.nack(await player.receive('route'));
    await player.quiet();
    t.serve(node, world);
    await player.accept('route');
    await player.quiet();
    assert.is(only(t).types.route?.state, 'synced');
    assert.is(only(t).types.route?.error, undefined);
    assert.is(only(t).ackedGeneration, 3);
  });

  scenario(
    'what was refused before is refused at once where it is published again',
    async (t, player) => {
      await takeWorld(player);
      t.serve(node, { ...world, rds: ['r:2>a'] });
      player.nack(await player.receive('route'), 'not this one');
      await player.quiet();
      t.serve(node, world);
      await player.accept('route');
      await player.quiet();
      t.serve(node, { ...world, rds: ['r:2>a'] });
      const refusals = t.events.filter((event) => event.kind === 'proxyNacked');
      assert.equal(
        refusals.map((event) => [event.generation, event.error]),
        [
          [2, 'not this one'],
          [4, 'not this one'],
        ],
      );
      await player.quiet();
      assert.is(only(t).types.route?.state, 'rejected');
    },
  );

  scenario('a proxy comes, and goes when it says so', async (t, player) => {
    await player.take('cluster');
    const connected = await t.event((event) => event.kind === 'proxyConnected');
    assert.is(connected.proxy.identity.nodeId, node);
    assert.match(connected.proxy.address, /^127\.0\.0\.1:\d+$/);
    assert.is(connected.proxy.ackedGeneration, 0);
    player.end();
    const gone = await t.event((event) => event.kind === 'proxyDisconnected');
    assert.is(gone.id, connected.proxy.id);
    assert.is(gone.clean, true);
    assert.equal(t.server.proxies(), []);
  });
}

test(
  'a proxy that reconnects with what it has is at the newest generation at once',
  withServer(async (t) => {
    t.serve(node, world);
    const player = createPlayer(t.client(), node, 'sotw');
    const version = (await player.take('cluster')).version;
    await player.quiet();
    t.serve('other', world);
    const stream = t
      .client()
      .sotw(node, '/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters');
    stream.send('cluster', { version_info: version });
    await t.until(() => t.server.proxies().some((proxy) => proxy.ackedGeneration === 2));
  }),
);

test(
  'a user agent is shown as name and version',
  withServer(async (t) => {
    t.serve(node, world);
    const agents = [
      {
        user_agent_name: 'envoy',
        user_agent_build_version: { version: { major_number: 1, minor_number: 40 } },
      },
      { user_agent_name: 'gRPC Node Pure JS', user_agent_version: '1.14.1' },
      {},
    ];
    for (const agent of agents) {
      t.client()
        .sotw(node)
        .send('cluster', { node: { id: node, ...agent } });
    }
    await t.until(() => t.server.proxies().length === 3);
    assert.equal(
      t.server
        .proxies()
        .map((proxy) => proxy.userAgent)
        .sort(),
      ['', 'envoy 1.40.0', 'gRPC Node Pure JS 1.14.1'],
    );
  }),
);

test.run();
