/**
 * The bootstrap that turns a stock Envoy into a proxy of the mesh: who it is, where the controller is, and
 * that it reports its load there. Written in proto JSON (Envoy reads YAML 1.1, in which `y` is true, so
 * JSON is the safe spelling). Clusters and listeners come over one delta ADS stream.
 */
import { isIpAddress } from '../base/socket-address.js';
import { announceKey, egressKey, ingressKey } from './identity.js';
import type { SocketAddress } from './snapshot.js';
import { statsConfig, statsSink } from './stats.js';

export interface BootstrapOptions {
  /** `mesh/<mesh>/virtualNode/<name>` or `mesh/<mesh>/virtualGateway/<name>`. */
  readonly nodeId: string;
  /** Replicas of the controller, at least one: names or IP addresses. */
  readonly xds: readonly SocketAddress[];
  /** Undefined: no admin interface. Port 0: any free one. */
  readonly admin?: SocketAddress;
  /** Where the sidecar's listeners go; undefined: connections are redirected, App Mesh's way. */
  readonly ingress?: SocketAddress;
  readonly egress?: SocketAddress;
  /**
   * The IP address at which others reach the service, where that of `ingress` does not say it: an
   * endpoint of the virtual node while the proxy is connected, if its endpoints are announced.
   */
  readonly announce?: string;
  /** How the controller is reached over TLS; undefined: in plain text. Paths are the Envoy's. */
  readonly tls?: BootstrapTls;
  /** Sent with every stream, where the controller asks for tokens. */
  readonly token?: string;
  /** Default delta; `sotw` is for what cannot speak it. */
  readonly protocol?: 'delta' | 'sotw';
  /**
   * `gates`: Envoy keeps only the statistics that gates judge by, for those who read no others.
   * Default: all.
   */
  readonly stats?: 'all' | 'gates';
}

export interface BootstrapTls {
  /** PEM file of the authorities of the controller's certificate. */
  readonly caFile: string;
  /** PEM files of the proxy's own certificate and its key; neither where a token says who it is. */
  readonly certificateFile?: string;
  readonly keyFile?: string;
  /** The DNS name in the controller's certificate. */
  readonly serverName: string;
}

export const xdsClusterName = 'headgate_xds';

/** Plain JSON, the same for the same options. */
export function renderBootstrap(options: BootstrapOptions): Readonly<Record<string, unknown>> {
  const { nodeId, admin, ingress, egress, announce } = options;
  const controller = grpcService(options.token);
  const metadata = {
    ...(ingress && { [ingressKey]: plainAddress(ingress) }),
    ...(egress && { [egressKey]: plainAddress(egress) }),
    ...(announce && { [announceKey]: announce }),
  };
  return {
    node: {
      id: nodeId,
      cluster: nodeId,
      ...(Object.keys(metadata).length > 0 && { metadata }),
    },
    ...(admin && { admin: { address: socketAddress(admin) } }),
    dynamic_resources: dynamicResources(options.protocol ?? 'delta', controller),
    cluster_manager: {
      load_stats_config: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        grpc_services: [controller],
      },
    },
    stats_config: statsConfig(options.stats ?? 'all'),
    stats_sinks: [statsSink(controller)],
    static_resources: { clusters: [xdsCluster(options.xds, options.tls)] },
    layered_runtime: {
      layers: [
        {
          name: 'headgate',
          // App Mesh's limit on how large a program a user's regex may become.
          static_layer: { 're2.max_program_size.error_level': 1000 },
        },
        { name: 'admin', admin_layer: {} },
      ],
    },
  };
}

/** A proxy that lost its controller looks for one every few seconds; Envoy's own pace slows to 30 s. */
function grpcService(token: string | undefined) {
  return {
    envoy_grpc: {
      cluster_name: xdsClusterName,
      retry_policy: { retry_back_off: { base_interval: '0.5s', max_interval: '5s' } },
    },
    ...(token !== undefined && {
      initial_metadata: [{ key: 'authorization', value: `Bearer ${token}` }],
    }),
  };
}

/** Without a fetch timeout: a proxy that has not heard of its clusters yet takes no traffic. */
const fromAds = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };

function dynamicResources(protocol: 'delta' | 'sotw', controller: ReturnType<typeof grpcService>) {
  return {
    ads_config: {
      api_type: protocol === 'delta' ? 'DELTA_GRPC' : 'GRPC',
      transport_api_version: 'V3',
      set_node_on_first_message_only: true,
      grpc_services: [controller],
    },
    cds_config: fromAds,
    lds_config: fromAds,
  };
}

/** A controller that is gone without a word (its machine, the network) is noticed by its silence. */
function xdsCluster(addresses: readonly SocketAddress[], tls: BootstrapTls | undefined) {
  const endpoints = addresses.map((item) => ({ endpoint: { address: socketAddress(item) } }));
  const isStatic = addresses.every(({ address }) => isIpAddress(address));
  const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    name: xdsClusterName,
    type: isStatic ? 'STATIC' : 'STRICT_DNS',
    connect_timeout: '1s',
    load_assignment: { cluster_name: xdsClusterName, endpoints: [{ lb_endpoints: endpoints }] },
    typed_extension_protocol_options: {
      [options]: {
        '@type': `type.googleapis.com/${options}`,
        explicit_http_config: {
          http2_protocol_options: { connection_keepalive: { interval: '30s', timeout: '10s' } },
        },
      },
    },
    ...(tls && { transport_socket: transportSocket(tls) }),
  };
}

/** The controller's certificate must be of `serverName`: an authority alone signs for many. */
function transportSocket({ caFile, certificateFile, keyFile, serverName }: BootstrapTls) {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      sni: serverName,
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
        alpn_protocols: ['h2'],
        ...(certificateFile !== undefined && {
          tls_certificates: [
            {
              certificate_chain: { filename: certificateFile },
              private_key: { filename: keyFile },
            },
          ],
        }),
        validation_context: {
          trusted_ca: { filename: caFile },
          match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: serverName } }],
        },
      },
    },
  };
}

function socketAddress({ address, port }: SocketAddress) {
  return { socket_address: { address, port_value: port } };
}

function plainAddress({ address, port }: SocketAddress) {
  return { address, port };
}
