/**
 * Snapshots from a few words: `{ cds: ['a', 'b:2'], eds: ['a'], lds: ['l>r'], rds: ['r>a,b'] }`. A name
 * may have a variant (`b:2`), which changes the content and nothing else, and references (`r>a,b`): of
 * clusters to endpoints (default: of its own name, `a>` for none), of listeners to routes, of routes to
 * clusters. All are resources that a real Envoy takes.
 */

import { packed } from '../../controller/envoy/encode.js';
import { encodeResource } from '../../controller/envoy/resource.js';
import { resourceSet } from '../../controller/envoy/resource-set.js';
import type {
  EncodedResource,
  ProxyIdentity,
  ResourceType,
  Snapshot,
} from '../../controller/envoy/snapshot.js';
import { adsSource } from '../../controller/envoy/values.js';

export interface SnapshotWords {
  readonly cds?: readonly string[];
  readonly eds?: readonly string[];
  readonly lds?: readonly string[];
  readonly rds?: readonly string[];
  readonly sds?: readonly string[];
}

export interface SnapshotPlaces {
  /** Where listeners listen; the first at `listenerPort`, the next at the one after. */
  readonly listenerPort?: number;
  /** Where endpoints are; none: assignments are empty. */
  readonly endpointPort?: number;
}

interface Words {
  readonly name: string;
  readonly variant: string;
  readonly references: readonly string[] | undefined;
}

export function snapshotOf(words: SnapshotWords, places: SnapshotPlaces = {}): Snapshot {
  const make = (
    list: readonly string[] | undefined,
    build: (parsed: Words, index: number) => EncodedResource,
  ) => resourceSet((list ?? []).map((text, index) => build(parse(text), index)));
  return {
    cluster: make(words.cds, cluster),
    endpoint: make(words.eds, (parsed) => endpoint(parsed, places)),
    listener: make(words.lds, (parsed, index) => listener(parsed, index, places)),
    route: make(words.rds, route),
    secret: make(words.sds, secret),
  };
}

function parse(text: string): Words {
  const [label = '', references] = text.split('>');
  const [name = '', variant = '1'] = label.split(':');
  return {
    name,
    variant,
    references: references?.split(',').filter((reference) => reference !== ''),
  };
}

function cluster({ name, variant, references }: Words): EncodedResource {
  const [endpointName] = references ?? [name];
  const type = endpointName === undefined ? 'STATIC' : 'EDS';
  return encodeResource(
    'cluster',
    name,
    {
      name,
      type,
      connect_timeout: { seconds: 1, nanos: Number.parseInt(variant, 36) },
      ...(endpointName === undefined
        ? {}
        : { eds_cluster_config: { eds_config: adsSource, service_name: endpointName } }),
    },
    refer('endpoint', endpointName === undefined ? [] : [endpointName]),
  );
}

function endpoint({ name, variant }: Words, { endpointPort }: SnapshotPlaces): EncodedResource {
  const lb_endpoints =
    endpointPort === undefined
      ? []
      : [
          {
            endpoint: {
              address: { socket_address: { address: '127.0.0.1', port_value: endpointPort } },
            },
            load_balancing_weight: { value: Number.parseInt(variant, 36) },
          },
        ];
  const named_endpoints = endpointPort === undefined ? variantEndpoints(variant) : undefined;
  return encodeResource(
    'endpoint',
    name,
    { cluster_name: name, endpoints: [{ lb_endpoints, priority: 0 }], named_endpoints },
    [],
  );
}

/** What sets two empty assignments apart: an address that nothing refers to. */
function variantEndpoints(variant: string) {
  const address = { socket_address: { address: '127.0.0.1', port_value: 1 } };
  return variant === '1' ? undefined : { [`variant-${variant}`]: { address } };
}

function listener(
  { name, variant, references }: Words,
  index: number,
  { listenerPort = 19_000 }: SnapshotPlaces,
): EncodedResource {
  const [routeName] = references ?? [name];
  const socket_address = { address: '127.0.0.1', port_value: listenerPort + index };
  return encodeResource(
    'listener',
    name,
    {
      name,
      address: { socket_address },
      filter_chains: [
        {
          filters: [
            {
              name: 'http',
              typed_config: packed(
                'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                {
                  stat_prefix: `${name}-${variant}`,
                  rds: { config_source: adsSource, route_config_name: routeName },
                  http_filters: [
                    {
                      name: 'router',
                      typed_config: packed('envoy.extensions.filters.http.router.v3.Router', {}),
                    },
                  ],
                },
              ),
            },
          ],
        },
      ],
    },
    refer('route', routeName === undefined ? [] : [routeName]),
  );
}

function route({ name, variant, references = [] }: Words): EncodedResource {
  const clusters = references.map((reference) => ({ name: reference, weight: { value: 1 } }));
  const [only] = references;
  return encodeResource(
    'route',
    name,
    {
      name,
      response_headers_to_add: [{ header: { key: 'x-variant', value: variant } }],
      virtual_hosts: [
        {
          name,
          domains: ['*'],
          routes: [
            only === undefined
              ? { match: { prefix: '/' }, direct_response: { status: 200 } }
              : { match: { prefix: '/' }, route: { weighted_clusters: { clusters } } },
          ],
        },
      ],
    },
    refer('cluster', references),
  );
}

function secret({ name, variant }: Words): EncodedResource {
  return encodeResource(
    'secret',
    name,
    { name, generic_secret: { secret: { inline_string: variant } } },
    [],
  );
}

function refer(type: ResourceType, names: readonly string[]) {
  return names.map((name) => ({ type, name }));
}

/** An Envoy of virtual node `name` of mesh `shop`. */
export function identityOf(nodeId: string): ProxyIdentity {
  return { nodeId, instance: nodeId, kind: 'envoy' };
}
