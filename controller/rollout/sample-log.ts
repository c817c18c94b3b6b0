/** Samples by virtual node in the order in which they came: a log that grows at its end and forgets at its start. */

/** Whose figures a sample is, and the time that it covers. */
export interface Sample {
  readonly mesh: string;
  readonly virtualNode: string;
  /** `egress`: a caller's view of the node; `ingress`: the node's own proxy's view of its service. */
  readonly direction: 'egress' | 'ingress';
  /** `ProxyIdentity.instance` of the proxy that reported. */
  readonly instance: string;
  /** Undefined: the node itself; else its part that a canary is compared with, counted apart. */
  readonly role?: 'baseline';
  /** The sample covers from `fromMs` (exclusive) to `toMs`. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface SampleQuery {
  readonly mesh: string;
  readonly virtualNode: string;
  readonly direction: 'egress' | 'ingress';
  readonly role?: 'baseline';
  /** Only samples that cover nothing from before this. */
  readonly fromMs: number;
  /** Only samples of these proxies; undefined: all. */
  readonly includes?: (instance: string) => boolean;
}

/** Stretches of time of one length, one after the other. */
export interface Blocks {
  readonly fromMs: number;
  readonly blockMs: number;
  readonly count: number;
}

/** The longest window that a gate may have, and so the longest that a sample is of use. */
export const historyMaxMs = 15 * 60_000;

/** Samples that are too old are cut in batches: shifting at each one would cost the whole list each time. */
const batch = 1024;

export class SampleLog<Kind extends Sample> {
  private readonly samplesByKey = new Map<string, Kind[]>();

  record(sample: Kind): void {
    const key = sampleKey(sample);
    const samples = this.samplesByKey.get(key) ?? [];
    samples.push(sample);
    const oldestMs = sample.toMs - historyMaxMs;
    const stale = samples.findIndex((candidate) => candidate.toMs >= oldestMs);
    if (stale > batch) {
      samples.splice(0, stale);
    }
    this.samplesByKey.set(key, samples);
  }

  forget(): void {
    this.samplesByKey.clear();
  }

  /**
   * What `query` asks for that came at `sinceMs` or later. Newest first, so that the cost is that of the
   * window and not of the log.
   */
  *since(query: SampleQuery, sinceMs: number): Generator<Kind> {
    const samples = this.samplesByKey.get(sampleKey(query)) ?? [];
    for (let index = samples.length - 1; index >= 0; index -= 1) {
      const sample = samples[index];
      if (sample === undefined || sample.toMs < sinceMs) {
        return;
      }
      if (sample.fromMs >= query.fromMs && (query.includes?.(sample.instance) ?? true)) {
        yield sample;
      }
    }
  }
}

export function sampleKey(
  part: Pick<Sample, 'mesh' | 'virtualNode' | 'direction' | 'role'>,
): string {
  return `${part.role ?? part.direction}/${part.mesh}/${part.virtualNode}`;
}

/** The index among `blocks` of what came at `atMs`: their starts are inside, their ends are not. */
export function blockOf(atMs: number, { fromMs, blockMs }: Blocks): number {
  return Math.floor((atMs - fromMs) / blockMs);
}
