/**
 * A proxy with a stream for each type: what it warms on one waits for what comes on another. Statements
 * 20 and 21, over real gRPC.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { adsPath } from '../support/xds-client.js';
import { withServer } from '../support/xds-scenario.js';
import type { SnapshotWords } from '../support/xds-snapshots.js';

const node = 'node-1';
const world: SnapshotWords = { cds: ['a', 'b'], eds: ['a', 'b'], sds: ['barrier'] };
const clusters = '/envoy.service.cluster.v3.ClusterDiscoveryService';
const endpoints = '/envoy.service.endpoint.v3.EndpointDiscoveryService';

for (const [where, path] of [
  ['a stream of their own', `${endpoints}/StreamEndpoints`],
  ['the aggregated stream', adsPath.sotw],
] as const) {
  test(
    `20: endpoints on ${where} are answered again after their cluster changed on another`,
    withServer(async (t) => {
      t.serve(node, world);
      const [parent, child] = [
        t.client().sotw(node, `${clusters}/StreamClusters`),
        t.client().sotw(node, path),
      ];
      parent.send('cluster');
      parent.ack(await parent.receive('cluster'));
      child.send('endpoint', { resource_names: ['a', 'b'] });
      const first = await child.receive('endpoint');
      child.ack(first, ['a', 'b']);
      t.serve(node, { ...world, cds: ['a:2', 'b'] });
      const changed = await parent.receive('cluster');
      const again = await child.receive('endpoint');
      assert.equal(again.names, ['a'], 'those that wait, and not all');
      // The proxy's own request for it crossed with that: it is stale, and nothing is owed.
      child.ack(first, ['a', 'b']);
      child.ack(again, ['a', 'b']);
      parent.ack(changed);
      t.serve(node, { ...world, cds: ['a:2', 'b'], eds: ['a', 'b:2'] });
      assert.equal((await child.receive('endpoint')).names, ['b'], 'and nothing between');
    }),
  );
}

for (const [where, path] of [
  ['a stream of their own', `${endpoints}/DeltaEndpoints`],
  ['the aggregated stream', adsPath.delta],
] as const) {
  test(
    `21: endpoints on ${where} follow a cluster that changed on another unasked`,
    withServer(async (t) => {
      t.serve(node, world);
      const [parent, child, stranger] = [
        t.client().delta(node, `${clusters}/DeltaClusters`),
        t.client().delta(node, path),
        t.client().delta('node-2', path),
      ];
      t.serve('node-2', world);
      parent.send('cluster');
      parent.ack(await parent.receive('cluster'));
      for (const stream of [child, stranger]) {
        stream.send('endpoint', { resource_names_subscribe: ['a', 'b'] });
        stream.ack(await stream.receive('endpoint'));
      }
      t.serve(node, { ...world, cds: ['a:2', 'b', 'c'], eds: ['a', 'b', 'c'] });
      const changed = await parent.receive('cluster');
      const again = await child.receive('endpoint');
      assert.equal(again.names, ['a'], 'c is not subscribed to');
      child.ack(again);
      parent.ack(changed);
      t.serve(node, { ...world, cds: ['a:2', 'b'], eds: ['a', 'b:2'] });
      t.serve('node-2', { ...world, eds: ['a', 'b:2'] });
      for (const stream of [child, stranger]) {
        assert.equal((await stream.receive('endpoint')).names, ['b'], 'and nothing between');
      }
    }),
  );
}

test(
  '21: a stream that has its clusters itself is told once, whatever others of its node are sent',
  withServer(async (t) => {
    t.serve(node, world);
    const [left, right] = [t.client().delta(node), t.client().delta(node)];
    for (const stream of [left, right]) {
      stream.send('cluster');
      stream.ack(await stream.receive('cluster'));
      stream.send('endpoint', { resource_names_subscribe: ['a'] });
      stream.ack(await stream.receive('endpoint'));
    }
    t.serve(node, { ...world, cds: ['a:2', 'b'] });
    for (const stream of [left, right]) {
      stream.ack(await stream.receive('cluster'));
      stream.ack(await stream.receive('endpoint'));
      await stream.quiet();
    }
  }),
);

test.run();
