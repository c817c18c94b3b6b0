/**
 * The network filters at the end of each filter chain: HTTP connections whose routes come by RDS, and TCP
 * connections that are given to clusters by weight. Settings are App Mesh's: paths are normalised,
 * WebSocket upgrades pass, `x-forwarded-for` is left alone.
 */
import type {
  envoy_config_accesslog_v3_AccessLog as EnvoyAccessLog,
  envoy_config_listener_v3_Filter as Filter,
  envoy_extensions_filters_network_http_connection_manager_v3_HttpFilter as HttpFilter,
  envoy_config_core_v3_SubstitutionFormatString as LogFormat,
} from '../generated/envoy-types.js';
import type { AccessLog } from '../mesh/model.js';
import { packed } from './encode.js';
import { adsSource, duration, struct, wrapped } from './values.js';

export const routerFilter: HttpFilter = {
  name: 'envoy.filters.http.router',
  typed_config: packed('envoy.extensions.filters.http.router.v3.Router', {}),
};

/** HTTP/1.1 and HTTP/2, whichever the caller speaks. */
export function httpFilter(options: {
  readonly statPrefix: string;
  readonly routeName: string;
  readonly accessLog: AccessLog | undefined;
}): Filter {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: packed(
      'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      {
        stat_prefix: options.statPrefix,
        rds: { route_config_name: options.routeName, config_source: adsSource },
        http_filters: [routerFilter],
        upgrade_configs: [{ upgrade_type: 'websocket' }],
        normalize_path: wrapped(true),
        merge_slashes: true,
        path_with_escaped_slashes_action: 'KEEP_UNCHANGED',
        tracing: {},
        access_log: accessLogs(options.accessLog),
      },
    ),
  };
}

/** Weights are above 0, which Envoy demands of TCP. */
export function tcpFilter(options: {
  readonly statPrefix: string;
  readonly clusters: readonly { readonly name: string; readonly weight: number }[];
  readonly idleMs?: number;
  readonly accessLog: AccessLog | undefined;
}): Filter {
  return {
    name: 'envoy.filters.network.tcp_proxy',
    typed_config: packed('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', {
      stat_prefix: options.statPrefix,
      weighted_clusters: { clusters: options.clusters },
      idle_timeout: options.idleMs === undefined ? undefined : duration(options.idleMs),
      access_log: accessLogs(options.accessLog),
    }),
  };
}

function accessLogs(log: AccessLog | undefined): readonly EnvoyAccessLog[] | undefined {
  if (log === undefined) {
    return undefined;
  }
  const log_format = logFormat(log.format);
  switch (log.path) {
    // Opened as files they fail where the proxy's output is a socket, as under many supervisors.
    case '/dev/stdout':
      return [
        { name: 'envoy.access_loggers.stdout', typed_config: packed(stdout, { log_format }) },
      ];
    case '/dev/stderr':
      return [
        { name: 'envoy.access_loggers.stderr', typed_config: packed(stderr, { log_format }) },
      ];
    default: {
      const config = { path: log.path, log_format };
      return [{ name: 'envoy.access_loggers.file', typed_config: packed(file, config) }];
    }
  }
}

const file = 'envoy.extensions.access_loggers.file.v3.FileAccessLog';
const stdout = 'envoy.extensions.access_loggers.stream.v3.StdoutAccessLog';
const stderr = 'envoy.extensions.access_loggers.stream.v3.StderrAccessLog';

/** Undefined: Envoy's own format. */
function logFormat(format: AccessLog['format']): LogFormat | undefined {
  switch (format?.kind) {
    case undefined:
      return undefined;
    case 'text':
      return { text_format_source: { inline_string: format.text } };
    case 'json':
      return {
        json_format: struct(Object.fromEntries(format.entries.map((e) => [e.key, e.value]))),
      };
  }
}
