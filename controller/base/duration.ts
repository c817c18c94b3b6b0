/** Durations in Go's syntax (`1m30s`, `500ms`), as Envoy, Prometheus and App Mesh's users write them. */

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `text`, or undefined where it is no duration. `0` needs no unit; nothing is negative. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') {
    return 0;
  }
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) {
    return undefined;
  }
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    totalMs += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  }
  return Math.round(totalMs);
}

/** The shortest form that `parseDuration` reads back: `90000` is `1m30s`. */
export function renderDuration(durationMs: number): string {
  if (durationMs < 1000) {
    return durationMs === 0 ? '0s' : `${Math.round(durationMs)}ms`;
  }
  let restMs = Math.round(durationMs);
  let text = '';
  for (const unit of ['h', 'm', 's', 'ms']) {
    const size = unitMs[unit] ?? 1;
    const count = Math.floor(restMs / size);
    restMs -= count * size;
    text += count > 0 ? `${count}${unit}` : '';
  }
  return text;
}
