/**
 * Clusters before the routes that name them, removals when nothing names them any more, in both variants
 * over real gRPC: statements 24 to 26, and what happens where a proxy refuses, is silent, is overtaken or
 * loses its stream on the way.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { XdsSettings } from '../../controller/xds/settings.js';
import { until } from '../support/until.js';
import type { Received } from '../support/xds-client.js';
import { createPlayer, variants, type XdsPlayer } from '../support/xds-player.js';
import { withServer } from '../support/xds-scenario.js';
import type { TestServer } from '../support/xds-server.js';
import type { SnapshotWords } from '../support/xds-snapshots.js';

const node = 'node-1';
const sds = ['barrier'];
const before: SnapshotWords = { cds: ['a'], eds: ['a'], lds: ['l>r'], rds: ['r>a'], sds };
const after: SnapshotWords = { cds: ['n'], eds: ['n'], lds: ['l>r'], rds: ['r:2>n'], sds };

const names = (response: Received): readonly string[] => [...response.names].sort();

async function takeBefore(player: XdsPlayer): Promise<void> {
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
    settings: Partial<XdsSettings> = {},
  ): void =>
    test(
      `${variant}: ${name}`,
      withServer(async (t) => {
        t.serve(node, before);
        const player = createPlayer(t.client(), node, variant);
        await takeBefore(player);
        await play(t, player);
      }, settings),
    );
  /** What a list or a removal says of clusters that have gone. */
  const isGone = (response: Received, name: string): boolean =>
    variant === 'sotw' ? !response.names.includes(name) : response.removed.includes(name);
  const isLeftAlone = (response: Received, name: string): boolean =>
    variant === 'sotw' ? response.names.includes(name) : !response.removed.includes(name);

  scenario(
    'D23 (25): a route moves to a new cluster before the old one goes',
    async (t, player) => {
      t.serve(node, after);
      const clusters = await player.receive('cluster');
      assert.ok(clusters.names.includes('n'), 'the new cluster comes');
      assert.ok(isLeftAlone(clusters, 'a'), 'the old cluster stays');
      player.ask('endpoint', ['n']);
      await player.accept('endpoint');
      await player.quiet();
      player.ack(clusters);
      assert.equal((await player.accept('route')).names, ['r']);
      const last = await player.accept('cluster');
      assert.ok(isGone(last, 'a'), 'the old cluster goes at the end');
      if (variant === 'delta') {
        assert.equal((await player.accept('endpoint')).removed, ['a']);
      }
      await player.quiet();
      await until('all of it counts as acknowledged', () => {
        const [status] = t.server.proxies();
        return status?.ackedGeneration === 2;
      });
      const [status] = t.server.proxies();
      assert.is(status?.types.cluster?.version, status?.types.cluster?.ackedVersion);
    },
  );

  /** Another cluster in place of `a`, and a route that names neither: `a` goes last. Answers what came first. */
  const replaceUnreferred = async (t: TestServer, player: XdsPlayer): Promise<Received> => {
    t.serve(node, { ...before, cds: ['n>'], rds: ['r:2'] });
    const clusters = await player.receive('cluster');
    assert.ok(isLeftAlone(clusters, 'a'));
    const route = await player.receive('route');
    player.ack(clusters);
    await player.quiet();
    player.ack(route);
    assert.ok(isGone(await player.accept('cluster'), 'a'));
    return clusters;
  };

  scenario('25: without references too, updates come before removals', async (t, player) => {
    const clusters = await replaceUnreferred(t, player);
    assert.ok(clusters.names.includes('n'));
  });

  scenario('25: so they do where nothing was ever known to refer to it', async (t, player) => {
    t.serve(node, { ...before, rds: ['r:1'] });
    await player.acceptAll();
    await replaceUnreferred(t, player);
  });

  scenario('26: a route waits until its new cluster is acknowledged', async (t, player) => {
    t.serve(node, { ...before, cds: ['a', 'n'], eds: ['a', 'n'], rds: ['r:2>a,n'] });
    const clusters = await player.receive('cluster');
    player.ask('endpoint', ['n']);
    await player.accept('endpoint');
    await player.quiet();
    player.ack(clusters);
    assert.equal((await player.accept('route')).names, ['r']);
  });

  scenario('26: a route waits for the endpoints of its new cluster too', async (t, player) => {
    t.serve(node, { ...before, cds: ['a', 'n'], eds: ['a', 'n'], rds: ['r:2>a,n'] });
    const clusters = await player.receive('cluster');
    player.ask('endpoint', ['n']);
    const endpoints = await player.receive('endpoint');
    player.ack(clusters);
    await player.quiet();
    player.ack(endpoints);
    assert.equal((await player.accept('route')).names, ['r']);
  });

  scenario(
    'a refused cluster holds back the route that names it, and nothing else',
    async (t, player) => {
      t.serve(node, {
        cds: ['a', 'n'],
        eds: ['a', 'n'],
        lds: ['l:2>r', 'm>s'],
        rds: ['r:2>n', 's>a'],
        sds,
      });
      player.nack(await player.receive('cluster'));
      assert.ok(names(await player.accept('listener')).includes('m'));
      player.ask('route', ['s']);
      assert.equal((await player.accept('route')).names, ['s']);
      await player.quiet();
      t.serve(node, before);
      const responses = await player.acceptAll();
      const clusters = responses.filter((response) => response.type === 'cluster');
      assert.equal(
        clusters.map((back) => isGone(back, 'n')),
        [true],
        'the last good clusters',
      );
      assert.is(t.server.proxies()[0]?.ackedGeneration, 3);
    },
  );

  scenario('a refused route keeps the cluster that the old one names', async (t, player) => {
    t.serve(node, after);
    const clusters = await player.receive('cluster');
    player.ask('endpoint', ['n']);
    await player.accept('endpoint');
    player.ack(clusters);
    player.nack(await player.receive('route'));
    await player.quiet();
    t.serve(node, before);
    const response = await player.receive('route');
    assert.equal(response.names, ['r'], 'the last good route, to make sure');
    player.ack(response);
    assert.ok(isGone(await player.accept('cluster'), 'n'));
  });

  scenario('a newer publication in the middle is what everything goes on to', async (t, player) => {
    t.serve(node, after);
    const clusters = await player.receive('cluster');
    t.serve(node, { ...before, cds: ['m'], eds: ['m'], rds: ['r:3>m'] });
    player.ask('endpoint', ['n']);
    assert.equal((await player.accept('endpoint')).names, ['n']);
    player.ack(clusters);
    const newer = await player.receive('cluster');
    assert.ok(newer.names.includes('m'));
    assert.ok(isLeftAlone(newer, 'a'), 'the route still names a');
    assert.ok(isGone(newer, 'n'), 'nothing ever named n');
    player.ack(newer);
    player.ask('endpoint', ['m']);
    const responses = await player.acceptAll();
    const route = responses.find((response) => response.type === 'route');
    assert.equal(route?.names, ['r']);
    const later = responses.filter((response) => response.type === 'cluster');
    assert.equal(
      later.map((response) => isGone(response, 'a')),
      [true],
    );
    assert.is(t.server.proxies()[0]?.ackedGeneration, 3);
  });

  scenario(
    'C23: a proxy that never acknowledges clusters gets no route to them, others do',
    async (t, player) => {
      t.serve(node, after);
      await player.receive('cluster');
      t.serve('node-2', after);
      const other = createPlayer(t.client(), 'node-2', variant);
      await other.take('cluster');
      await other.take('endpoint', ['n']);
      assert.equal((await other.take('route', ['r'])).names, ['r']);
      await t.untilLogged((line) => line.event === 'xds.unanswered');
      await player.quiet();
    },
    { ackTimeoutMs: 20 },
  );

  scenario(
    'a listener to a cluster waits for it, and its removal frees the cluster',
    async (t, player) => {
      t.serve(node, {
        ...before,
        cds: ['a', 'b'],
        eds: ['a', 'b'],
        lds: ['l>r', 'm>s'],
        rds: ['r>a', 's>b'],
      });
      await player.accept('cluster');
      await player.accept('listener');
      await player.take('endpoint', ['b']);
      await player.take('route', ['s']);
      t.serve(node, before);
      assert.ok(isGone(await player.receive('listener'), 'm'));
      await player.quiet();
    },
  );

  scenario(
    'a proxy that reconnects in the middle loses no cluster that it routes to',
    async (t, player) => {
      t.serve(node, after);
      const clusters = await player.accept('cluster');
      player.end();
      await t.event((event) => event.kind === 'proxyDisconnected');
      const again = t.client();
      const versions = { a: 'older', n: clusters.versions.get('n') ?? '' };
      if (variant === 'sotw') {
        const stream = again.sotw(node);
        stream.send('cluster', { version_info: clusters.version });
        stream.send('route', { resource_names: ['r'], version_info: 'older' });
        const route = await stream.receive('route');
        assert.equal(route.names, ['r']);
        await stream.quiet();
        stream.ack(route, ['r']);
        assert.equal((await stream.receive('cluster')).names, ['n']);
      } else {
        const stream = again.delta(node);
        stream.send('cluster', { initial_resource_versions: versions });
        stream.send('route', {
          resource_names_subscribe: ['r'],
          initial_resource_versions: { r: 'older' },
        });
        const route = await stream.receive('route');
        await stream.quiet();
        stream.ack(route);
        assert.equal((await stream.receive('cluster')).removed, ['a']);
      }
    },
  );
}

test.run();
