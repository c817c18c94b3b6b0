/**
 * Clusters: what a listener of a virtual node is to its callers (egress) and to its own proxy (ingress),
 * and the two that let traffic through to where it was going. Values are App Mesh's: one second to
 * connect, round robin, no circuit breakers but the connection pool of the node's own proxy.
 */
import type {
  AnyMessage,
  envoy_config_cluster_v3_CircuitBreakers as CircuitBreakers,
  envoy_config_cluster_v3_Cluster as Cluster,
  envoy_config_cluster_v3_Cluster_DnsLookupFamily as DnsLookupFamily,
} from '../generated/envoy-types.js';
import type {
  ClientPolicy,
  ConnectionPool,
  IpPreference,
  MeshSettings,
  Protocol,
  ServiceDiscovery,
} from '../mesh/model.js';
import { packed } from './encode.js';
import { loadAssignment } from './endpoints.js';
import { envoyHealthCheck, envoyOutlierDetection } from './health.js';
import { provenanceMetadata } from './metadata.js';
import { clusterName, targetClusterName } from './names.js';
import type { Target } from './reach.js';
import type { ProxyIdentity, ResourceReference } from './snapshot.js';
import { upstreamTls } from './tls.js';
import { adsSource, duration, wrapped } from './values.js';

const connectTimeoutMs = 1000;
/** What App Mesh sends where nothing is limited: Envoy's own defaults are 1024 and 3 retries. */
const unlimited = 2_147_483_647;

/** A message, its name and the names that it needs beside it. */
export interface ClusterParts {
  readonly name: string;
  readonly message: Cluster;
  readonly references: readonly ResourceReference[];
}

/** Who calls: what of a cluster depends on that. */
export interface Caller {
  readonly policy: ClientPolicy | undefined;
  /** Limits of its own: a gateway's; a node is limited by its own proxy. */
  readonly pool: ConnectionPool;
  readonly proxyKind: ProxyIdentity['kind'];
}

/** `target` as its callers see it. */
export function egressCluster(
  mesh: MeshSettings,
  target: Target,
  { policy, pool, proxyKind }: Caller,
): ClusterParts {
  const { node, listener } = target;
  const name = targetClusterName(mesh.name, target);
  const isEnvoy = proxyKind === 'envoy';
  // gRPC's own clients bring their credentials, and refuse what they do not know.
  const tls = isEnvoy ? upstreamTls(target, policy) : undefined;
  const { healthCheck, outlierDetection } = listener;
  const message: Cluster = {
    name,
    ...base(listener.protocol),
    ...discovered(name, target, mesh.ipPreference, isEnvoy),
    circuit_breakers: circuitBreakers(pool),
    health_checks: healthCheck && isEnvoy ? [envoyHealthCheck(healthCheck)] : undefined,
    // Else an endpoint that is gone from discovery goes on getting requests until a check fails.
    ignore_health_on_host_removal: healthCheck && isEnvoy ? true : undefined,
    outlier_detection: outlierDetection && envoyOutlierDetection(outlierDetection),
    transport_socket: tls?.socket,
    lrs_server: isEnvoy ? undefined : { self: {} },
    metadata: provenanceMetadata({ mesh: mesh.name, kind: 'VirtualNode', name: node.name }),
  };
  const endpoints: ResourceReference[] = message.type === 'EDS' ? [{ type: 'endpoint', name }] : [];
  return { name, message, references: [...endpoints, ...(tls?.secrets ?? [])] };
}

/** The application behind `target`, as the proxy beside it sees it. */
export function ingressCluster(mesh: MeshSettings, { node, listener }: Target): ClusterParts {
  const name = clusterName('ingress', mesh.name, node, listener);
  const address = mesh.ipPreference?.startsWith('IPv6') ? '::1' : '127.0.0.1';
  const message: Cluster = {
    name,
    ...base(listener.protocol),
    type: 'STATIC',
    load_assignment: loadAssignment(name, [{ address, port: listener.port }]),
    circuit_breakers: circuitBreakers(listener.connectionPool ?? {}),
    metadata: provenanceMetadata({ mesh: mesh.name, kind: 'VirtualNode', name: node.name }),
  };
  return { name, message, references: [] };
}

