/**
 * Load reports (LRS, `envoy/service/load_stats/v3/lrs.proto`): proxies count what they send to each
 * cluster and tell it every interval. One answer starts that; another is sent when the clusters change
 * that a proxy has to be told by name.
 */
import { errorText } from '../base/op-error.js';
import type { ProxyIdentity } from '../envoy/snapshot.js';
import type { MessageTypes } from '../generated/envoy-types.js';
import type { ClusterLoad } from '../loop/ports.js';
import type { Call, CallHandler } from './call.js';
import type { Hub } from './hub.js';
import { decodeMessage, encodeMessage } from './protos.js';

type ClusterStats = MessageTypes['envoy.config.endpoint.v3.ClusterStats'];

/** A client of this feature reports all its clusters, whatever they are. */
const allClustersFeature = 'envoy.lrs.supports_send_all_clusters';

export class LoadReportStream implements CallHandler {
  private readonly hub: Hub;
  private readonly call: Call;
  private identity: ProxyIdentity | undefined;
  private reportsAll = false;
  /** The names that the client was told to report; undefined before the first answer. */
  private toldClusters: string | undefined;
  private isWriting = false;

  constructor(hub: Hub, call: Call) {
    this.hub = hub;
    this.call = call;
    hub.loadReports.add(this);
  }

  onMessage(bytes: Buffer): undefined {
    let message: MessageTypes['envoy.service.load_stats.v3.LoadStatsRequest'];
    try {
      message = decodeMessage('envoy.service.load_stats.v3.LoadStatsRequest', bytes);
    } catch (error) {
      this.call.end('invalidArgument', `the report cannot be read: ${errorText(error)}`);
      return;
    }
    if (this.identity === undefined && !this.hub.mayBe(this.call, message.node?.id ?? '')) {
      return;
    }
    const peerAddress = this.call.peer.slice(0, this.call.peer.lastIndexOf(':'));
    this.identity ??= this.hub.deps.identify(message.node ?? {}, peerAddress);
    this.reportsAll ||= message.node?.client_features?.includes(allClustersFeature) ?? false;
    this.tellClusters();
    if (message.cluster_stats !== undefined) {
      this.hub.deps.onEvent({
        kind: 'loadReported',
        report: {
          proxyId: this.hub.findStream(this.call.peer, this.identity.nodeId)?.id,
          nodeId: this.identity.nodeId,
          clusters: message.cluster_stats.map(clusterLoad),
        },
      });
    }
  }

  onEnd(): void {
    this.hub.loadReports.delete(this);
  }

  get peer(): string {
    return this.call.peer;
  }

  end(): void {
    this.call.end('unavailable', 'the control plane is shutting down');
  }

  /** Says what to report and how often, where the client does not know it yet. */
  tellClusters(): void {
    this.hub.attempt(this.call, () => this.tellIfNews());
  }

  private tellIfNews(): void {
    if (this.identity === undefined || this.isWriting) {
      return;
    }
    const clusters = this.reportsAll ? [] : this.clusterNames(this.identity);
    const told = clusters.join('\n');
    if (told === this.toldClusters) {
      return;
    }
    this.toldClusters = told;
    this.isWriting = true;
    this.call.write([this.answer(clusters)], () => {
      this.isWriting = false;
      this.tellClusters();
    });
  }

  private answer(clusters: readonly string[]): Buffer {
    const { loadReportIntervalMs } = this.hub.settings;
    const seconds = Math.floor(loadReportIntervalMs / 1000);
    return encodeMessage('envoy.service.load_stats.v3.LoadStatsResponse', {
      clusters,
      send_all_clusters: this.reportsAll,
      load_reporting_interval: { seconds, nanos: (loadReportIntervalMs - seconds * 1000) * 1e6 },
    });
  }

  private clusterNames(identity: ProxyIdentity): readonly string[] {
    return [...(this.hub.served(identity).snapshot?.cluster.byName.keys() ?? [])];
  }
}

/** The sum over localities: the controller compares versions, not places. */
function clusterLoad(stats: ClusterStats): ClusterLoad {
  const localities = stats.upstream_locality_stats ?? [];
  const total = (count: (locality: (typeof localities)[number]) => number | undefined): number =>
    localities.reduce((sum, locality) => sum + (count(locality) ?? 0), 0);
  const { seconds = 0, nanos = 0 } = stats.load_report_interval ?? {};
  return {
    cluster: stats.cluster_name ?? '',
    // A proxy may say what it likes: no sample ends before it begins.
    intervalMs: Math.max(0, Math.round(seconds * 1000 + nanos / 1e6)),
    successes: total((locality) => locality.total_successful_requests),
    errors: total((locality) => locality.total_error_requests),
    issued: total((locality) => locality.total_issued_requests),
    inProgress: total((locality) => locality.total_requests_in_progress),
  };
}
