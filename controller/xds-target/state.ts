/**
 * From the words of `POST /state` to the snapshot of a node: clusters with endpoints by EDS, empty
 * assignments, listeners with routes by RDS. What a resource is follows from its own label and from
 * nothing else in the state, so that a change of one is a change of one.
 */
import { hashShare } from '../base/hash.js';
import { compareText } from '../base/problem.js';
import { routerFilter } from '../envoy/connection.js';
import { packed } from '../envoy/encode.js';
import { encodeResource, resourceSet } from '../envoy/resource.js';
import type {
  EncodedResource,
  ProxyIdentity,
  ResourceSet,
  ResourceType,
  Snapshot,
  SocketAddress,
} from '../envoy/snapshot.js';
import { adsSource, duration, socketAddress, wrapped } from '../envoy/values.js';

/** Labels by type: `name`, or `name:variant` for other content under the same name. */
export interface NodeState {
  readonly cds: readonly string[];
  readonly eds: readonly string[];
  readonly lds: readonly string[];
  readonly rds: readonly string[];
}

const lists = ['cds', 'eds', 'lds', 'rds'] as const;

/**
 * The body of `POST /state`, a list that is left out being empty.
 * @throws Error that says what is wrong with it.
 */
export function parseState(body: unknown): { readonly node: string; readonly state: NodeState } {
  const { node, ...given } = (body ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof node !== 'string' || node === '') {
    throw new Error('node is to be the id of a node');
  }
  const unknown = Object.keys(given).filter((key) => !lists.some((list) => list === key));
  if (unknown.length > 0) {
    throw new Error(`${unknown.join(', ')}: there is only node and ${lists.join(', ')}`);
  }
  const labels = (list: (typeof lists)[number]) => parseLabels(list, given[list] ?? []);
  const state = { cds: labels('cds'), eds: labels('eds'), lds: labels('lds'), rds: labels('rds') };
  return { node, state };
}

function parseLabels(list: string, labels: unknown): readonly string[] {
  if (!Array.isArray(labels) || !labels.every((label) => typeof label === 'string')) {
    throw new Error(`${list} is to be a list of names`);
  }
  const names = labels.map((label) => nameOf(label));
  const twice = names.find((name, index) => name === '' || names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new Error(`${list}: ${twice === '' ? 'a name is empty' : `${twice} is there twice`}`);
  }
  return labels;
}

/** What comes before the last colon of `label`; all of it where there is none. */
function nameOf(label: string): string {
  return label.replace(/:[^:]*$/, '');
}

/** As in the product, gRPC clients get API listeners, and Envoys such as they open themselves. */
export function stateSnapshot(state: NodeState, kind: ProxyIdentity['kind']): Snapshot {
  return {
    cluster: resourceSet(state.cds.map(cluster)),
    endpoint: resourceSet(state.eds.map(endpoint)),
    listener: resourceSet(state.lds.map((label) => listener(label, kind))),
    route: routeSet(state),
    secret: resourceSet([]),
  };
}

function cluster(label: string): EncodedResource {
  const name = nameOf(label);
  const message = {
    name,
    alt_stat_name: label,
    type: 'EDS',
    connect_timeout: duration(1_000),
    eds_cluster_config: { eds_config: adsSource },
  } as const;
  return encodeResource('cluster', name, message, [{ type: 'endpoint', name }]);
}

/** Without endpoints; the variant is the zone in which there are none. */
function endpoint(label: string): EncodedResource {
  const name = nameOf(label);
  const endpoints = [{ locality: { zone: label } }];
  return encodeResource('endpoint', name, { cluster_name: name, endpoints }, []);
}

/** Its routes are those of its own name. It opens no port, so that any number of them can be served. */
function listener(label: string, kind: ProxyIdentity['kind']): EncodedResource {
  const name = nameOf(label);
  const connection = packed(
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    {
      stat_prefix: label,
      rds: { route_config_name: name, config_source: adsSource },
      http_filters: [routerFilter],
    },
  );
  const place =
    kind === 'grpc'
      ? { api_listener: { api_listener: connection } }
      : {
          address: socketAddress(addressOf(name)),
          bind_to_port: wrapped(false),
          filter_chains: [{ filters: [{ name: 'http', typed_config: connection }] }],
        };
  return encodeResource('listener', name, { name, ...place }, [{ type: 'route', name }]);
}

/** Envoy takes no two listeners of one address, though neither opens it. */
function addressOf(name: string): SocketAddress {
  const places = 2 ** 24;
  const place = Math.floor(hashShare(name) * places);
  const bytes = [place >> 16, (place >> 8) & 0xff, place & 0xff];
  return { address: `127.${bytes.join('.')}`, port: 80 };
}

/**
 * A request says in a header which cluster it goes to, so a route refers to every cluster that there is
 * beside it: what it refers to depends on the state, though its bytes do not. That is why these sets
 * are not shared between nodes by their content, as others are.
 */
function routeSet({ cds, rds }: NodeState): ResourceSet {
  const references = cds.map((label) => ({ type: 'cluster' as ResourceType, name: nameOf(label) }));
  const routes = rds.map((label) => ({ ...route(label), references }));
  const sorted = routes.sort((left, right) => compareText(left.name, right.name));
  const { version } = resourceSet(routes);
  return { version, byName: new Map(sorted.map((each) => [each.name, each])) };
}

/** gRPC clients pass over the route by header and take the other one, to the cluster of the same name. */
function route(label: string): EncodedResource {
  const name = nameOf(label);
  const header = 'x-cluster';
  const routes = [
    {
      match: { prefix: '/', headers: [{ name: header, present_match: true }] },
      route: { cluster_header: header },
    },
    { match: { prefix: '/' }, route: { cluster: name } },
  ];
  const virtual_hosts = [{ name: label, domains: ['*'], routes }];
  return encodeResource('route', name, { name, virtual_hosts }, []);
}
