/**
 * Turns the Envoy protos that `@grpc/grpc-js-xds` ships, and our own below this folder, into two files
 * in `controller/generated/`: `envoy-protos.ts`, the descriptor of the messages that Headgate writes and
 * reads, as one JSON text that protobufjs loads in milliseconds; and `envoy-types.ts`, a TypeScript type
 * for each of them. Only what is reachable from `roots` is kept; options other than `packed` and
 * `proto3_optional` (validation rules, annotations) are dropped, since Envoy checks those itself.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));
const outputFolder = join(here, '..', 'controller', 'generated');

/** Each file, and the messages and services in it that the program names. */
const roots = {
  'envoy/config/cluster/v3/cluster.proto': ['envoy.config.cluster.v3.Cluster'],
  'envoy/config/endpoint/v3/endpoint.proto': ['envoy.config.endpoint.v3.ClusterLoadAssignment'],
  'envoy/config/listener/v3/listener.proto': ['envoy.config.listener.v3.Listener'],
  'envoy/config/route/v3/route.proto': ['envoy.config.route.v3.RouteConfiguration'],
  'envoy/config/bootstrap/v3/bootstrap.proto': ['envoy.config.bootstrap.v3.Bootstrap'],
  'envoy/extensions/access_loggers/file/v3/file.proto': [
    'envoy.extensions.access_loggers.file.v3.FileAccessLog',
  ],
  'envoy/extensions/access_loggers/stream/v3/stream.proto': [
    'envoy.extensions.access_loggers.stream.v3.StdoutAccessLog',
    'envoy.extensions.access_loggers.stream.v3.StderrAccessLog',
  ],
  'envoy/extensions/filters/http/router/v3/router.proto': [
    'envoy.extensions.filters.http.router.v3.Router',
  ],
  'envoy/extensions/filters/listener/http_inspector/v3/http_inspector.proto': [
    'envoy.extensions.filters.listener.http_inspector.v3.HttpInspector',
  ],
  'envoy/extensions/filters/listener/original_dst/v3/original_dst.proto': [
    'envoy.extensions.filters.listener.original_dst.v3.OriginalDst',
  ],
  'envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.proto': [
    'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
  ],
  'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto': [
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
  ],
  'envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto': [
    'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
  ],
  'envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.proto': [
    'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
  ],
  'envoy/extensions/transport_sockets/tls/v3/tls.proto': [
    'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
    'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
  ],
  'envoy/extensions/transport_sockets/tls/v3/secret.proto': [
    'envoy.extensions.transport_sockets.tls.v3.Secret',
  ],
  'envoy/extensions/upstreams/http/v3/http_protocol_options.proto': [
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
  ],
  'envoy/service/discovery/v3/ads.proto': ['envoy.service.discovery.v3.AggregatedDiscoveryService'],
  'envoy/service/cluster/v3/cds.proto': ['envoy.service.cluster.v3.ClusterDiscoveryService'],
  'envoy/service/endpoint/v3/eds.proto': ['envoy.service.endpoint.v3.EndpointDiscoveryService'],
  'envoy/service/listener/v3/lds.proto': ['envoy.service.listener.v3.ListenerDiscoveryService'],
  'envoy/service/route/v3/rds.proto': ['envoy.service.route.v3.RouteDiscoveryService'],
  'envoy/service/secret/v3/sds.proto': ['envoy.service.secret.v3.SecretDiscoveryService'],
  'envoy/service/load_stats/v3/lrs.proto': ['envoy.service.load_stats.v3.LoadReportingService'],
  'envoy/service/metrics/v3/metrics_service.proto': ['envoy.service.metrics.v3.MetricsService'],
  'envoy/service/status/v3/csds.proto': ['envoy.service.status.v3.ClientStatusDiscoveryService'],
  'envoy/admin/v3/config_dump.proto': ['envoy.admin.v3.ConfigDump'],
  'grpc/health/v1/health.proto': ['grpc.health.v1.Health'],
};

const root = await loadRoot();
const kept = reachable(root, Object.values(roots).flat());
mkdirSync(outputFolder, { recursive: true });
const note = '// Made by `npm run generate` (proto/generate.mjs) from the protos. Never edited.\n';
writeIfChanged('envoy-protos.ts', note + renderDescriptor(root, kept));
writeIfChanged('envoy-types.ts', note + renderTypes(kept));

async function loadRoot() {
  const deps = join(dirname(require.resolve('@grpc/grpc-js-xds/package.json')), 'deps');
  const folders = [
    here,
    join(deps, 'envoy-api'),
    join(deps, 'googleapis'),
    join(deps, 'protoc-gen-validate'),
    join(deps, 'xds'),
    dirname(require.resolve('protobufjs/package.json')),
  ];
  const loading = new protobuf.Root();
  loading.resolvePath = (_origin, target) =>
    folders.map((folder) => join(folder, target)).find((path) => existsSync(path)) ?? target;
  await loading.load(Object.keys(roots), { keepCase: true });
  addNewer(loading);
  return loading.resolveAll();
}

