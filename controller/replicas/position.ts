/** Which of two states is the newer, and which acknowledgements were of none. */
import type { ProxyStatus } from '../loop/ports.js';
import type { Position } from './ports.js';

/** True where `position` has lost something that `seen` had: both parts only rise. */
export function isBehind(position: Position, seen: Position): boolean {
  return position.epoch < seen.epoch || position.seq < seen.seq;
}

/** The highest of each part. */
export function newest(positions: readonly Position[]): Position {
  return {
    epoch: Math.max(...positions.map(({ epoch }) => epoch)),
    seq: Math.max(...positions.map(({ seq }) => seq)),
  };
}

/**
 * Publications that a leader served as ways back while the store was away, and that its term ended before
 * they could be stored: the numbers are lower than those of later terms, and mean nothing there.
 */
export class VoidAcks {
  private ranges: readonly { readonly after: number; readonly last: number }[] = [];

  /** Everything after `savedGeneration` up to `last` was never stored. */
  add(savedGeneration: number, last: number): void {
    if (last > savedGeneration) {
      this.ranges = [...this.ranges, { after: savedGeneration, last }].slice(-rangesMax);
    }
  }

  /** `proxy`, as if it had acknowledged nothing where what it acknowledged was never stored. */
  without(proxy: ProxyStatus, unsavedAfter = Number.POSITIVE_INFINITY): ProxyStatus {
    const acked = proxy.ackedGeneration;
    const isVoid =
      acked > unsavedAfter || this.ranges.some(({ after, last }) => acked > after && acked <= last);
    return isVoid ? { ...proxy, ackedGeneration: 0 } : proxy;
  }
}

/** Streams do not live through many terms without acknowledging something newer. */
const rangesMax = 16;
