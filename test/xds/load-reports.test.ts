/** Load reports (statement 45): what a proxy is told to report, and what the loop gets of its reports. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeMessage, encodeMessage } from '../../controller/envoy/encode.js';
import type { MessageTypes } from '../../controller/generated/envoy-types.js';
import type { LoadReport, PublisherEvent } from '../../controller/loop/ports.js';
import type { RawStream, XdsClient } from '../support/xds-client.js';
import { withServer } from '../support/xds-scenario.js';
import type { TestServer } from '../support/xds-server.js';

const path = '/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats';
const sendAll = 'envoy.lrs.supports_send_all_clusters';
const node = 'node-1';
const world = { cds: ['a', 'b'], sds: ['barrier'] };

type Request = MessageTypes['envoy.service.load_stats.v3.LoadStatsRequest'];
type Answer = MessageTypes['envoy.service.load_stats.v3.LoadStatsResponse'];

const reported = (
  event: PublisherEvent,
): event is Extract<PublisherEvent, { readonly kind: 'loadReported' }> =>
  event.kind === 'loadReported';

function send(stream: RawStream, request: Request): void {
  stream.call.write(encodeMessage('envoy.service.load_stats.v3.LoadStatsRequest', request));
}

async function answerOf(stream: RawStream): Promise<Answer> {
  const bytes = await stream.receive('an answer to a load report');
  return decodeMessage('envoy.service.load_stats.v3.LoadStatsResponse', bytes);
}

/** Opens a stream of reports and takes its first answer. */
async function open(
  client: XdsClient,
  features: readonly string[] = [sendAll],
): Promise<RawStream> {
  const stream = client.open(path);
  send(stream, { node: { id: node, client_features: features } });
  await answerOf(stream);
  return stream;
}

async function reportOf(t: TestServer): Promise<LoadReport> {
  return (await t.event(reported)).report;
}

test(
  '45: a client that can is asked for all clusters, at the interval of the settings',
  withServer(
    async (t) => {
      const stream = t.client().open(path);
      send(stream, { node: { id: node, client_features: ['another', sendAll] } });
      assert.equal(await answerOf(stream), {
        send_all_clusters: true,
        load_reporting_interval: { seconds: 1, nanos: 250_000_000 },
      });
    },
    { loadReportIntervalMs: 1250 },
  ),
);

test(
  '45: a client that cannot is asked for its clusters by name, again when they change',
  withServer(async (t) => {
    t.serve(node, world);
    const stream = t.client().open(path);
    send(stream, { node: { id: node } });
    const first = await answerOf(stream);
    assert.equal([first.clusters, first.send_all_clusters], [['a', 'b'], false]);
    t.serve('another', world);
    t.serve(node, { ...world, cds: ['a', 'c'] });
    assert.equal((await answerOf(stream)).clusters, ['a', 'c']);
  }),
);

test(
  '45: a report is the sum over localities, tied to the proxy on the same connection',
  withServer(async (t) => {
    t.serve(node, world);
    const [client, other] = [t.client(), t.client()];
    for (const each of [other, client]) {
      const discovery = each.sotw(node);
      discovery.send('cluster');
      await discovery.receive('cluster');
    }
    const ids = t.server.proxies().map((proxy) => proxy.id);
    const stream = await open(client);
    const locality = { zone: 'z' };
    send(stream, {
      node: { id: node },
      cluster_stats: [
        {
          cluster_name: 'a',
          load_report_interval: { seconds: 1, nanos: 3_000_000 },
          upstream_locality_stats: [
            {
              locality,
              total_successful_requests: 90,
              total_error_requests: 9,
              total_issued_requests: 100,
              total_requests_in_progress: 1,
            },
            { locality, total_successful_requests: 10, total_issued_requests: 11, priority: 1 },
          ],
        },
        // As Envoy reports a cluster without traffic.
        { cluster_name: 'b', load_report_interval: { seconds: 1 } },
      ],
    });
    const report = await reportOf(t);
    assert.is(report.nodeId, node);
    assert.is(report.proxyId, ids[1], 'the other replica has a connection of its own');
    assert.equal(report.clusters, [
      { cluster: 'a', intervalMs: 1003, successes: 100, errors: 9, issued: 111, inProgress: 1 },
      { cluster: 'b', intervalMs: 1000, successes: 0, errors: 0, issued: 0, inProgress: 0 },
    ]);
  }),
);

