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

/** How much of `allMax` is kept where there is more. */
const keptShare = 0.75;

/** How two samples of the same proxy, one right after the other, are one. */
export type JoinSamples<Kind extends Sample> = (earlier: Kind, later: Kind) => Kind;

/**
 * Samples of one node that are kept: a thousand proxies that report each second for three minutes, or
 * each five seconds for all the time that a gate may look back. With more, the older half is made coarser.
 */
export const samplesMax = 200_000;

/** Of a log as a whole: some 300 MB at the worst. */
export const allSamplesMax = 1_500_000;

export class SampleLog<Kind extends Sample> {
  private readonly samplesByKey = new Map<string, Kind[]>();
  private readonly join: JoinSamples<Kind>;
  private readonly max: number;
  private readonly allMax: number;
  private count = 0;

  constructor(join: JoinSamples<Kind>, max: number = samplesMax, allMax: number = allSamplesMax) {
    this.join = join;
    this.max = max;
    this.allMax = allMax;
  }

  record(sample: Kind): void {
    const key = sampleKey(sample);
    const samples = this.samplesByKey.get(key) ?? [];
    samples.push(sample);
    this.count += 1;
    const oldestMs = sample.toMs - historyMaxMs;
    const stale = samples.findIndex((candidate) => candidate.toMs >= oldestMs);
    if (stale > batch) {
      samples.splice(0, stale);
      this.count -= stale;
    }
    this.samplesByKey.set(key, samples);
    if (samples.length > this.max) {
      this.coarsen(key, samples);
    }
    if (this.count > this.allMax) {
      this.coarsenLargest();
    }
  }

  /** How many samples are kept. */
  size(): number {
    return this.count;
  }

  forget(): void {
    this.samplesByKey.clear();
    this.count = 0;
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

  /**
   * Those that are about as large as the largest, again and again until there is room for a while: to look
   * for them costs as much as there are nodes, and where all have few samples each, one frees few.
   */
  private coarsenLargest(): void {
    for (let before = Infinity; this.count < before; ) {
      before = this.count;
      const lengths = [...this.samplesByKey.values()].map(({ length }) => length);
      const largest = lengths.reduce((left, right) => Math.max(left, right), 0);
      for (const [key, samples] of this.samplesByKey) {
        if (this.count <= this.allMax * keptShare) {
          return;
        }
        if (samples.length > largest / 2) {
          this.coarsen(key, samples);
        }
      }
    }
  }

  /**
   * Joins pairs of each proxy's samples in the older half: what was counted stays counted, only when is
   * known less well, so a window that begins inside a pair leaves it out. Where no proxy has two of them
   * the oldest are forgotten.
   */
  private coarsen(key: string, samples: readonly Kind[]): void {
    const half = Math.ceil(samples.length / 2);
    const joined = joinPairs(samples.slice(0, half), this.join);
    const kept = joined.length > half * 0.75 ? joined.slice(joined.length - half / 2) : joined;
    this.samplesByKey.set(key, [...kept, ...samples.slice(half)]);
    this.count -= half - kept.length;
  }
}

/** `samples` with each proxy's first and second as one, its third and fourth, and so on; by their ends. */
function joinPairs<Kind extends Sample>(
  samples: readonly Kind[],
  join: JoinSamples<Kind>,
): readonly Kind[] {
  const open = new Map<string, Kind>();
  const joined: Kind[] = [];
  for (const sample of samples) {
    const earlier = open.get(sample.instance);
    if (earlier === undefined) {
      open.set(sample.instance, sample);
    } else {
      open.delete(sample.instance);
      joined.push(join(earlier, sample));
    }
  }
  return [...joined, ...open.values()].sort((left, right) => left.toMs - right.toMs);
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
