/** Whether something grows, seen through the noise of a garbage collector. */

export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

/** The least of each window of `windowMs`: what is still there when garbage has gone. */
export function lowest(samples: readonly Sample[], windowMs: number): readonly Sample[] {
  const byWindow = new Map<number, Sample>();
  for (const sample of samples) {
    const window = Math.floor(sample.atMs / windowMs);
    const known = byWindow.get(window);
    if (known === undefined || sample.value < known.value) {
      byWindow.set(window, sample);
    }
  }
  return [...byWindow.values()];
}

/** Growth an hour by least squares; 0 of fewer than two samples. */
export function slopePerHour(samples: readonly Sample[]): number {
  const count = samples.length;
  const mean = (of: (sample: Sample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / count;
  const meanAt = mean(({ atMs }) => atMs);
  const meanValue = mean(({ value }) => value);
  let product = 0;
  let square = 0;
  for (const { atMs, value } of samples) {
    product += (atMs - meanAt) * (value - meanValue);
    square += (atMs - meanAt) ** 2;
  }
  return square === 0 ? 0 : (product / square) * 3_600_000;
}
