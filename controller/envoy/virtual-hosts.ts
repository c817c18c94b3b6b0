/**
 * Virtual services as the virtual hosts of a route configuration. A host without a matching route answers
 * 404, and so does one that stands for a service without a provider. No two hosts of one configuration
 * may share a domain (Envoy would refuse all of it): what a service that comes earlier has taken, a
 * later one does not get. Each host is encoded once for all configurations that it is in.
 */
import type { envoy_config_route_v3_VirtualHost as VirtualHost } from '../generated/envoy-types.js';
import type { MeshSettings } from '../mesh/model.js';
import { encodeMessage, joinFields } from './encode.js';
import { identityMemo } from './memo.js';
import { provenanceMetadata } from './metadata.js';
import type { ReachedService, ServicePort } from './reach.js';
import { resourceOf } from './resource.js';
import { envoyRoute, isUsedBy } from './routes.js';
import type { EncodedResource, ProxyIdentity, ResourceReference } from './snapshot.js';

/** A service at one of its ports, and the host names by which callers mean it. */
export interface HostEntry {
  readonly reached: ReachedService;
  /** Undefined: the service has no provider. */
  readonly port?: ServicePort;
  readonly domains: readonly string[];
}

/** A virtual host in bytes, and the clusters that it names. */
export interface EncodedHost {
  readonly bytes: Uint8Array;
  readonly references: readonly ResourceReference[];
}

const hosts = identityMemo<EncodedHost>();

/** Field numbers of `envoy.config.route.v3.RouteConfiguration`. */
const nameField = 1;
const virtualHostsField = 2;

/** The hosts of `entries`; the names in `taken` and those of earlier entries are not given again. */
export function encodeEntries(
  mesh: MeshSettings,
  entries: readonly HostEntry[],
  proxyKind: ProxyIdentity['kind'],
): readonly EncodedHost[] {
  const taken = new Set<string>();
  return entries.flatMap(({ reached, port, domains }) => {
    const free = claimDomains(domains, taken);
    if (free.length === 0) {
      return [];
    }
    const entry = { reached, port, domains: free };
    const key = [proxyKind, port?.port ?? 0, ...free].join(' ');
    const make = () => encodeHost(virtualHost(mesh, entry, proxyKind));
    return hosts([mesh, ...reached.madeFrom], key, make);
  });
}

export function encodeHost(host: VirtualHost): EncodedHost {
  return {
    bytes: encodeMessage('envoy.config.route.v3.VirtualHost', host),
    references: clustersOf(host),
  };
}

export function routeConfiguration(
  name: string,
  virtualHosts: readonly EncodedHost[],
): EncodedResource {
  const bytes = joinFields([
    [nameField, name],
    ...virtualHosts.map((host) => [virtualHostsField, host.bytes] as const),
  ]);
  return resourceOf(
    'route',
    name,
    bytes,
    virtualHosts.flatMap(({ references }) => references),
  );
}

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

/** The clusters that the routes of `host` name. */
export function clustersOf(host: VirtualHost): readonly ResourceReference[] {
  return (host.routes ?? []).flatMap(({ route }) => {
    const weighted = route?.weighted_clusters?.clusters ?? [];
    const mirrors = route?.request_mirror_policies ?? [];
    const names = [
      route?.cluster,
      ...weighted.map(({ name }) => name),
      ...mirrors.map(({ cluster }) => cluster),
    ];
    return names.flatMap((name) => (name === undefined ? [] : { type: 'cluster' as const, name }));
  });
}
