/**
 * Statements at the edge of the protocol: what is asked for though nothing names it (36), what is
 * asked for again because of another change (22), time to live (38), everybody at once (43).
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeMessage, encodeMessage } from '../../controller/envoy/encode.js';
import { adsPath, typeUrl } from '../support/xds-client.js';
import { createPlayer, variants } from '../support/xds-player.js';
import { withServer } from '../support/xds-scenario.js';
import type { TestServer } from '../support/xds-server.js';

const node = 'node-1';
const world = { cds: ['a', 'b'], eds: ['a', 'b'], lds: ['l>r'], rds: ['r>a'], sds: ['barrier'] };

const scenario = (name: string, play: (t: TestServer) => Promise<void>): void =>
  test(name, withServer(play));

for (const variant of variants) {
  scenario(
    `36: ${variant}: a route is answered though no listener names it any more`,
    async (t) => {
      t.serve(node, world);
      const player = createPlayer(t.client(), node, variant);
      await player.take('cluster');
      await player.take('listener');
      t.serve(node, { ...world, lds: [] });
      await player.accept('listener');
      assert.equal((await player.take('route', ['r'])).names, ['r']);
      await player.quiet();
    },
  );

  scenario(
    `43: ${variant}: after a restart all come back at once, and are sent nothing`,
    async (t) => {
      const proxies = Array.from({ length: 100 }, (_, index) => `node-${index}`);
      const serveAll = (): void => {
        for (const one of proxies) {
          t.serve(one, world);
        }
      };
      serveAll();
      const before = await Promise.all(
        proxies.map(async (one) => {
          const player = createPlayer(t.client(), one, variant);
          return player.take('cluster');
        }),
      );
      await t.restart();
      serveAll();
      const clients = proxies.map(() => t.client());
      await Promise.all(
        proxies.map(async (one, index) => {
          const had = before[index];
          assert.ok(had !== undefined);
          if (variant === 'sotw') {
            const stream = clients[index]?.sotw(one);
            stream?.send('cluster', { version_info: had.version, response_nonce: had.nonce });
            await stream?.quiet();
          } else {
            const stream = clients[index]?.delta(one);
            const versions = Object.fromEntries(had.versions);
            stream?.send('cluster', { initial_resource_versions: versions });
            await stream?.quiet();
          }
        }),
      );
      assert.is(t.server.proxies().length, proxies.length);
    },
  );
}

const features = [
  'xds.config.supports-resource-ttl',
  'xds.config.supports-resource-in-sotw',
] as const;

scenario('38: nothing expires, though the client could: what it has it keeps', async (t) => {
  t.serve(node, world);
  const asking = { node: { id: node, client_features: features }, type_url: typeUrl('cluster') };
  const sotw = t.client().open(adsPath.sotw);
  sotw.call.write(encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', asking));
  const list = decodeMessage('envoy.service.discovery.v3.DiscoveryResponse', await sotw.receive());
  const kinds = (list.resources ?? []).map((resource) => Object(resource)['@type']);
  assert.equal([...new Set(kinds)], [typeUrl('cluster')], 'no wrapper around them');
  const delta = t.client().open(adsPath.delta);
  delta.call.write(encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', asking));
  const bytes = await delta.receive();
  const { resources = [] } = decodeMessage(
    'envoy.service.discovery.v3.DeltaDiscoveryResponse',
    bytes,
  );
  assert.is(resources.length, 2);
  assert.ok(resources.every(({ ttl, resource }) => ttl === undefined && resource !== undefined));
});

scenario(
  '22: state of the world: routes are answered again after their listener changed',
  async (t) => {
    t.serve(node, world);
    const stream = t.client().sotw(node);
    stream.send('listener');
    stream.ack(await stream.receive('listener'));
    stream.send('route', { resource_names: ['r'] });
    const routes = await stream.receive('route');
    stream.ack(routes, ['r']);
    t.serve(node, { ...world, lds: ['l:2>r'] });
    await stream.receive('listener');
    await stream.quiet();
    // The same request once more, with the version and nonce that it has.
    stream.ack(routes, ['r']);
    assert.equal((await stream.receive('route')).names, ['r']);
  },
);

test.run();
