/** How long proxies take from a publication to their last ACK of it. */
import type { ProxyStatus } from '../loop/ports.js';

/** A proxy that is further behind than this many publications is told of as stale, not timed. */
const publicationsMax = 1024;

export class Publications {
  private readonly atMs = new Map<number, number>();

  add(generation: number, nowMs: number): void {
    this.atMs.set(generation, nowMs);
    this.atMs.delete(generation - publicationsMax);
  }

  /**
   * Milliseconds from the publication that `proxy` has now acknowledged; undefined where it connected
   * later, or found nothing new in it and so has it before the publication is over.
   */
  tookMs(proxy: ProxyStatus, nowMs: number): number | undefined {
    const publishedAtMs = this.atMs.get(proxy.ackedGeneration);
    return publishedAtMs === undefined || proxy.connectedAtMs > publishedAtMs
      ? undefined
      : nowMs - publishedAtMs;
  }
}
