/** The span of one publication for one step of a rollout: from the push to the last ACK, with those inside. */
import type { ProxyStatus } from '../loop/ports.js';
import { type Span, spanIdOf } from './span.js';

/** ACKs that get a span of their own, the first ones; of a thousand proxies the last is what counts. */
const ackSpansMax = 20;

/** Where a span hangs. */
export interface SpanParent {
  readonly traceId: string;
  readonly spanId: string;
}

export class PushTrace {
  private readonly waiting: Map<string, string>;
  private readonly spanId: string;
  private acked = 0;
  private refused = 0;
  private lastAckMs: number;

  constructor(
    readonly parent: SpanParent,
    readonly generation: number,
    proxies: readonly ProxyStatus[],
    private readonly fromMs: number,
    private readonly emit: (span: Span) => void,
  ) {
    this.waiting = new Map(proxies.map(({ id, identity }) => [id, identity.nodeId]));
    this.spanId = spanIdOf(parent.spanId, 'push', generation, fromMs);
    this.lastAckMs = fromMs;
  }

  isOver(): boolean {
    return this.waiting.size === 0;
  }

  /** The proxy has acknowledged this publication, or a newer one that holds it. */
  ack({ id, ackedGeneration, userAgent }: ProxyStatus, nowMs: number): void {
    const node = this.waiting.get(id);
    if (node === undefined || ackedGeneration < this.generation) {
      return;
    }
    this.waiting.delete(id);
    this.acked += 1;
    this.lastAckMs = nowMs;
    if (this.acked <= ackSpansMax) {
      this.emit({
        traceId: this.parent.traceId,
        spanId: spanIdOf(this.spanId, 'ack', id),
        parentId: this.spanId,
        name: 'ack',
        fromMs: this.fromMs,
        toMs: nowMs,
        attributes: {
          'headgate.node': node,
          'headgate.proxy': id,
          'headgate.user_agent': userAgent,
        },
      });
    }
  }

  /** Proxies that are not connected any more owe nothing; those that refused will not acknowledge. */
  look(proxies: ReadonlyMap<string, ProxyStatus>): void {
    for (const id of this.waiting.keys()) {
      const proxy = proxies.get(id);
      const hasRefused =
        proxy !== undefined && Object.values(proxy.types).some(({ state }) => state === 'rejected');
      if (proxy === undefined || hasRefused) {
        this.waiting.delete(id);
        this.refused += hasRefused ? 1 : 0;
      }
    }
  }

  /** Ends the span at the last ACK, or at `nowMs` where proxies are left that stayed silent. */
  end(nowMs: number): void {
    const silent = this.waiting.size;
    const failures = [
      ...(this.refused > 0 ? [`refused by ${this.refused}`] : []),
      ...(silent > 0 ? [`not answered by ${silent}`] : []),
    ];
    this.emit({
      ...this.parent,
      spanId: this.spanId,
      parentId: this.parent.spanId,
      name: 'push',
      fromMs: this.fromMs,
      toMs: silent > 0 || this.refused > 0 ? nowMs : this.lastAckMs,
      attributes: {
        'headgate.generation': this.generation,
        'headgate.proxies.acked': this.acked,
        'headgate.proxies.refused': this.refused,
        'headgate.proxies.silent': silent,
      },
      error: failures.length > 0 ? failures.join(', ') : undefined,
    });
  }
}
