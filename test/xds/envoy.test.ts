/**
 * The server against real Envoys, in both variants: warming (statements 20 and 21), changes that come and
 * go under load without a lost request (24 to 26), refusals in Envoy's own words, and reconnects (35).
 */
import { once } from 'node:events';
import { Agent, createServer, get, type Server } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../controller/base/random.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { encodeResource } from '../../controller/envoy/resource.js';
import { resourceSet } from '../../controller/envoy/resource-set.js';
import type { Snapshot } from '../../controller/envoy/snapshot.js';
import type { PublisherEvent } from '../../controller/loop/ports.js';
import { type RunningEnvoy, startEnvoy } from '../support/envoy.js';
import { type Relay, startRelay } from '../support/raw-http2.js';
import { until } from '../support/until.js';
import { variants } from '../support/xds-player.js';
import { startTestServer, type TestServer } from '../support/xds-server.js';
import { type SnapshotWords, snapshotOf } from '../support/xds-snapshots.js';

const test = suite('xDS with real Envoys');
const node = 'node-1';
const undo: (() => unknown)[] = [];

test.after.each(async () => {
  for (const step of undo.splice(0).reverse()) {
    await step();
  }
});

function portOf(server: Server): number {
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

interface Stage {
  readonly t: TestServer;
  readonly envoy: RunningEnvoy;
  /** Between Envoy and the server. */
  readonly relay: Relay;
  snapshot(words: SnapshotWords): Snapshot;
  /** Publishes and resolves once Envoy has everything. */
  serve(words: SnapshotWords): Promise<void>;
  /** The status and the variant of the route that answers a request through Envoy. */
  request(): Promise<string>;
  /** Sends requests, a few at a time, until `stop`, which answers those that failed and how many were sent. */
  load(): { stop(): Promise<{ readonly failed: readonly string[]; readonly sent: number }> };
  /** A counter or gauge of Envoy. */
  stat(name: string): Promise<number>;
}

/** A backend, an Envoy in front of it and the server, which serves one cluster `a` to begin with. */
async function setUp(variant: (typeof variants)[number]): Promise<Stage> {
  const backend = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(backend, 'listening');
  undo.push(() => {
    backend.close();
    backend.closeAllConnections();
  });
  const t = await startTestServer();
  undo.push(() => t.stop());
  const relay = await startRelay(t.address);
  undo.push(() => relay.close());
  const listenerPort = await freePort();
  const snapshot = (words: SnapshotWords): Snapshot =>
    snapshotOf(words, { listenerPort, endpointPort: portOf(backend) });
  let generation = 0;
  const serve = async (words: SnapshotWords): Promise<void> => {
    t.serve(node, snapshot(words));
    generation = t.generation();
    await untilAcked(t, generation);
  };
  t.serve(node, snapshot(first));
  const envoy = await startEnvoy(
    renderBootstrap({ nodeId: node, xds: [relay.target], protocol: variant }),
  );
  undo.push(() => envoy.stop());
  await envoy.waitUntilLive();
  await untilAcked(t, t.generation());
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  undo.push(() => agent.destroy());
  const request = (): Promise<string> =>
    new Promise((resolve) => {
      get({ host: '127.0.0.1', port: listenerPort, agent }, (response) => {
        response.resume();
        response.on('end', () =>
          resolve(`${response.statusCode} ${response.headers['x-variant'] ?? ''}`.trim()),
        );
      }).on('error', (error) => resolve(error.message));
    });
  return {
    t,
    envoy,
    relay,
    snapshot,
    serve,
    request,
    load: () => startLoad(request),
    async stat(name) {
      const text = await envoy.admin(`/stats?filter=^${name.replaceAll('.', '\\.')}$`);
      return Number(/: (\d+)/.exec(text)?.[1] ?? Number.NaN);
    },
  };
}

const first: SnapshotWords = { cds: ['a'], eds: ['a'], lds: ['l>r'], rds: ['r>a'] };

async function untilAcked(t: TestServer, generation: number): Promise<void> {
  await until(`generation ${generation} is acknowledged`, () =>
    t.server.proxies().some((proxy) => proxy.ackedGeneration === generation),
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}; ${JSON.stringify(t.server.proxies())}`);
  });
}

function startLoad(request: () => Promise<string>): ReturnType<Stage['load']> {
  const failed: string[] = [];
  let sent = 0;
  let isOn = true;
  const run = async (): Promise<void> => {
    while (isOn) {
      const answer = await request();
      sent += 1;
      if (!answer.startsWith('200')) {
        failed.push(answer);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const runs = Promise.all([run(), run(), run()]);
  return {
    async stop() {
      isOn = false;
      await runs;
      return { failed, sent };
    },
  };
}

const nacked = (
  event: PublisherEvent,
): event is Extract<PublisherEvent, { readonly kind: 'proxyNacked' }> =>
  event.kind === 'proxyNacked';

for (const variant of variants) {
  test(`20, 21: ${variant}: a changed cluster is warm within a moment`, async () => {
    const stage = await setUp(variant);
    const startedMs = performance.now();
    await stage.serve({ ...first, cds: ['a:2'] });
    await stage.serve({ ...first, cds: ['a:3'], eds: ['a:2'] });
    await stage.serve({ ...first, cds: ['a:4', 'b'], eds: ['a:2', 'b'] });
    assert.ok(performance.now() - startedMs < 3_000, 'no acknowledgement waited for a timeout');
    assert.is(await stage.stat('cluster_manager.warming_clusters'), 0);
    assert.is(await stage.request(), '200 1');
  });

  test(`24–26: ${variant}: nothing is lost while clusters, listeners and routes come and go`, async () => {
    const stage = await setUp(variant);
    const random = seededRandom(7);
    const load = stage.load();
    const changes = 60;
    for (let change = 1; change <= changes; change += 1) {
      const some = ['a', 'b', 'c', 'd'].filter(() => random() < 0.5);
      const clusters = some.length > 0 ? some : ['a'];
      stage.t.serve(
        node,
        stage.snapshot({
          cds: clusters.map((name) => `${name}:${1 + Math.floor(random() * 3)}`),
          eds: clusters.map((name) => `${name}:${1 + Math.floor(random() * 3)}`),
          lds: [random() < 0.2 ? `l:${change}>r` : 'l>r'],
          rds: [`r:${change}>${clusters.join(',')}`],
        }),
      );
      await new Promise((resolve) => setTimeout(resolve, random() < 0.5 ? 1 : 30));
    }
    await untilAcked(stage.t, stage.t.generation());
    const { failed, sent } = await load.stop();
    assert.equal(failed, [], `${failed.length} of ${sent} requests failed`);
    assert.ok(sent > changes, `only ${sent} requests`);
    assert.is(await stage.request(), `200 ${changes}`);
    assert.is(await stage.stat('cluster_manager.warming_clusters'), 0);
    assert.not(stage.t.events.some(nacked));
  });

  test(`10, 34: ${variant}: a refusal comes in Envoy's words, the rest is taken, and it goes back`, async () => {
    const stage = await setUp(variant);
    const good = stage.snapshot({ ...first, lds: ['l:2>r'] });
    const bad = encodeResource(
      'listener',
      'bad',
      {
        name: 'bad',
        address: { socket_address: { address: 'not-an-address', port_value: 1 } },
      },
      [],
    );
    stage.t.serve(node, {
      ...good,
      listener: resourceSet([...good.listener.byName.values(), bad]),
    });
    const refusal = await stage.t.event(nacked);
    assert.is(refusal.type, 'listener');
    assert.equal(refusal.resources, ['bad']);
    assert.match(refusal.error, /Error adding\/updating listener\(s\) bad: .*not-an-address/);
    const configDump = (): Promise<string> => stage.envoy.admin('/config_dump');
    await until('the other listener has changed', async () =>
      (await configDump()).includes('"stat_prefix": "l-2"'),
    );
    assert.is(stage.t.server.proxies()[0]?.types.listener?.state, 'rejected');
    await stage.serve(first);
    assert.match(await configDump(), '"stat_prefix": "l-1"');
    assert.is(await stage.stat('listener_manager.lds.update_rejected'), 1);
    assert.is(await stage.request(), '200 1');
  });

  test(`35: ${variant}: an Envoy that comes back is sent what changed, and no more`, async () => {
    const stage = await setUp(variant);
    const load = stage.load();
    const updates = (type: string): Promise<number> => stage.stat(`${type}.update_success`);
    const before = [await updates('cluster_manager.cds'), await updates('listener_manager.lds')];
    await stage.t.restart();
    await stage.serve(first);
    assert.equal(
      [await updates('cluster_manager.cds'), await updates('listener_manager.lds')],
      before,
      'what it had was not sent again',
    );
    stage.relay.reset();
    await stage.t.until(() => stage.t.server.proxies().length === 0);
    await stage.serve({ cds: ['n'], eds: ['n'], lds: ['l>r'], rds: ['r:2>n'] });
    const { failed, sent } = await load.stop();
    assert.equal(failed, [], `${failed.length} of ${sent} requests failed`);
    assert.is(await stage.request(), '200 2');
  });
}

test.run();
