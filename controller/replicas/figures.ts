/** Load and statistics as they go from replica to replica: short, without what is zero, and with ages for times. */
import type { LoopEvent } from '../loop/events.js';
import type { HealthSample } from '../rollout/health-history.js';
import type { LatencySample } from '../rollout/latency-history.js';
import type { LoadSample } from '../rollout/load-history.js';

/** A sample's times are how long ago they were when its batch was written. */
export interface Figures {
  readonly loads: readonly LoadSample[];
  readonly latencies: readonly LatencySample[];
  readonly health: readonly HealthSample[];
}

/** What `events` have of figures, at most `max` of each kind: the newest. */
export function packFigures(events: readonly LoopEvent[], nowMs: number, max: number): Figures {
  const loads = events.flatMap((event) => (event.kind === 'loadReported' ? event.samples : []));
  const stats = events.filter((event) => event.kind === 'statsReported');
  return {
    loads: loads
      // A sum is not changed by nothing, and most clusters of most proxies are idle.
      .filter(({ successes, errors, issued }) => successes + errors + issued > 0)
      .slice(-max)
      .map((sample) => aged(sample, nowMs)),
    latencies: stats
      .flatMap(({ latencies }) => latencies)
      .filter(({ buckets }) => buckets.length > 0)
      .slice(-max)
      .map((sample) => packBuckets(aged(sample, nowMs))),
    health: stats
      .flatMap(({ health }) => health)
      .slice(-max)
      .map((sample) => ({ ...sample, atMs: nowMs - sample.atMs })),
  };
}

/** The events that bring `figures` in, written at `writtenAtMs` by this machine's clock. */
export function unpackFigures(figures: Figures, writtenAtMs: number): readonly LoopEvent[] {
  const loads = figures.loads.map((sample) => aged(sample, writtenAtMs));
  const latencies = figures.latencies.map((sample) => unpackBuckets(aged(sample, writtenAtMs)));
  const health = figures.health.map((one) => ({ ...one, atMs: writtenAtMs - one.atMs }));
  const events: LoopEvent[] = [];
  if (loads.length > 0) {
    events.push({ kind: 'loadReported', samples: loads });
  }
  if (latencies.length + health.length > 0) {
    events.push({ kind: 'statsReported', latencies, health });
  }
  return events;
}

/** Times become ages and back by the same subtraction. */
function aged<T extends { readonly fromMs: number; readonly toMs: number }>(
  sample: T,
  nowMs: number,
): T {
  return { ...sample, fromMs: nowMs - sample.fromMs, toMs: nowMs - sample.toMs };
}

/** JSON has no Infinity, which stands for all that is above the last bound. */
const aboveAll = -1;

function packBuckets(sample: LatencySample): LatencySample {
  const buckets = sample.buckets.map(
    ([boundMs, count]) => [boundMs === Infinity ? aboveAll : boundMs, count] as const,
  );
  return { ...sample, buckets };
}

function unpackBuckets(sample: LatencySample): LatencySample {
  const buckets = sample.buckets.map(
    ([boundMs, count]) => [boundMs === aboveAll ? Infinity : boundMs, count] as const,
  );
  return { ...sample, buckets };
}