/** Fields that Envoy has and the package does not have yet, with Envoy's numbers. */
function addNewer(loading) {
  // Envoy 1.36, route_components.proto: weights drawn by the route's hash policy.
  const weighted = loading.lookupType('envoy.config.route.v3.WeightedCluster');
  weighted.add(new protobuf.Field('use_hash_policy', 5, 'google.protobuf.BoolValue'));
}

/** The types, enums and services that `names` need, sorted by full name. */
function reachable(from, names) {
  const found = new Set();
  const waiting = names.map((name) => from.lookup(name));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next === null || found.has(next)) {
      continue;
    }
    found.add(next);
    if (next instanceof protobuf.Type) {
      waiting.push(...next.fieldsArray.map((field) => field.resolvedType));
    } else if (next instanceof protobuf.Service) {
      for (const method of next.methodsArray) {
        waiting.push(method.resolvedRequestType, method.resolvedResponseType);
      }
    }
  }
  return [...found].sort((left, right) => (left.fullName < right.fullName ? -1 : 1));
}

function renderDescriptor(from, keep) {
  const json = prune(from, new Set(keep));
  return `/** A protobufjs JSON descriptor, field names as in the protos. */
export const descriptorJson =
  ${JSON.stringify(JSON.stringify(json))};
`;
}

/** The JSON of `scope` with only what `keep` has: protobufjs's own `toJSON` keeps everything. */
function prune(scope, keep) {
  const json = keep.has(scope) ? scope.toJSON() : {};
  dropOptions(json);
  delete json.nested;
  const nested = {};
  for (const child of scope.nestedArray ?? []) {
    const childJson = prune(child, keep);
    if (Object.keys(childJson).length > 0) {
      nested[child.name] = childJson;
    } else if (keep.has(child)) {
      nested[child.name] = { fields: {} };
    }
  }
  return Object.keys(nested).length > 0 ? { ...json, nested } : json;
}

function dropOptions(json) {
  delete json.options;
  delete json.reserved;
  delete json.valuesOptions;
  for (const member of Object.values({ ...json.fields, ...json.methods })) {
    const { packed, proto3_optional } = member.options ?? {};
    delete member.options;
    if (packed !== undefined || proto3_optional !== undefined) {
      member.options = { packed, proto3_optional };
    }
    delete member.parsedOptions;
  }
}

function renderTypes(keep) {
  const types = keep.filter((item) => item instanceof protobuf.Type);
  const enums = keep.filter((item) => item instanceof protobuf.Enum);
  return `
/** A message inside \`google.protobuf.Any\`: its type URL beside its own fields, or its bytes. */
export type AnyMessage =
  | { readonly '@type': string; readonly [field: string]: unknown }
  | { readonly type_url: string; readonly value: Uint8Array };

/** Every message by its full name. */
export interface MessageTypes {
${types.map((type) => `  '${fullName(type)}': ${typeName(type)};`).join('\n')}
}

${enums.map(renderEnum).join('\n')}
${types
  .filter((type) => fullName(type) !== 'google.protobuf.Any')
  .map(renderInterface)
  .join('\n')}`;
}

function renderEnum(item) {
  const names = Object.keys(item.values).map((name) => `'${name}'`);
  return `export type ${typeName(item)} = ${names.join(' | ')};\n`;
}

function renderInterface(type) {
  const fields = type.fieldsArray.map((field) => {
    field.resolve();
    const plain = field.resolvedType === null ? scalar(field.type) : typeName(field.resolvedType);
    if (field.map) {
      return `  readonly ${field.name}?: { readonly [key: string]: ${plain} };`;
    }
    return `  readonly ${field.name}?: ${field.repeated ? `readonly ${plain.includes(' ') ? `(${plain})` : plain}[]` : plain};`;
  });
  return `export interface ${typeName(type)} {\n${fields.join('\n')}\n}\n`;
}

function fullName(item) {
  return item.fullName.replace(/^\./, '');
}

function typeName(item) {
  return fullName(item) === 'google.protobuf.Any'
    ? 'AnyMessage'
    : fullName(item).replace(/\./g, '_');
}

function scalar(type) {
  if (type === 'string') {
    return 'string';
  }
  if (type === 'bool') {
    return 'boolean';
  }
  return type === 'bytes' ? 'Uint8Array' : 'number';
}

/** Unchanged files keep their time stamp, so that compilers need not look at them again. */
function writeIfChanged(name, text) {
  const path = join(outputFolder, name);
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    writeFileSync(path, text);
  }
}
