/**
 * What a proxy's statistics tell gates: latencies of clusters as histograms, and how many endpoints are
 * healthy. The sink pushes them to the controller (`envoy.service.metrics.v3`). Envoy's sink has no filter
 * of its own: it sends every statistic that was ever used, and the controller passes over the others
 * unread; a proxy whose other statistics nobody reads can leave them out altogether.
 */

/** After `cluster.NAME.`. */
export const latencyStat = 'upstream_rq_time';
export const totalMembersStat = 'membership_total';
export const healthyMembersStat = 'membership_healthy';
export const ejectedMembersStat = 'outlier_detection.ejections_active';

/**
 * Bounds in milliseconds: Envoy's own, so that nothing that reads them goes without, and others between
 * them, since a quantile is no finer than its bucket: two neighbours differ by at most a half up to 10 s.
 */
const latencyBoundsMs: readonly number[] = [
  ...[0.5, 1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 75, 100, 125, 150, 200, 250, 300],
  ...[400, 500, 600, 750, 1000, 1250, 1500, 2000, 2500, 3000, 4000, 5000, 7500, 10_000, 15_000],
  ...[30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000],
];

const names = [latencyStat, totalMembersStat, healthyMembersStat, ejectedMembersStat];

/** `gates`: only what gates judge by is kept at all. */
export function statsConfig(kept: 'all' | 'gates') {
  const pattern = names.map((name) => name.replace('.', '\\.')).join('|');
  const patterns = [{ safe_regex: { regex: `cluster\\.cds_.*\\.(${pattern})` } }];
  return {
    ...(kept === 'gates' && { stats_matcher: { inclusion_list: { patterns } } }),
    histogram_bucket_settings: [
      {
        match: { safe_regex: { regex: `cluster\\.cds_.*\\.${latencyStat}` } },
        buckets: latencyBoundsMs,
      },
    ],
  };
}

/** Histograms count one flush interval (5 s) each; their quantiles, as Envoy would make them, stay away. */
export function statsSink(grpcService: Readonly<Record<string, unknown>>) {
  return {
    name: 'envoy.stat_sinks.metrics_service',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.config.metrics.v3.MetricsServiceConfig',
      transport_api_version: 'V3',
      grpc_service: grpcService,
      histogram_emit_mode: 'HISTOGRAM',
    },
  };
}
