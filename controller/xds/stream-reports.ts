/** What one discovery stream tells the loop and the log of its proxy. */
import type { ResourceType } from '../envoy/snapshot.js';
import type { EventOf, ProxyStatus } from '../loop/ports.js';
import type { Hub } from './hub.js';
import type { StreamState } from './stream-state.js';
import type { Refusal } from './verdict.js';

/** The stream that is told of. */
export interface Reported {
  readonly id: string;
  readonly nodeId: string;
  readonly peer: string;
  readonly state: StreamState;
  status(): ProxyStatus | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

export class StreamReports {
  private readonly hub: Hub;
  private readonly stream: Reported;
  private readonly silentNonces = new Map<ResourceType, string>();

  constructor(hub: Hub, stream: Reported) {
    this.hub = hub;
    this.stream = stream;
  }

  info(event: EventOf<'info'>, fields: Fields): void {
    this.hub.deps.logger.info(event, this.about(fields));
  }

  warn(event: EventOf<'warn'>, fields: Fields): void {
    this.hub.deps.logger.warn(event, this.about(fields));
  }

  /** Runs `change` and says so where the proxy has now acknowledged a newer generation. */
  observe(change: () => void): void {
    const { state } = this.stream;
    const before = state.ackedGeneration;
    change();
    const status = state.ackedGeneration > before ? this.stream.status() : undefined;
    if (status !== undefined) {
      this.hub.deps.onEvent({ kind: 'proxyAcked', proxy: status });
    }
  }

  refused({ type, resources, error, generation }: Refusal): void {
    const proxy = this.stream.status();
    if (proxy !== undefined) {
      this.hub.deps.onEvent({ kind: 'proxyNacked', proxy, type, resources, error, generation });
      this.warn('xds.refused', { type, resources, error, generation });
    }
  }

  /** A response that is unanswered for long is said once: the proxy is stuck, or warms something. */
  silence(nowMs: number): void {
    for (const { type, inFlight } of this.stream.state.types.values()) {
      const oldest = inFlight[0];
      const isSilent =
        oldest !== undefined && nowMs - oldest.sentAtMs >= this.hub.settings.ackTimeoutMs;
      if (isSilent && this.silentNonces.get(type) !== oldest.nonce) {
        this.silentNonces.set(type, oldest.nonce);
        const resources = oldest.resources.slice(0, 5).map((resource) => resource.name);
        this.warn('xds.unanswered', { type, resources, forMs: nowMs - oldest.sentAtMs });
      }
    }
  }

  /** `fields` of a log line with those that say which proxy it is about. */
  private about(fields: Fields): Fields {
    const { id, nodeId, peer } = this.stream;
    return { proxy: id, node: nodeId, peer, ...fields };
  }
}
