/**
 * The mesh that xDS servers are compared with: services that each have a cluster with ten endpoints, a
 * listener and a route configuration of their own. Service 0 splits its requests between two clusters,
 * and a trigger changes how.
 */
import { routerFilter } from '../envoy/connection.js';
import { packed } from '../envoy/encode.js';
import { encodeResource } from '../envoy/resource.js';
import { patchedSet, resourceSet } from '../envoy/resource-set.js';
import type { EncodedResource, ResourceSet, Snapshot } from '../envoy/snapshot.js';
import { adsSource, duration, wrapped } from '../envoy/values.js';

export interface SyntheticMesh {
  /** Moves service 0's weights; answers the text that its route's name holds from now on. */
  trigger(): string;
  /** A snapshot of its own at each call, of the same resources until the next trigger. */
  snapshot(): Snapshot;
}

const endpointsPerService = 10;
/** Services whose addresses fit into the last byte but one. */
const perByte = 250;

/** `services`: 1 to 60,000, each with addresses of its own. */
export function createSyntheticMesh(services: number): SyntheticMesh {
  const names = Array.from({ length: services }, (_, index) => serviceName(index));
  const clusterNames = names.map((name, index) =>
    index === 0 ? [stable(name), canary(name)] : [stable(name)],
  );
  const clusters = clusterNames.flat().map(cluster);
  const endpoints = clusterNames.flatMap((own, index) => own.map((each) => endpoint(each, index)));
  const others = names.slice(1).map((name, index) => routeTo(name, index + 1));
  let version = 1;
  let snapshot: Snapshot = {
    cluster: resourceSet(clusters),
    endpoint: resourceSet(endpoints),
    listener: resourceSet(names.map(listener)),
    route: resourceSet([splitRoute(serviceName(0), version), ...others]),
    secret: noSecrets,
  };
  return {
    trigger() {
      version += 1;
      const route = patchedSet(snapshot.route, [splitRoute(serviceName(0), version)]);
      snapshot = { ...snapshot, route };
      return markerOf(version);
    },
    snapshot: () => ({ ...snapshot }),
  };
}

const noSecrets: ResourceSet = resourceSet([]);

function serviceName(index: number): string {
  return `svc-${String(index).padStart(4, '0')}.default`;
}

const stable = (service: string): string => `${service}.stable`;
const canary = (service: string): string => `${service}.canary`;
const routeName = (service: string): string => `${service}:80`;
const virtualAddress = (index: number): string =>
  `10.96.${Math.floor(index / perByte)}.${index % perByte}`;

function markerOf(version: number): string {
  return `#m${String(version).padStart(6, '0')}`;
}

function cluster(name: string): EncodedResource {
  const message = {
    name,
    type: 'EDS',
    connect_timeout: duration(5_000),
    eds_cluster_config: { eds_config: adsSource },
    circuit_breakers: {
      thresholds: [{ max_connections: wrapped(4096), max_requests: wrapped(4096) }],
    },
  } as const;
  return encodeResource('cluster', name, message, [{ type: 'endpoint', name }]);
}

function endpoint(cluster_name: string, index: number): EncodedResource {
  const lb_endpoints = Array.from({ length: endpointsPerService }, (_, place) => {
    const address = `10.${Math.floor(index / perByte)}.${index % perByte}.${place + 1}`;
    return { endpoint: { address: { socket_address: { address, port_value: 8080 } } } };
  });
  const endpoints = [{ locality: { region: 'r1', zone: 'z1' }, lb_endpoints }];
  return encodeResource('endpoint', cluster_name, { cluster_name, endpoints }, []);
}

function listener(service: string, index: number): EncodedResource {
  const address = virtualAddress(index);
  const name = `${address}_80`;
  const connection = packed(
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    {
      stat_prefix: routeName(service),
      rds: { route_config_name: routeName(service), config_source: adsSource },
      http_filters: [routerFilter],
    },
  );
  const filters = [
    { name: 'envoy.filters.network.http_connection_manager', typed_config: connection },
  ];
  const message = {
    name,
    address: { socket_address: { address, port_value: 80 } },
    bind_to_port: wrapped(false),
    filter_chains: [{ filters }],
  };
  return encodeResource('listener', name, message, [{ type: 'route', name: routeName(service) }]);
}

function routeTo(service: string, index: number): EncodedResource {
  return route(service, index, { name: `${service}.split`, weights: [[stable(service), 100]] });
}

function splitRoute(service: string, version: number): EncodedResource {
  const canaryWeight = version % 100;
  const weights = [
    [stable(service), 100 - canaryWeight],
    [canary(service), canaryWeight],
  ] as const;
  return route(service, 0, { name: `${service}.split${markerOf(version)}`, weights });
}

function route(
  service: string,
  index: number,
  split: {
    readonly name: string;
    readonly weights: readonly (readonly [cluster: string, weight: number])[];
  },
): EncodedResource {
  const clusters = split.weights.map(([name, weight]) => ({ name, weight: wrapped(weight) }));
  const routes = [
    {
      name: split.name,
      match: { prefix: '/' },
      route: {
        timeout: duration(15_000),
        retry_policy: {
          retry_on: 'connect-failure,refused-stream,unavailable',
          num_retries: wrapped(2),
        },
        weighted_clusters: { clusters },
      },
    },
  ];
  const aliases = ['', '.svc', '.svc.cluster.local'].map((suffix) => `${service}${suffix}`);
  const domains = [...aliases, virtualAddress(index)];
  const name = routeName(service);
  return encodeResource(
    'route',
    name,
    { name, virtual_hosts: [{ name: service, domains, routes }] },
    split.weights.map(([each]) => ({ type: 'cluster', name: each })),
  );
}
