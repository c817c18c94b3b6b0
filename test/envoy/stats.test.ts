/** What a real Envoy with our bootstrap tells of its clusters: each answer once, in the bucket of its time. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePorts } from '../../controller/demo/free-ports.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import type { ClusterStats, PublisherEvent } from '../../controller/loop/ports.js';
import { type App, startHttpApp } from '../support/apps.js';
import { type RunningEnvoy, startEnvoy } from '../support/envoy.js';
import { startTestServer, type TestServer } from '../support/xds-server.js';

const test = suite('statistics of a real Envoy');

const cluster = 'cds_egress_shop_checkout.v1_http_8080';
const nodeId = 'mesh/shop/virtualNode/web';

interface Stage {
  readonly server: TestServer;
  readonly app: App;
  readonly envoy: RunningEnvoy;
  readonly port: number;
}

/** An Envoy that sends what comes to `port` to an app that takes 60 ms for an answer. */
async function setUp(stats: 'all' | 'gates'): Promise<Stage> {
  const server = await startTestServer();
  const app = await startHttpApp((_request, response) => {
    setTimeout(() => response.end('hello'), 60);
  });
  const [port = 0] = await freePorts(1);
  const bootstrap = renderBootstrap({ nodeId, xds: [server.address], stats });
  const { clusters } = bootstrap.static_resources as { readonly clusters: readonly unknown[] };
  const envoy = await startEnvoy({
    ...bootstrap,
    dynamic_resources: { ads_config: (bootstrap.dynamic_resources as Resources).ads_config },
    static_resources: { clusters: [...clusters, toApp(app.port)], listeners: [listener(port)] },
  });
  await envoy.waitUntilLive();
  return { server, app, envoy, port };
}

interface Resources {
  readonly ads_config: unknown;
}

function toApp(port_value: number) {
  const address = { socket_address: { address: '127.0.0.1', port_value } };
  const endpoints = [{ lb_endpoints: [{ endpoint: { address } }] }];
  return {
    name: cluster,
    type: 'STATIC',
    load_assignment: { cluster_name: cluster, endpoints },
    outlier_detection: {},
  };
}

function listener(port_value: number) {
  const package_ = 'type.googleapis.com/envoy.extensions.filters';
  const route = { match: { prefix: '/' }, route: { cluster } };
  const manager = {
    '@type': `${package_}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'in',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
    http_filters: [
      { name: 'router', typed_config: { '@type': `${package_}.http.router.v3.Router` } },
    ],
  };
  return {
    name: 'in',
    address: { socket_address: { address: '127.0.0.1', port_value } },
    filter_chains: [{ filters: [{ name: 'manager', typed_config: manager }] }],
  };
}

async function tearDown({ server, app, envoy }: Stage): Promise<void> {
  await envoy.stop();
  await app.stop();
  await server.stop();
}

async function send(port: number, count: number): Promise<void> {
  const answers = Array.from({ length: count }, () => fetch(`http://127.0.0.1:${port}/`));
  for (const answer of await Promise.all(answers)) {
    await answer.text();
  }
}

type Reported = Extract<PublisherEvent, { kind: 'statsReported' }>;

const isReported = (event: PublisherEvent): event is Reported => event.kind === 'statsReported';

/** All that was told of the cluster so far, oldest first. */
function told(server: TestServer): readonly ClusterStats[] {
  return server.events
    .filter(isReported)
    .flatMap(({ report }) => report.clusters.filter((stats) => stats.cluster === cluster));
}

function answersTold(server: TestServer): number {
  return told(server).reduce((sum, { latency }) => sum + (latency?.total ?? 0), 0);
}

for (const stats of ['all', 'gates'] as const) {
  test(`each answer is told once, and members are, with ${stats} statistics`, async () => {
    const stage = await setUp(stats);
    const { server, port, envoy } = stage;
    try {
      await send(port, 7);
      await server.untilStatus(() => answersTold(server) === 7);
      await send(port, 5);
      await server.untilStatus(() => answersTold(server) === 12);
      const reports = server.events.filter(isReported).length;
      await server.untilStatus(() => server.events.filter(isReported).length >= reports + 1);
      assert.is(answersTold(server), 12, 'an interval without answers tells of none');
      for (const { latency } of told(server)) {
        // 60 ms and a little: none is in a bucket that ends below.
        const early = latency?.counts.filter((_, index) => (latency.boundsMs[index] ?? 0) < 60);
        assert.is(early?.reduce((sum, count) => sum + count, 0) ?? 0, 0);
      }
      assert.equal(told(server).at(-1)?.members, { total: 1, healthy: 1, ejected: 0 });
      assert.is(server.events.find(isReported)?.report.nodeId, nodeId);
      const kept = (await envoy.admin('/stats')).split('\n').length;
      assert.ok(stats === 'all' ? kept > 100 : kept < 20, `${kept} statistics`);
    } finally {
      await tearDown(stage);
    }
  });
}

test.run();