/** Lets a redirected connection through to the address that the application called. */
export function passThroughCluster(mesh: MeshSettings, name: string): ClusterParts {
  const message: Cluster = {
    name,
    type: 'ORIGINAL_DST',
    lb_policy: 'CLUSTER_PROVIDED',
    connect_timeout: duration(connectTimeoutMs),
    circuit_breakers: circuitBreakers({}),
    typed_extension_protocol_options: httpOptions({
      use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} },
    }),
    metadata: provenanceMetadata({ mesh: mesh.name, kind: 'Mesh', name: mesh.name }),
  };
  return { name, message, references: [] };
}

function base(protocol: Protocol): Cluster {
  const isHttp2 = protocol === 'http2' || protocol === 'grpc';
  return {
    lb_policy: 'ROUND_ROBIN',
    connect_timeout: duration(connectTimeoutMs),
    typed_extension_protocol_options: isHttp2
      ? httpOptions({ explicit_http_config: { http2_protocol_options: {} } })
      : undefined,
  };
}

function httpOptions(
  options: Parameters<typeof packed<'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'>>[1],
): { readonly [name: string]: AnyMessage } {
  const name = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return { [name]: packed(name, options) };
}

function discovered(
  name: string,
  { node, listener }: Target,
  meshPreference: IpPreference | undefined,
  isEnvoy: boolean,
): Cluster {
  const discovery = node.serviceDiscovery;
  if (discovery?.kind !== 'dns') {
    return { type: 'EDS', eds_cluster_config: { eds_config: adsSource } };
  }
  const { hostname, ipPreference = meshPreference } = discovery;
  return {
    type: dnsType(discovery, isEnvoy),
    dns_lookup_family: lookupFamily(hostname, ipPreference),
    // Without the final dot that App Mesh adds: with one, Envoy's resolver does not find what stands in
    // /etc/hosts.
    load_assignment: loadAssignment(name, [{ address: hostname, port: listener.port }]),
  };
}

/** gRPC's own clients know no STRICT_DNS; their LOGICAL_DNS uses every address of the answer. */
function dnsType(
  { responseType }: Extract<ServiceDiscovery, { kind: 'dns' }>,
  isEnvoy: boolean,
): 'LOGICAL_DNS' | 'STRICT_DNS' {
  return responseType === 'ENDPOINTS' && isEnvoy ? 'STRICT_DNS' : 'LOGICAL_DNS';
}

/**
 * Without a preference App Mesh asks for IPv6 addresses first, and for IPv4 where there are none. Of
 * `localhost` every resolver knows an IPv6 address, whether or not anybody listens there.
 */
function lookupFamily(hostname: string, preference: IpPreference | undefined): DnsLookupFamily {
  if (preference === undefined && /^(.+\.)?localhost\.?$/i.test(hostname)) {
    return 'V4_PREFERRED';
  }
  switch (preference) {
    case 'IPv4_ONLY':
      return 'V4_ONLY';
    case 'IPv6_ONLY':
      return 'V6_ONLY';
    case 'IPv4_PREFERRED':
      return 'V4_PREFERRED';
    case 'IPv6_PREFERRED':
    case undefined:
      return 'AUTO';
  }
}

function circuitBreakers(pool: ConnectionPool): CircuitBreakers {
  return {
    thresholds: [
      {
        max_connections: wrapped(pool.maxConnections ?? unlimited),
        max_pending_requests: wrapped(pool.maxPendingRequests ?? unlimited),
        max_requests: wrapped(pool.maxRequests ?? unlimited),
        max_retries: wrapped(unlimited),
      },
    ],
  };
}
