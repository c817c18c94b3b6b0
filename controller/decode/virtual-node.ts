/** A VirtualNode document in the model's terms, with App Mesh's defaults filled in. */
import { assert } from '../base/assert.js';
import type * as yaml from '../generated/schema-types.js';
import type {
  Backend,
  ConnectionPool,
  HealthCheck,
  Listener,
  ServiceDiscovery,
  VirtualNode,
} from '../mesh/model.js';
import { accessLog, clientPolicy, durationMs, listenerTls, timeout } from './parts.js';

export function virtualNode({ metadata, spec }: yaml.VirtualNode): VirtualNode {
  return {
    kind: 'VirtualNode',
    name: metadata.name,
    labels: metadata.labels ?? {},
    listeners: (spec.listeners ?? []).map(listener),
    serviceDiscovery: spec.serviceDiscovery && serviceDiscovery(spec.serviceDiscovery),
    backends: (spec.backends ?? []).map(backend),
    backendDefaults: clientPolicy(spec.backendDefaults?.clientPolicy),
    accessLog: accessLog(spec.logging),
  };
}

function listener(written: yaml.VirtualNodeListener): Listener {
  const { port, protocol } = written.portMapping;
  const { healthCheck: check, outlierDetection: outliers, timeout: timeouts } = written;
  return {
    port,
    protocol,
    healthCheck: check && healthCheck(check, port),
    outlierDetection: outliers && {
      maxServerErrors: outliers.maxServerErrors,
      intervalMs: durationMs(outliers.interval),
      baseEjectionMs: durationMs(outliers.baseEjectionDuration),
      maxEjectionPercent: outliers.maxEjectionPercent,
    },
    connectionPool: written.connectionPool && connectionPool(written.connectionPool),
    timeout: timeout(timeouts?.http ?? timeouts?.http2 ?? timeouts?.grpc ?? timeouts?.tcp),
    tls: written.tls && listenerTls(written.tls),
  };
}

/**
 * App Mesh fills in the listener's port; a path of `/` is what Envoy's http checks need at least.
 */
export function healthCheck(written: yaml.HealthCheck, listenerPort: number): HealthCheck {
  const { protocol } = written;
  const hasPath = protocol === 'http' || protocol === 'http2';
  return {
    protocol,
    path: hasPath ? (written.path ?? '/') : undefined,
    port: written.port ?? listenerPort,
    healthyThreshold: written.healthyThreshold,
    unhealthyThreshold: written.unhealthyThreshold,
    intervalMs: written.intervalMillis,
    timeoutMs: written.timeoutMillis,
  };
}

/** App Mesh's default for `maxPendingRequests`. */
const unlimited = 2_147_483_647;

export function connectionPool(
  written: Partial<
    Record<'http', yaml.HttpConnectionPool> &
      Record<'http2' | 'grpc', yaml.RequestConnectionPool> &
      Record<'tcp', yaml.TcpConnectionPool>
  >,
): ConnectionPool {
  const { http, tcp } = written;
  if (http !== undefined) {
    const { maxConnections, maxPendingRequests = unlimited } = http;
    return { maxConnections, maxPendingRequests };
  }
  const byRequests = written.http2 ?? written.grpc;
  return { maxConnections: tcp?.maxConnections, maxRequests: byRequests?.maxRequests };
}

function serviceDiscovery(written: yaml.ServiceDiscovery): ServiceDiscovery {
  const { dns, static: fixed, announced, awsCloudMap } = written;
  if (dns !== undefined) {
    const { hostname, responseType = 'LOADBALANCER', ipPreference } = dns;
    return { kind: 'dns', hostname, responseType, ipPreference };
  }
  if (fixed !== undefined) {
    return { kind: 'static', endpoints: fixed.endpoints };
  }
  if (announced !== undefined) {
    return { kind: 'announced' };
  }
  assert(awsCloudMap !== undefined, 'the schema lets exactly one way of discovery pass');
  // What Cloud Map itself registers in a DNS namespace; all addresses, since it is no load
  // balancer.
  const hostname = `${awsCloudMap.serviceName}.${awsCloudMap.namespaceName}`;
  const { ipPreference } = awsCloudMap;
  return { kind: 'dns', hostname, responseType: 'ENDPOINTS', ipPreference };
}

function backend({ virtualService }: yaml.Backend): Backend {
  return {
    virtualService: virtualService.virtualServiceRef.name,
    clientPolicy: clientPolicy(virtualService.clientPolicy),
  };
}
