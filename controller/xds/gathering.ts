/**
 * A proxy that comes back sends the first requests of all types in one burst. Until they have come, it is
 * not known which routes it has, so no removal of clusters can be judged, and nothing is sent.
 */
import type { Clock } from '../loop/ports.js';
import { burstMs } from './limits.js';
import type { TypedRequest } from './stream.js';

export class Gathering {
  private readonly clock: Clock;
  private readonly onEnd: () => void;
  private state: 'not yet' | 'now' | 'done' = 'not yet';

  constructor(clock: Clock, onEnd: () => void) {
    this.clock = clock;
    this.onEnd = onEnd;
  }

  get isUnderWay(): boolean {
    return this.state === 'now';
  }

  /** A request has come; the first one decides. */
  note(request: TypedRequest, { isAggregated }: { readonly isAggregated: boolean }): void {
    if (this.state !== 'not yet') {
      return;
    }
    const comesBack =
      request.kind === 'sotw' ? request.versionInfo !== '' : request.initialVersions.size > 0;
    this.state = comesBack && isAggregated ? 'now' : 'done';
    if (this.isUnderWay) {
      this.clock.after(burstMs, () => {
        this.state = 'done';
        this.onEnd();
      });
    }
  }
}
