/** Who takes what happens: a loop or a follower. While a term begins or ends, events wait in their order. */
import type { LoopEvent } from '../loop/events.js';

type Taker = (event: LoopEvent) => void;

export class EventSwitch {
  private taker: Taker;
  private waiting: LoopEvent[] | undefined;

  constructor(taker: Taker) {
    this.taker = taker;
  }

  take(event: LoopEvent): void {
    if (this.waiting !== undefined) {
      this.waiting.push(event);
    } else {
      this.taker(event);
    }
  }

  /** From now on events wait. */
  wait(): void {
    this.waiting = [];
  }

  /** From now on `taker` takes them, `earlier` first and then those that waited. */
  handOver(taker: Taker, earlier: readonly LoopEvent[] = []): void {
    const waiting = [...earlier, ...(this.waiting ?? [])];
    this.waiting = undefined;
    this.taker = taker;
    for (const event of waiting) {
      taker(event);
    }
  }
}
