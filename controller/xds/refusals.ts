/** Asks that were refused: who asked, for what, why; logged one by one up to a rate, and counted all. */
import type { Clock, Logger } from '../loop/ports.js';
import { refusalsLoggedPerSecond } from './limits.js';

/**
 * `handshake`: no good certificate. `unauthenticated`: nobody that we know, or not any more. `node`: may
 * not be the node that it says it is. `connections`, `streams`: more than one peer may have. `conduct`: a
 * connection that was cut for what it did, or is not taken because its peer was cut a moment ago.
 */
export const refusalReasons = [
  'handshake',
  'unauthenticated',
  'node',
  'connections',
  'streams',
  'conduct',
] as const;

export type RefusalReason = (typeof refusalReasons)[number];

export interface RefusedAsk {
  readonly reason: RefusalReason;
  readonly peer: string;
  /** Whom the peer has proven to be; empty: nobody. */
  readonly caller: string;
  readonly message: string;
}

export class Refusals {
  private readonly counts = new Map<RefusalReason, number>(
    refusalReasons.map((reason) => [reason, 0]),
  );
  private readonly clock: Clock;
  private readonly logger: Logger;
  private second = 0;
  private logged = 0;

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.clock = clock;
    this.logger = logger;
  }

  add({ reason, peer, caller, message }: RefusedAsk): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
    const second = Math.floor(this.clock.now() / 1000);
    this.logged = second === this.second ? this.logged + 1 : 1;
    this.second = second;
    // A stranger who tries on and on must not fill the disk.
    if (this.logged <= refusalsLoggedPerSecond) {
      this.logger.warn('xds.denied', { reason, peer, caller, message });
    }
  }

  /** Since the start, every reason with its number. */
  byReason(): ReadonlyMap<RefusalReason, number> {
    return new Map(this.counts);
  }
}
