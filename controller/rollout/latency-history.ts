/** How long answers took, as proxies counted them in buckets: kept and summed as load reports are. */
import { type Blocks, blockOf, type Sample, SampleLog, type SampleQuery } from './sample-log.js';

/** The histogram of one interval for one virtual node, as one proxy saw it. */
export interface LatencySample extends Sample {
  /** Answers by the upper bound of their bucket in milliseconds, empty buckets left out; rising. */
  readonly buckets: readonly (readonly [boundMs: number, count: number])[];
}

/** Answers by the upper bound of their bucket, rising; Infinity: above all bounds. */
export type Latencies = ReadonlyMap<number, number>;

export class LatencyHistory {
  private readonly log = new SampleLog<LatencySample>(joinLatencies);

  record(sample: LatencySample): void {
    this.log.record(sample);
  }

  forget(): void {
    this.log.forget();
  }

  /** All answers of `queries` together. */
  total(queries: readonly SampleQuery[]): Latencies {
    const counts = new Map<number, number>();
    for (const query of queries) {
      for (const { buckets } of this.log.since(query, query.fromMs)) {
        for (const [boundMs, count] of buckets) {
          counts.set(boundMs, (counts.get(boundMs) ?? 0) + count);
        }
      }
    }
    return new Map([...counts].sort(([left], [right]) => left - right));
  }

  /** Answers, and those slower than `boundMs`, that came in during each of `blocks`. */
  slow(queries: readonly SampleQuery[], boundMs: number, blocks: Blocks): readonly SlowAnswers[] {
    const totals = Array.from({ length: blocks.count }, () => ({ requests: 0, hits: 0 }));
    for (const query of queries) {
      for (const { toMs, buckets } of this.log.since(query, blocks.fromMs)) {
        const total = totals[blockOf(toMs, blocks)];
        if (total !== undefined) {
          total.requests += sum(buckets);
          total.hits += sum(buckets.filter(([upperMs]) => upperMs > boundMs));
        }
      }
    }
    return totals;
  }
}

/** Both, as one histogram of all the time between. */
function joinLatencies(earlier: LatencySample, later: LatencySample): LatencySample {
  const counts = new Map(earlier.buckets);
  for (const [boundMs, count] of later.buckets) {
    counts.set(boundMs, (counts.get(boundMs) ?? 0) + count);
  }
  const buckets = [...counts].sort(([left], [right]) => left - right);
  return { ...later, fromMs: earlier.fromMs, buckets };
}

/** Answers of a block, and of those the ones that are slower than the bound. */
export interface SlowAnswers {
  readonly requests: number;
  readonly hits: number;
}

function sum(buckets: LatencySample['buckets']): number {
  return buckets.reduce((total, [, count]) => total + count, 0);
}

/** How many answers there are. */
export function countOf(latencies: Latencies): number {
  return [...latencies.values()].reduce((total, count) => total + count, 0);
}

/**
 * The time in milliseconds that `quantile` (0 to 1) of the answers took at most: inside its bucket a
 * straight line, as Prometheus draws it. Undefined without answers; Infinity above all bounds.
 */
export function quantileOf(latencies: Latencies, quantile: number): number | undefined {
  const total = countOf(latencies);
  const wanted = quantile * total;
  let below = 0;
  let lowerMs = 0;
  for (const [boundMs, count] of latencies) {
    if (below + count >= wanted && count > 0) {
      const part = Math.max(0, wanted - below) / count;
      return boundMs === Infinity ? Infinity : lowerMs + (boundMs - lowerMs) * part;
    }
    below += count;
    lowerMs = boundMs;
  }
  return undefined;
}

/** The upper bound of the bucket that `quantile` falls in. */
export function boundOf(latencies: Latencies, quantile: number): number | undefined {
  const wanted = quantile * countOf(latencies);
  let below = 0;
  for (const [boundMs, count] of latencies) {
    below += count;
    if (below >= wanted && count > 0) {
      return boundMs;
    }
  }
  return undefined;
}
