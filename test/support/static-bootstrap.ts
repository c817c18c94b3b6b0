/**
 * A snapshot as a static bootstrap, so that Envoy can judge it without a controller: routes stand in
 * their listeners, endpoints in their clusters and secrets beside them, and nothing is fetched. Secrets are
 * the files of `certificateFolder()`, in which Envoy has to run where there are any.
 */
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { decodeMessage, encodeMessage } from '../../controller/envoy/encode.js';
import {
  protoTypeOf,
  type ResourceType,
  resourceTypes,
  type Snapshot,
} from '../../controller/envoy/snapshot.js';
import { struct } from '../../controller/envoy/values.js';
import type { AnyMessage, MessageTypes } from '../../controller/generated/envoy-types.js';

type Plain = Readonly<Record<string, unknown>>;

/** Each resource of a snapshot by type and name, decoded, structs and durations as their messages. */
export type DecodedSnapshot = Readonly<Record<ResourceType, Readonly<Record<string, Plain>>>>;

export function decodeSnapshot(snapshot: Snapshot): DecodedSnapshot {
  const decoded = resourceTypes.map((type) => {
    const resources = [...snapshot[type].byName].map(([name, { any }]) => {
      const { type_url, ...rest } = decodeAny(any);
      if (type_url !== `type.googleapis.com/${protoTypeOf[type]}`) {
        throw new Error(`${name} is a ${String(type_url)}, expected ${protoTypeOf[type]}`);
      }
      return [name, rest] as const;
    });
    return [type, Object.fromEntries(resources)] as const;
  });
  return Object.fromEntries(decoded) as unknown as DecodedSnapshot;
}

function decodeAny(bytes: Buffer): Plain {
  const { '@type': type_url, ...rest } = decodeMessage('google.protobuf.Any', bytes) as Plain;
  return { type_url, ...rest };
}

/** An encoded `envoy.config.bootstrap.v3.Bootstrap`. */
export function staticBootstrap(snapshot: Snapshot): Buffer {
  return encodeBootstrap(staticResources(snapshot));
}

/**
 * One bootstrap with the resources of many snapshots, so that Envoy starts once for all. Clusters of one
 * name are taken to be the same; listeners get names and ports of their own.
 */
export function joinedBootstrap(snapshots: readonly Snapshot[]): Buffer {
  const all = snapshots.map(staticResources);
  const clusters = new Map(all.flatMap((each) => each.clusters).map((one) => [one.name, one]));
  const listeners = all
    .flatMap((each) => each.listeners)
    .map((listener, index) => ({
      ...listener,
      name: `listener${index}`,
      address: withPort(listener.address as Plain, firstPort + index),
    }));
  const secrets = new Map(all.flatMap((each) => each.secrets).map((one) => [one.name, one]));
  const unique = { clusters: [...clusters.values()], secrets: [...secrets.values()] };
  return encodeBootstrap({ ...unique, listeners });
}

const firstPort = 1024;

function withPort({ socket_address }: Plain, port_value: number): Plain {
  return { socket_address: { ...(socket_address as Plain), port_value } };
}

interface StaticResources {
  readonly clusters: readonly Plain[];
  readonly listeners: readonly Plain[];
  readonly secrets: readonly Plain[];
}

function staticResources(snapshot: Snapshot): StaticResources {
  const { cluster, endpoint, listener, route } = decodeSnapshot(snapshot);
  const clusters = Object.entries(cluster).map(([name, message]) =>
    message.type === 'EDS' ? withEndpoints(message, endpoint[name]) : message,
  );
  const listeners = Object.values(listener);
  const uses = [...snapshot.cluster.byName.values(), ...snapshot.listener.byName.values()]
    .flatMap(({ references }) => references)
    .flatMap(({ type, name, use }) => (type === 'secret' ? [[name, use] as const] : []));
  return {
    clusters: clusters.map((message) => inPlace(message, route)),
    listeners: listeners.map((message) => inPlace(message, route)),
    secrets: [...new Map(uses)].map(([name, use]) => ({
      name,
      ...(use === 'trust' ? trusted : shown),
    })),
  };
}

const shown = {
  tls_certificate: {
    certificate_chain: { filename: 'server.pem' },
    private_key: { filename: 'server.key' },
  },
};
const trusted = { validation_context: { trusted_ca: { filename: 'ca.pem' } } };

/** With the runtime of `headgate bootstrap`, which limits what regexes may grow to. */
function encodeBootstrap(static_resources: StaticResources): Buffer {
  const { layered_runtime } = renderBootstrap({ nodeId: 'test', xds: [] });
  const { layers } = layered_runtime as { readonly layers: readonly { static_layer?: Plain }[] };
  const limits = layers.flatMap(({ static_layer }) => (static_layer ? [static_layer] : []));
  return encodeMessage('envoy.config.bootstrap.v3.Bootstrap', {
    node: { id: 'test', cluster: 'test' },
    static_resources,
    layered_runtime: {
      layers: limits.map((layer, index) => ({ name: `${index}`, static_layer: struct(layer) })),
    },
  } as MessageTypes['envoy.config.bootstrap.v3.Bootstrap']);
}

function withEndpoints({ eds_cluster_config, ...message }: Plain, endpoints: unknown): Plain {
  return { ...message, type: 'STATIC', load_assignment: endpoints };
}

/**
 * `value` with every reference to a route configuration replaced by its message, and with secrets that are
 * looked for in the bootstrap: asked to fetch one for a cluster, Envoy's validation ends by signal 11 (1.40).
 */
function inPlace(value: unknown, routes: DecodedSnapshot['route']): Plain {
  return replaceFetched(value, routes) as Plain;
}

function replaceFetched(value: unknown, routes: DecodedSnapshot['route']): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => replaceFetched(item, routes));
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) {
    return value;
  }
  const { rds, sds_config, ...rest } = value as {
    readonly rds?: { readonly route_config_name?: string };
    readonly sds_config?: unknown;
  };
  const entries = Object.entries(rest).map(([key, item]) => [key, replaceFetched(item, routes)]);
  const replaced = Object.fromEntries(entries) as AnyMessage;
  return rds === undefined
    ? replaced
    : { ...replaced, route_config: routes[rds.route_config_name ?? ''] };
}
