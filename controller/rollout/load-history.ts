/**
 * What proxies counted: load reports kept for as long as a gate may look back, and summed on demand. The
 * one mutable value inside the loop's state: it only grows at its end and forgets at its start, and it
 * is never stored, since after a restart a step's gates start over.
 */
import { HealthHistory } from './health-history.js';
import { LatencyHistory } from './latency-history.js';
import { type Blocks, blockOf, type Sample, SampleLog, type SampleQuery } from './sample-log.js';

/** Counters of one report for one virtual node. */
export interface LoadSample extends Sample, LoadTotal {}

export interface LoadTotal {
  readonly successes: number;
  readonly errors: number;
  readonly issued: number;
}

export class LoadHistory {
  /** What proxies tell besides their load reports, in their statistics. */
  readonly latency = new LatencyHistory();
  readonly health = new HealthHistory();
  private readonly log = new SampleLog<LoadSample>(joinLoads);

  record(sample: LoadSample): void {
    this.log.record(sample);
  }

  /** Forgets everything: the clock that its times are of is not the one of now. */
  forget(): void {
    this.log.forget();
    this.latency.forget();
    this.health.forget();
  }

  /** How many reports are kept. */
  size(): number {
    return this.log.size();
  }

  total(query: SampleQuery): LoadTotal {
    const total = { successes: 0, errors: 0, issued: 0 };
    for (const sample of this.log.since(query, query.fromMs)) {
      add(total, sample);
    }
    return total;
  }

  /** What came in during each of `blocks`. */
  blocks(query: SampleQuery, blocks: Blocks): readonly LoadTotal[] {
    const totals = Array.from({ length: blocks.count }, () => addLoads([]));
    for (const sample of this.log.since(query, blocks.fromMs)) {
      const total = totals[blockOf(sample.toMs, blocks)];
      if (total !== undefined) {
        add(total, sample);
      }
    }
    return totals;
  }
}

/** Both, as one report of all the time between. */
function joinLoads(earlier: LoadSample, later: LoadSample): LoadSample {
  return { ...later, ...addLoads([earlier, later]), fromMs: earlier.fromMs };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function add(total: Mutable<LoadTotal>, { successes, errors, issued }: LoadTotal): void {
  total.successes += successes;
  total.errors += errors;
  total.issued += issued;
}

/** `totals` together. */
export function addLoads(totals: readonly LoadTotal[]): LoadTotal {
  const sum = { successes: 0, errors: 0, issued: 0 };
  for (const total of totals) {
    add(sum, total);
  }
  return sum;
}
