/** How many of a virtual node's endpoints each proxy takes for healthy: the newest word of each. */

import { type Sample, type SampleQuery, sampleKey } from './sample-log.js';

export interface HealthSample extends Omit<Sample, 'fromMs' | 'toMs'> {
  readonly atMs: number;
  readonly total: number;
  readonly healthy: number;
  /** Of those that are not, the ones that outlier detection has put out. */
  readonly ejected: number;
}

/** A proxy says it every few seconds; what is older is of a proxy that has gone. */
export const healthMaxAgeMs = 20_000;

export class HealthHistory {
  private readonly newest = new Map<string, Map<string, HealthSample>>();

  record(sample: HealthSample): void {
    const key = sampleKey(sample);
    const byInstance = this.newest.get(key) ?? new Map<string, HealthSample>();
    byInstance.set(sample.instance, sample);
    for (const [instance, { atMs }] of byInstance) {
      if (atMs < sample.atMs - healthMaxAgeMs) {
        byInstance.delete(instance);
      }
    }
    this.newest.set(key, byInstance);
  }

  forget(): void {
    this.newest.clear();
  }

  /** The newest word of each proxy that `includes` takes, where it came after `fromMs`. */
  newestOf(query: SampleQuery): readonly HealthSample[] {
    return [...(this.newest.get(sampleKey(query))?.values() ?? [])].filter(
      ({ atMs, instance }) => atMs > query.fromMs && (query.includes?.(instance) ?? true),
    );
  }
}
