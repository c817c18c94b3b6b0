/**
 * Lets many streams act one after another, and other events of the process between them. libuv accepts
 * one connection between two turns (since 1.45), so turns are short as long as connections come in: a
 * fleet that comes back at once must not wait for its last proxy's connection until the first are served.
 */
import type { Clock } from '../loop/ports.js';

/** Streams of one turn where nobody waits to connect. */
const streamsPerTurn = 64;

/** How long a turn may take after a connection has come in: the next one probably waits. */
const shortTurnMs = 1;

export class Turns<S extends { flush(): void }> {
  private readonly clock: Clock;
  private readonly waiting = new Set<S>();
  private isUnderWay = false;
  private hasArrival = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** `stream` is flushed soon, and once however often this is called until then. */
  add(stream: S): void {
    this.waiting.add(stream);
    if (!this.isUnderWay) {
      this.isUnderWay = true;
      setImmediate(() => this.take());
    }
  }

  /** A connection has come in. */
  noteArrival(): void {
    this.hasArrival = true;
  }

  private take(): void {
    const endMs = this.hasArrival ? this.clock.now() + shortTurnMs : Number.POSITIVE_INFINITY;
    this.hasArrival = false;
    let left = streamsPerTurn;
    for (const stream of this.waiting) {
      this.waiting.delete(stream);
      stream.flush();
      left -= 1;
      if (left === 0 || this.clock.now() >= endMs) {
        break;
      }
    }
    this.isUnderWay = this.waiting.size > 0;
    if (this.isUnderWay) {
      setImmediate(() => this.take());
    }
  }
}
