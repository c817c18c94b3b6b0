/**
 * Virtual services as the virtual hosts of a route configuration. A host without a matching route answers
 * 404, and so does one that stands for a service without a provider. No two hosts of one configuration
 * may share a domain (Envoy would refuse all of it): what a service that comes earlier has taken, a
 * later one does not get. The hosts of a service are encoded once for all configurations that they are in,
 * and a configuration is put together from their bytes.
 */

import { pairMemo } from '../base/memo.js';
import type { envoy_config_route_v3_VirtualHost as VirtualHost } from '../generated/envoy-types.js';
import type { MeshSettings } from '../mesh/model.js';
import { encodeMessage, joinFields } from './encode.js';
import { identityMemo } from './memo.js';
import { provenanceMetadata } from './metadata.js';
import {
  clusterNames,
  clusterReferences,
  type EncodedPart,
  encodedPart,
  joinPieces,
  listPieces,
  onePiece,
  resourceOfPieces,
} from './parts.js';
import { mapPatched, type PatchedList, wholeList } from './patched-list.js';
import type { ReachedService, ServicePort } from './reach.js';
import { envoyRoute, isUsedBy } from './routes.js';
import type { EncodedResource, ProxyIdentity } from './snapshot.js';

/** A service at one of its ports, and the host names by which callers mean it. */
export interface HostEntry {
  readonly reached: ReachedService;
  /** Undefined: the service has no provider. */
  readonly port?: ServicePort;
  readonly domains: readonly string[];
}

/** The virtual hosts of one service in bytes, as fields of a route configuration. */
export interface EncodedHosts extends EncodedPart {
  /** Names of the clusters that they lead to, sorted, each on a line. */
  readonly clusters: string;
}

/** Field numbers of `envoy.config.route.v3.RouteConfiguration`. */
const nameField = 1;
const virtualHostsField = 2;

type EntryList = PatchedList<readonly HostEntry[]>;

/**
 * The hosts of `entries`, which are listed by service; the names in entries of earlier services are not
 * given again, nor are those of `before`.
 */
export function encodeEntries(
  mesh: MeshSettings,
  entries: EntryList,
  proxyKind: ProxyIdentity['kind'],
  before: EntryList = noEntries,
): PatchedList<EncodedHosts> {
  const claims = claimsOf(domainsOf(before), domainsOf(entries));
  return encoders([mesh, claims], proxyKind, () =>
    mapPatched((list, place) => encodeService(mesh, list, claims[place] ?? [], proxyKind)),
  )(entries);
}

const noEntries: EntryList = wholeList([]);
const encoders = identityMemo<(entries: EntryList) => PatchedList<EncodedHosts>>();
const services = identityMemo<EncodedHosts>();

function encodeService(
  mesh: MeshSettings,
  entries: readonly HostEntry[],
  claims: Claims,
  proxyKind: ProxyIdentity['kind'],
): EncodedHosts {
  const hosts = entries.flatMap((entry, index): readonly HostEntry[] => {
    const domains = claims[index] ?? [];
    return domains.length === 0 ? [] : [{ ...entry, domains }];
  });
  const key = JSON.stringify([proxyKind, hosts.map(({ port, domains }) => [port?.port, domains])]);
  return services([mesh, ...entries.map(({ reached }) => reached)], key, () =>
    encodeHosts(hosts.map((host) => virtualHost(mesh, host, proxyKind))),
  );
}

export function encodeHosts(hosts: readonly VirtualHost[]): EncodedHosts {
  const bytes = joinFields(
    hosts.map((host) => [
      virtualHostsField,
      encodeMessage('envoy.config.route.v3.VirtualHost', host),
    ]),
  );
  return { ...encodedPart(bytes), clusters: clusterNames(hosts.flatMap(clustersOf)) };
}

/** The route configuration `name` with `hosts` and those of `others`. */
export function routeConfiguration(
  name: string,
  hosts: PatchedList<EncodedHosts>,
  others: readonly EncodedHosts[] = [],
): EncodedResource {
  return configurations([hosts, ...others], name, () => {
    const head = onePiece(encodedPart(joinFields([[nameField, name]])));
    const pieces = joinPieces([head, listPieces(hosts), ...others.map(onePiece)]);
    const clusters = [clustersIn(hosts), ...others.map((other) => other.clusters)];
    return resourceOfPieces('route', name, pieces, clusterReferences(clusters));
  });
}

const configurations = identityMemo<EncodedResource>();
const clustersIn = mapPatched(({ clusters }: EncodedHosts) => clusters);

// Domains

/** For each entry of a service the domains that are its own. */
type Claims = readonly (readonly string[])[];

/** By entry the domains that it asks for: a text, which is the same for the same ones. */
const domainsOf = mapPatched((entries: readonly HostEntry[]) =>
  JSON.stringify(entries.map(({ domains }) => domains)),
);

/** Who gets which domains. Case does not matter to Envoy. */
const claimsOf = pairMemo(
  (before: PatchedList<string>, domains: PatchedList<string>): readonly Claims[] => {
    const taken = new Set<string>();
    const claim = (text: string): Claims =>
      (JSON.parse(text) as Claims).map((asked) => claimDomains(asked, taken));
    for (const text of before.items) {
      claim(text);
    }
    return domains.items.map(claim);
  },
);

/** Those of `domains` that are free, which are then taken. Case does not matter to Envoy. */
function claimDomains(domains: readonly string[], taken: Set<string>): readonly string[] {
  return domains.filter((domain) => {
    const isFree = !taken.has(domain.toLowerCase());
    taken.add(domain.toLowerCase());
    return isFree;
  });
}

function virtualHost(
  mesh: MeshSettings,
  { reached, port, domains }: HostEntry,
  proxyKind: ProxyIdentity['kind'],
): VirtualHost {
  const { name } = reached.service;
  return {
    name: port === undefined ? name : `${name}:${port.port}`,
    domains,
    routes: (port?.routes ?? [])
      .filter(({ route }) => isUsedBy(proxyKind, route))
      .map((route) => envoyRoute(mesh.name, route, proxyKind)),
    metadata: provenanceMetadata({ mesh: mesh.name, kind: 'VirtualService', name }),
  };
}

/** Names of the clusters that the routes of `host` lead to. */
export function clustersOf(host: Pick<VirtualHost, 'routes'>): readonly string[] {
  return (host.routes ?? []).flatMap(({ route }) => {
    const weighted = route?.weighted_clusters?.clusters ?? [];
    const mirrors = route?.request_mirror_policies ?? [];
    const names = [
      route?.cluster,
      ...weighted.map(({ name }) => name),
      ...mirrors.map(({ cluster }) => cluster),
    ];
    return names.flatMap((name) => name ?? []);
  });
}
