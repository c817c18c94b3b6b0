/**
 * Envoy's statistics (`envoy/service/metrics/v3/metrics_service.proto`), which proxies push every few
 * seconds. Envoy sends all that it counts; what gates do not judge by is passed over by its name, before
 * it costs more than that. Nothing is answered: the protocol has no use for an answer.
 */
import protobuf from 'protobufjs';
import { errorText } from '../base/op-error.js';
import type { ProxyIdentity } from '../envoy/snapshot.js';
import {
  ejectedMembersStat,
  healthyMembersStat,
  latencyStat,
  totalMembersStat,
} from '../envoy/stats.js';
import type { MessageTypes } from '../generated/envoy-types.js';
import type { ClusterStats, Histogram } from '../loop/ports.js';
import type { Call, CallHandler } from './call.js';
import type { Hub } from './hub.js';
import { decodeMessage } from './protos.js';

type Metric = MessageTypes['io.prometheus.client.Metric'];

/** What is taken for the interval of a stream's first message: Envoy's own default for it. */
const firstIntervalMs = 5000;

/** Of the message: who sends, in the first one, and the metrics. */
const identifierField = 1;
const metricsField = 2;

export class MetricsStream implements CallHandler {
  private readonly hub: Hub;
  private readonly call: Call;
  private identity: ProxyIdentity | undefined;
  private lastMs: number | undefined;

  constructor(hub: Hub, call: Call) {
    this.hub = hub;
    this.call = call;
    hub.metrics.add(this);
  }

  onMessage(bytes: Buffer): undefined {
    let clusters: readonly ClusterStats[];
    try {
      clusters = this.read(bytes);
    } catch (error) {
      this.call.end('invalidArgument', `the metrics cannot be read: ${errorText(error)}`);
      return;
    }
    const nowMs = this.hub.deps.clock.now();
    const intervalMs = this.lastMs === undefined ? firstIntervalMs : nowMs - this.lastMs;
    this.lastMs = nowMs;
    if (this.identity === undefined || clusters.length === 0) {
      return;
    }
    const { nodeId } = this.identity;
    const proxyId = this.hub.findStream(this.call.peer, nodeId)?.id;
    this.hub.deps.onEvent({
      kind: 'statsReported',
      report: { proxyId, nodeId, intervalMs, clusters },
    });
  }

  onEnd(): void {
    this.hub.metrics.delete(this);
  }

  get peer(): string {
    return this.call.peer;
  }

  end(): void {
    this.call.end('unavailable', 'the control plane is shutting down');
  }

  private read(bytes: Buffer): readonly ClusterStats[] {
    const found = new ClusterCollector();
    const reader = protobuf.Reader.create(bytes);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag >>> 3) {
        case identifierField:
          this.identify(reader.bytes());
          break;
        case metricsField: {
          const end = reader.uint32() + reader.pos;
          found.take(bytes, reader, end);
          reader.pos = end;
          break;
        }
        default:
          reader.skipType(tag & 7);
      }
    }
    return found.clusters();
  }

  private identify(bytes: Uint8Array): void {
    const name = 'envoy.service.metrics.v3.StreamMetricsMessage.Identifier';
    const { node } = decodeMessage(name, bytes);
    if (this.identity === undefined && !this.hub.mayBe(this.call, node?.id ?? '')) {
      return;
    }
    const peerAddress = this.call.peer.slice(0, this.call.peer.lastIndexOf(':'));
    this.identity ??= this.hub.deps.identify(node ?? {}, peerAddress);
  }
}

const prefix = 'cluster.';
const suffixes = [latencyStat, totalMembersStat, healthyMembersStat, ejectedMembersStat];

/** The statistics of one message, by cluster. */
class ClusterCollector {
  private readonly found = new Map<string, Map<string, Metric>>();

  /** Takes the MetricFamily from the reader's position to `end`, where it is one that gates judge by. */
  take(bytes: Buffer, reader: protobuf.Reader, end: number): void {
    const start = reader.pos;
    const nameTag = 0x0a;
    // Envoy writes the fields in their order, the name first.
    const name = reader.uint32() === nameTag ? reader.string() : '';
    const suffix = name.startsWith(prefix)
      ? suffixes.find((candidate) => name.endsWith(`.${candidate}`))
      : undefined;
    if (suffix === undefined) {
      return;
    }
    const family = decodeMessage('io.prometheus.client.MetricFamily', bytes.subarray(start, end));
    const metric = family.metric?.[0];
    if (metric !== undefined) {
      const cluster = name.slice(prefix.length, -suffix.length - 1);
      const metrics = this.found.get(cluster) ?? new Map<string, Metric>();
      this.found.set(cluster, metrics.set(suffix, metric));
    }
  }

  clusters(): readonly ClusterStats[] {
    return [...this.found].flatMap(([cluster, metrics]) => {
      const latency = histogramOf(metrics.get(latencyStat));
      const total = metrics.get(totalMembersStat)?.gauge?.value;
      const healthy = metrics.get(healthyMembersStat)?.gauge?.value ?? 0;
      const ejected = metrics.get(ejectedMembersStat)?.gauge?.value ?? 0;
      const members = total === undefined ? undefined : { total, healthy, ejected };
      return latency === undefined && members === undefined ? [] : [{ cluster, latency, members }];
    });
  }
}

/** Envoy's counts include those of the buckets below. */
function histogramOf(metric: Metric | undefined): Histogram | undefined {
  const { bucket = [], sample_count: total = 0 } = metric?.histogram ?? {};
  if (total === 0) {
    return undefined;
  }
  const sums = bucket.map(({ cumulative_count }) => cumulative_count ?? 0);
  return {
    boundsMs: bucket.map(({ upper_bound }) => upper_bound ?? 0),
    counts: sums.map((sum, index) => sum - (sums[index - 1] ?? 0)),
    total,
  };
}