test(
  '45: where several nodes share a connection, a report is that of its own',
  withServer(async (t) => {
    const client = t.client();
    for (const each of [node, 'node-2']) {
      t.serve(each, world);
      const discovery = client.sotw(each);
      discovery.send('cluster');
      await discovery.receive('cluster');
    }
    const [own] = t.server.proxies();
    send(await open(client), { node: { id: node }, cluster_stats: [{ cluster_name: 'a' }] });
    const report = await reportOf(t);
    assert.is(own?.identity.nodeId, node);
    assert.is(report.proxyId, own?.id);
  }),
);

test(
  '45: replicas of one node report apart, and one that comes back is another',
  withServer(async (t) => {
    t.serve(node, world);
    const connect = async (): Promise<RawStream> => {
      const client = t.client();
      const discovery = client.sotw(node);
      discovery.send('cluster');
      await discovery.receive('cluster');
      return open(client);
    };
    const report = async (stream: RawStream, issued: number): Promise<LoadReport> => {
      const stats = {
        cluster_name: 'a',
        upstream_locality_stats: [{ total_issued_requests: issued }],
      };
      send(stream, { node: { id: node }, cluster_stats: [stats] });
      const isIt = (
        event: PublisherEvent,
      ): event is Extract<PublisherEvent, { kind: 'loadReported' }> =>
        reported(event) && event.report.clusters[0]?.issued === issued;
      return (await t.event(isIt)).report;
    };
    const [first, second] = [await connect(), await connect()];
    const ids = t.server.proxies().map((proxy) => proxy.id);
    assert.is((await report(first, 1)).proxyId, ids[0]);
    assert.is((await report(second, 2)).proxyId, ids[1]);
    first.call.cancel();
    const again = await connect();
    const third = await report(again, 3);
    assert.not(
      ids.some((id) => id === third.proxyId),
      'its figures start anew',
    );
    assert.is((await report(second, 4)).proxyId, ids[1]);
  }),
);

test('45: a client that comes back is told an interval that has changed', async () => {
  for (const [intervalMs, seconds] of [
    [1_000, 1],
    [5_000, 5],
  ] as const) {
    await withServer(
      async (t) => {
        const stream = t.client().open(path);
        send(stream, { node: { id: node, client_features: [sendAll] } });
        assert.is((await answerOf(stream)).load_reporting_interval?.seconds, seconds);
      },
      { loadReportIntervalMs: intervalMs },
    )();
  }
});

test(
  '45: reports without a discovery stream on the connection have no proxy',
  withServer(async (t) => {
    const stream = await open(t.client());
    send(stream, { cluster_stats: [{ cluster_name: 'a' }] });
    const report = await reportOf(t);
    assert.is(report.proxyId, undefined);
    assert.is(report.nodeId, node, 'as said in the first message');
  }),
);

test(
  '45: a first message without figures is no report, and a stream that ends is forgotten',
  withServer(async (t) => {
    const stream = await open(t.client(), []);
    stream.call.end();
    assert.is((await stream.ended()).code, 0);
    t.serve(node, world);
    assert.not(t.events.some(reported));
  }),
);

test(
  '45: a report that cannot be read ends its stream as INVALID_ARGUMENT',
  withServer(async (t) => {
    const stream = await open(t.client());
    stream.call.write(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff]));
    assert.is((await stream.ended()).code, 3);
  }),
);

test.run();
