/**
 * From the words of `POST /state` to the snapshot of a node: clusters with endpoints by EDS, empty
 * assignments, listeners with routes by RDS. What a resource is follows from its own label and from
 * nothing else in the state, so that a change of one is a change of one: where a node's state comes again
 * with a few labels that differ, only those are made anew.
 */
import { hashShare } from '../base/hash.js';
import { memo, pairMemo } from '../base/memo.js';
import { PatchedMap } from '../base/patched-map.js';
import { routerFilter } from '../envoy/connection.js';
import { packed } from '../envoy/encode.js';
import { mapPatched, type PatchedList, patchList, wholeList } from '../envoy/patched-list.js';
import { encodeResource } from '../envoy/resource.js';
import { listedSet, resourceSet } from '../envoy/resource-set.js';
import type {
  EncodedResource,
  ProxyIdentity,
  ResourceReference,
  ResourceSet,
  Snapshot,
  SocketAddress,
} from '../envoy/snapshot.js';
import { adsSource, duration, socketAddress, wrapped } from '../envoy/values.js';

/** Labels by type: `name`, or `name:variant` for other content under the same name. */
export type NodeState = Readonly<Record<(typeof lists)[number], PatchedList<string>>>;

const lists = ['cds', 'eds', 'lds', 'rds'] as const;

const noLabels = wholeList<string>([]);

/**
 * The body of `POST /state`, a list that is left out being empty. `known` is what a node has had so far, which
 * its new lists are patches of where that is shorter.
 * @throws Error that says what is wrong with it.
 */
export function parseState(
  body: unknown,
  known: (node: string) => NodeState | undefined,
): { readonly node: string; readonly state: NodeState } {
  const { node, ...given } = (body ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof node !== 'string' || node === '') {
    throw new Error('node is to be the id of a node');
  }
  const unknown = Object.keys(given).filter((key) => !lists.some((list) => list === key));
  if (unknown.length > 0) {
    throw new Error(`${unknown.join(', ')}: there is only node and ${lists.join(', ')}`);
  }
  const before = known(node);
  const labels = (list: (typeof lists)[number]) =>
    patchOf(before?.[list] ?? noLabels, parseLabels(list, given[list] ?? []));
  const state = { cds: labels('cds'), eds: labels('eds'), lds: labels('lds'), rds: labels('rds') };
  return { node, state };
}

function parseLabels(list: string, labels: unknown): readonly string[] {
  if (!Array.isArray(labels) || !labels.every((label) => typeof label === 'string')) {
    throw new Error(`${list} is to be a list of names`);
  }
  const names = labels.map((label) => nameOf(label));
  const seen = new Set(['']);
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined) {
    throw new Error(`${list}: ${twice === '' ? 'a name is empty' : `${twice} is there twice`}`);
  }
  return labels;
}

/** Above this share of labels that differ, what follows from a list is made anew. */
const patchShareMax = 1 / 8;

/** `labels` as a patch of `before`, or of what that is a patch of. */
function patchOf(before: PatchedList<string>, labels: readonly string[]): PatchedList<string> {
  const base = before.patch?.base ?? before;
  const places = [...labels.keys()].filter((place) => base.items[place] !== labels[place]);
  const isPatch =
    base.items.length === labels.length && places.length <= labels.length * patchShareMax;
  return isPatch
    ? patchList(
        base,
        places.map((place) => [place, labels[place] ?? '']),
      )
    : wholeList(labels);
}

/** What comes before the last colon of `label`; all of it where there is none. */
function nameOf(label: string): string {
  return label.replace(/:[^:]*$/, '');
}

/** As in the product, gRPC clients get API listeners, and Envoys such as they open themselves. */
export function stateSnapshot(state: NodeState, kind: ProxyIdentity['kind']): Snapshot {
  return {
    cluster: listedSet([clusters(state.cds)]),
    endpoint: listedSet([endpoints(state.eds)]),
    listener: listedSet([listeners[kind](state.lds)]),
    route: routeSet(state.rds, referencesTo(clusterNames(state.cds))),
    secret: resourceSet([]),
  };
}

const clusters = mapPatched((label: string) => [cluster(label)]);
const endpoints = mapPatched((label: string) => [endpoint(label)]);
const listeners = {
  envoy: mapPatched((label: string) => [listener(label, 'envoy')]),
  grpc: mapPatched((label: string) => [listener(label, 'grpc')]),
};
const routes = mapPatched((label: string) => [route(label)]);
const clusterNames = mapPatched(nameOf);

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
const routeSet = pairMemo(
  (labels: PatchedList<string>, references: readonly ResourceReference[]): ResourceSet => {
    const { version, byName, patch } = listedSet([routes(labels)]);
    const referring = (names: Iterable<string>) =>
      new Map(
        [...names].flatMap((name) => {
          const plain = byName.get(name);
          return plain === undefined ? [] : [[name, { ...plain, references }]];
        }),
      );
    // What is the same for another node may be made from what that one had.
    const plainBase = labels.patch && listedSet([routes(labels.patch.base)]);
    if (patch === undefined || labels.patch === undefined || patch.base !== plainBase) {
      return { version, byName: referring(byName.keys()) };
    }
    const base = routeSet(labels.patch.base, references);
    const { names } = patch;
    const patched = new PatchedMap(base.byName, referring(names));
    return { version, byName: patched, patch: { base, names } };
  },
);

const referencesTo = memo(({ items }: PatchedList<string>): readonly ResourceReference[] =>
  items.map((name) => ({ type: 'cluster', name })),
);

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
