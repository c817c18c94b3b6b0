/**
 * Health checks and outlier detection of a virtual node's listener. In App Mesh each client proxy checks
 * each endpoint itself, so both belong to the clusters of the clients.
 */
import type {
  envoy_config_core_v3_HealthCheck as EnvoyHealthCheck,
  envoy_config_cluster_v3_OutlierDetection as EnvoyOutlierDetection,
} from '../generated/envoy-types.js';
import type { HealthCheck, OutlierDetection } from '../mesh/model.js';
import { duration, wrapped } from './values.js';

export function envoyHealthCheck(check: HealthCheck): EnvoyHealthCheck {
  return {
    timeout: duration(check.timeoutMs),
    interval: duration(check.intervalMs),
    // Envoy would check a cluster that has no traffic once a minute only.
    no_traffic_interval: duration(check.intervalMs),
    healthy_threshold: wrapped(check.healthyThreshold),
    unhealthy_threshold: wrapped(check.unhealthyThreshold),
    ...healthChecker(check),
  };
}

function healthChecker({ protocol, path }: HealthCheck): EnvoyHealthCheck {
  switch (protocol) {
    case 'http':
      return { http_health_check: { path: path ?? '/' } };
    case 'http2':
      return { http_health_check: { path: path ?? '/', codec_client_type: 'HTTP2' } };
    case 'grpc':
      return { grpc_health_check: {} };
    case 'tcp':
      return { tcp_health_check: {} };
  }
}

/** Only what App Mesh counts: server errors in a row. Envoy's other detectors are on unless set to 0. */
export function envoyOutlierDetection(outlier: OutlierDetection): EnvoyOutlierDetection {
  return {
    consecutive_5xx: wrapped(outlier.maxServerErrors),
    enforcing_consecutive_5xx: wrapped(100),
    enforcing_success_rate: wrapped(0),
    interval: duration(outlier.intervalMs),
    base_ejection_time: duration(outlier.baseEjectionMs),
    max_ejection_percent: wrapped(outlier.maxEjectionPercent),
    always_eject_one_host: wrapped(true),
  };
}
