/**
 * What anybody may send on a stream of the xDS port, to every method: as the first message and after a good
 * one, with a publication on top. Nothing may throw, since what throws is a bug of ours (`Hub.attempt`).
 */
import { setImmediate } from 'node:timers/promises';
import { createClock } from '../../controller/clock.js';
import { parseNode } from '../../controller/envoy/identity.js';
import { resourceTypes } from '../../controller/envoy/snapshot.js';
import type { Logger, PublisherEvent } from '../../controller/loop/ports.js';
import type { Caller } from '../../controller/xds/admission.js';
import type { Call, CallHandler } from '../../controller/xds/call.js';
import { typeUrlOf } from '../../controller/xds/encode-response.js';
import { Hub } from '../../controller/xds/hub.js';
import { methodsOf } from '../../controller/xds/methods.js';
import { encodeMessage } from '../../controller/xds/protos.js';
import { completeSettings } from '../../controller/xds/settings.js';
import { Lane } from '../../controller/xds/turns.js';
import { createSyntheticMesh } from '../../controller/xds-target/synthetic.js';
import type { FuzzTarget } from './fuzzer.js';

/** Lengths, wire types and numbers that a reader of protobuf may stumble over. */
const wireTokens = [
  ...[
    [0xff, 0xff, 0xff, 0xff, 0x0f],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  ],
  ...[[0x0a, 0x00], [0x0a, 0xff, 0x7f], [0x0b], [0x0c], [0x1a, 0x01, 0x2a], [0x00], [0x80]],
  // Entries of a map that are shorter than their keys.
  ...[[0x2a, 0x02, 0x0a, 0x09]],
].map((bytes) => Uint8Array.from(bytes));

const node = { id: 'mesh/shop/virtualNode/web', cluster: 'web' };

/** A good first message, by what the methods that take it are called. */
const goodMessages: readonly (readonly [method: RegExp, message: Buffer])[] = [
  [
    /StreamLoadStats$/,
    encodeMessage('envoy.service.load_stats.v3.LoadStatsRequest', {
      node: { ...node, client_features: ['envoy.lrs.supports_send_all_clusters'] },
      cluster_stats: [
        {
          cluster_name: 'cds_egress_shop_web_http_80',
          upstream_locality_stats: [
            { total_successful_requests: 9, total_error_requests: 1, total_issued_requests: 10 },
          ],
          load_report_interval: { seconds: 1, nanos: 5 },
        },
      ],
    }),
  ],
  [
    /StreamMetrics$/,
    encodeMessage('envoy.service.metrics.v3.StreamMetricsMessage', { identifier: { node } }),
  ],
  [
    /StreamClientStatus$/,
    encodeMessage('envoy.service.status.v3.ClientStatusRequest', {
      node_matchers: [{ node_id: { exact: node.id } }, { node_id: { safe_regex: { regex: 'm' } } }],
    }),
  ],
  [
    /\/Stream\w+$/,
    encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', {
      node,
      version_info: '1',
      resource_names: ['a', 'b', '*'],
      type_url: typeUrlOf('cluster'),
      response_nonce: '7',
      error_detail: { code: 3, message: 'no' },
    }),
  ],
  [
    /\/Delta\w+$/,
    encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', {
      node,
      type_url: typeUrlOf('listener'),
      resource_names_subscribe: ['a', '*'],
      resource_names_unsubscribe: ['b'],
      initial_resource_versions: { a: '1', b: '2' },
      response_nonce: '7',
    }),
  ],
];

export const xdsStreams: FuzzTarget = {
  name: 'xds-streams',
  tokens: wireTokens,
  seeds: () => [
    ...goodMessages.map(([, message]) => message),
    ...resourceTypes.map((type) =>
      encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', {
        node,
        type_url: typeUrlOf(type),
      }),
    ),
  ],
  async check(input) {
    const { hub, publish, broken, events } = startHub();
    const methods = methodsOf(hub);
    const open: CallHandler[] = [];
    for (const [name, openCall] of methods.streams) {
      const good = goodMessages.find(([method]) => method.test(name))?.[1] ?? Buffer.alloc(0);
      for (const messages of [[input], [good, input]]) {
        const handler = openCall(callOf());
        open.push(handler);
        for (const message of messages) {
          // As the server takes it, but for the catch around it.
          for (const _part of handler.onMessage(Buffer.from(message)) ?? []) {
          }
        }
      }
    }
    for (const answer of methods.unary.values()) {
      // A rejection is the client's to hear of, whatever it says.
      await answer(Buffer.from(input), anybody).catch(() => undefined);
    }
    await setImmediate();
    publish();
    hub.tick();
    await setImmediate();
    for (const handler of open) {
      handler.onEnd(false);
    }
    expectNothingBroken(broken);
    expectPlainFigures(events);
  },
};

const anybody: Caller = {
  name: 'anybody',
  isOperator: false,
  mayBe: () => true,
  standing: () => undefined,
};

const mesh = createSyntheticMesh(2);

function startHub() {
  const broken: unknown[] = [];
  const events: PublisherEvent[] = [];
  const logger: Logger = {
    info: () => undefined,
    warn: () => undefined,
    error: (...line) => broken.push(line),
  };
  const listen = { address: '127.0.0.1', port: 0 };
  const hub = new Hub(completeSettings({ listen, loadReportIntervalMs: 1000 }), {
    clock: createClock(),
    logger,
    onEvent: (event) => events.push(event),
    identify: parseNode,
  });
  let generation = 0;
  const publish = (): void => {
    generation += 1;
    mesh.trigger();
    const snapshot = mesh.snapshot();
    hub.publish({ generation, snapshotFor: () => snapshot });
  };
  publish();
  return { hub, publish, broken, events };
}

function callOf(): Call {
  return {
    peer: '127.0.0.1:1',
    caller: anybody,
    lane: new Lane(),
    write: (_parts, done) => queueMicrotask(done),
    askedFor: () => undefined,
    end: () => undefined,
    disconnect: () => undefined,
  };
}

function expectNothingBroken(broken: readonly unknown[]): void {
  if (broken.length > 0) {
    throw new Error(`nothing is to break: ${JSON.stringify(broken[0])}`);
  }
}

/** What proxies count is for gates to judge by. */
function expectPlainFigures(events: readonly PublisherEvent[]): void {
  for (const event of events) {
    for (const load of event.kind === 'loadReported' ? event.report.clusters : []) {
      const { cluster: _name, ...figures } = load;
      for (const [key, figure] of Object.entries(figures)) {
        if (!(Number.isFinite(figure) && figure >= 0)) {
          throw new Error(`${key} is ${figure}`);
        }
      }
    }
  }
}
