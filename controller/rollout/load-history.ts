/**
 * What proxies counted: load reports kept for as long as a gate may look back, and summed on demand. The
 * one mutable value inside the loop's state: it only grows at its end and forgets at its start, and it
 * is never stored, since after a restart a step's gates start over.
 */

/** Counters of one report for one virtual node. */
export interface LoadSample {
  readonly mesh: string;
  readonly virtualNode: string;
  /** `egress`: a caller's view of the node; `ingress`: the node's own proxy's view of its service. */
  readonly direction: 'egress' | 'ingress';
  /** `ProxyIdentity.instance` of the proxy that reported. */
  readonly instance: string;
  /** The report covers from `fromMs` (exclusive) to `toMs`. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly successes: number;
  readonly errors: number;
  readonly issued: number;
}

export interface LoadTotal {
  readonly successes: number;
  readonly errors: number;
  readonly issued: number;
}

/** `totals` together. */
export function addLoads(totals: readonly LoadTotal[]): LoadTotal {
  return {
    successes: totals.reduce((sum, total) => sum + total.successes, 0),
    errors: totals.reduce((sum, total) => sum + total.errors, 0),
    issued: totals.reduce((sum, total) => sum + total.issued, 0),
  };
}

/** Stretches of time of one length, one after the other. */
export interface Blocks {
  readonly fromMs: number;
  readonly blockMs: number;
  readonly count: number;
}

export interface LoadQuery {
  readonly mesh: string;
  readonly virtualNode: string;
  readonly direction: 'egress' | 'ingress';
  /** Only reports that cover nothing from before this. */
  readonly fromMs: number;
  /** Only reports of these proxies; undefined: all. */
  readonly includes?: (instance: string) => boolean;
}

/** The longest window that a gate may have, and so the longest that a report is of use. */
export const loadHistoryMaxMs = 15 * 60_000;

export class LoadHistory {
  private readonly samplesByKey = new Map<string, LoadSample[]>();

  record(sample: LoadSample): void {
    const key = keyOf(sample);
    const samples = this.samplesByKey.get(key) ?? [];
    samples.push(sample);
    // Cut in batches: shifting at each report would cost the whole list each time.
    const oldestMs = sample.toMs - loadHistoryMaxMs;
    const stale = samples.findIndex((candidate) => candidate.toMs >= oldestMs);
    if (stale > 1024) {
      samples.splice(0, stale);
    }
    this.samplesByKey.set(key, samples);
  }

  total(query: LoadQuery): LoadTotal {
    const samples = this.samplesByKey.get(keyOf(query)) ?? [];
    let successes = 0;
    let errors = 0;
    let issued = 0;
    // Newest first, so that the cost is that of the window and not of the history.
    for (let index = samples.length - 1; index >= 0; index -= 1) {
      const sample = samples[index];
      if (sample === undefined || sample.toMs <= query.fromMs) {
        break;
      }
      if (sample.fromMs >= query.fromMs && (query.includes?.(sample.instance) ?? true)) {
        successes += sample.successes;
        errors += sample.errors;
        issued += sample.issued;
      }
    }
    return { successes, errors, issued };
  }

  /** What came in during each of `blocks`, their starts included and their ends not. */
  blocks(query: LoadQuery, { fromMs, blockMs, count }: Blocks): readonly LoadTotal[] {
    const samples = this.samplesByKey.get(keyOf(query)) ?? [];
    const totals = Array.from({ length: count }, () => ({ successes: 0, errors: 0, issued: 0 }));
    for (let index = samples.length - 1; index >= 0; index -= 1) {
      const sample = samples[index];
      if (sample === undefined || sample.toMs < fromMs) {
        break;
      }
      const total = totals[Math.floor((sample.toMs - fromMs) / blockMs)];
      const counts = sample.fromMs >= query.fromMs && (query.includes?.(sample.instance) ?? true);
      if (total !== undefined && counts) {
        total.successes += sample.successes;
        total.errors += sample.errors;
        total.issued += sample.issued;
      }
    }
    return totals;
  }
}

function keyOf(part: Pick<LoadSample, 'mesh' | 'virtualNode' | 'direction'>): string {
  return `${part.direction}/${part.mesh}/${part.virtualNode}`;
}
