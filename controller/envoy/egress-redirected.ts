/**
 * Egress of a sidecar that gets every outbound connection by iptables, App Mesh's way: one listener whose
 * filter chains are told apart by the port that the application called. HTTP services of one port share
 * its routes. TCP services that must share a port are told apart by the name in the TLS client hello,
 * and a connection without one is closed rather than given to the wrong service.
 */
import { groupBy } from '../base/group-by.js';
import { canonicalJson } from '../base/hash.js';
import { memo } from '../base/memo.js';
import type {
  envoy_config_listener_v3_FilterChain as FilterChain,
  envoy_config_route_v3_VirtualHost as VirtualHost,
} from '../generated/envoy-types.js';
import type { MeshSettings, Protocol, VirtualNode } from '../mesh/model.js';
import { httpFilter, tcpFilter } from './connection.js';
import { type ReachedPort, tcpRouting } from './egress-tcp.js';
import { type ListenerParts, listenerParts, redirectedBinding } from './listener.js';
import { originalDestination, tlsInspector } from './listener-filters.js';
import { identityMemo } from './memo.js';
import { provenanceMetadata } from './metadata.js';
import { allowAllClusterName, amazonClusterName, routeName } from './names.js';
import { groupPatched, mapPatched, type PatchedList, wholeList } from './patched-list.js';
import type { Reach, ReachedService, ServicePort } from './reach.js';
import type { EncodedResource, ResourceReference } from './snapshot.js';
import { duration, wrapped } from './values.js';
import {
  type EncodedHosts,
  encodeEntries,
  encodeHosts,
  type HostEntry,
  routeConfiguration,
} from './virtual-hosts.js';

/** App Mesh's port for outbound connections. */
const redirectedPort = 15_001;
const httpsPort = 443;

/** The services at one port that the application may call. */
interface PortServices {
  readonly port: number;
  readonly http: readonly ReachedPort[];
  readonly tcp: readonly ReachedPort[];
}

/** What a listener does with connections to one port. */
interface ChainParts {
  readonly chain: FilterChain;
  readonly references: readonly ResourceReference[];
}

export function redirectedListener(
  mesh: MeshSettings,
  node: VirtualNode,
  reach: readonly ReachedService[],
): ListenerParts {
  const ports = servicesByPort(reach);
  const parts = ports.flatMap((services) => [
    ...httpChains(node, services),
    ...services.tcp.flatMap((service) => tcpChain(mesh, node, services, service)),
  ]);
  const inspected = ports.filter(needsServerName).map(({ port }) => port);
  const allowAll = mesh.egressFilter === 'ALLOW_ALL' ? allowAllClusterName(mesh.name) : undefined;
  return listenerParts({
    direction: 'egress',
    binding: redirectedBinding(mesh, redirectedPort),
    provenance: { mesh: mesh.name, kind: 'VirtualNode', name: node.name },
    content: {
      listener_filters: [
        originalDestination,
        tlsInspector([...new Set([...inspected, httpsPort])].sort((a, b) => a - b)),
      ],
      filter_chains: withDistinctMatches([
        ...parts.map(({ chain }) => chain),
        amazonChain(mesh, node),
        loopChain,
      ]),
      default_filter_chain:
        allowAll === undefined ? undefined : passThroughChain(node, 'egress_any', allowAll),
    },
    references: [
      ...parts.flatMap(({ references }) => references),
      ...passThroughNames(mesh).map((name) => ({ type: 'cluster' as const, name })),
    ],
  });
}

/** A route configuration for each port on which HTTP services are called. */
export function redirectedRoutes(mesh: MeshSettings, reach: Reach): readonly EncodedResource[] {
  const byPort = servicesByHttpPort(reach);
  const others = mesh.egressFilter === 'ALLOW_ALL' ? [passThroughHosts(mesh)] : [];
  // A service without a provider has no port: it answers 404 wherever its name is called.
  const unprovided = byPort.get(undefined) ?? noServices;
  return [...byPort.keys()]
    .filter((port) => port !== undefined)
    .sort((left, right) => left - right)
    .map((port) => {
      const called = byPort.get(port) ?? noServices;
      const { entriesOf, protocolsOf } = atPort(port);
      const [provided, rest] = [entriesOf(called), entriesOf(unprovided)];
      return routeConfiguration(
        httpRouteName(port, onlyProtocol(protocolsOf(called))),
        encodeEntries(mesh, provided, 'envoy'),
        [...encodeEntries(mesh, rest, 'envoy', provided).items, ...others],
      );
    });
}

const noServices: Reach = wholeList([]);

/** What is asked of services at one port. */
interface AtPort {
  readonly entriesOf: (reach: Reach) => PatchedList<readonly HostEntry[]>;
  readonly protocolsOf: (reach: Reach) => PatchedList<Protocol | undefined>;
}

const byPortNumber = identityMemo<AtPort>();

function atPort(port: number): AtPort {
  return byPortNumber([], String(port), () => ({
    entriesOf: mapPatched((reached) => hostEntries(reached, port)),
    protocolsOf: mapPatched((reached) => httpPort(reached, port)?.protocol),
  }));
}

/** By port the services that are called there by HTTP; those without a provider under undefined. */
const servicesByHttpPort = groupPatched(({ ports }: ReachedService) =>
  ports.length === 0
    ? [undefined]
    : ports.filter(({ protocol }) => protocol !== 'tcp').map(({ port }) => port),
);

function hostEntries(reached: ReachedService, at: number): readonly HostEntry[] {
  const { name } = reached.service;
  return [{ reached, port: httpPort(reached, at), domains: [name, `${name}:${at}`] }];
}

function httpPort({ ports }: ReachedService, at: number): ServicePort | undefined {
  return ports.find(({ port, protocol }) => port === at && protocol !== 'tcp');
}

/** Names of the clusters that let traffic through to where it was going. */
export function passThroughNames(mesh: MeshSettings): readonly string[] {
  const amazon = amazonClusterName(mesh.name);
  return mesh.egressFilter === 'ALLOW_ALL' ? [amazon, allowAllClusterName(mesh.name)] : [amazon];
}

/** In ascending order of the ports. */
function servicesByPort(reach: readonly ReachedService[]): readonly PortServices[] {
  const all = reach.flatMap((reached) =>
    reached.ports.map((port): ReachedPort => ({ reached, port })),
  );
  const byPort = groupBy(all, ({ port }) => [port.port]);
  return [...byPort]
    .sort(([left], [right]) => left - right)
    .map(([port, services]) => ({
      port,
      http: services.filter((service) => service.port.protocol !== 'tcp'),
      tcp: services.filter((service) => service.port.protocol === 'tcp'),
    }));
}

function needsServerName({ http, tcp }: PortServices): boolean {
  return tcp.length > 0 && http.length + tcp.length > 1;
}

/** Named by the protocol that all HTTP services of the port speak, or `http`. */
function httpRouteName(port: number, protocol: Protocol | undefined): string {
  return routeName('egress', protocol ?? 'http', port);
}

/** Undefined where there are several. */
const onlyProtocol = memo(({ items }: PatchedList<Protocol | undefined>) => {
  const [only, other] = new Set(items);
  return other === undefined ? only : undefined;
});

function httpChains(node: VirtualNode, services: PortServices): readonly ChainParts[] {
  if (services.http.length === 0) {
    return [];
  }
  const protocols = services.http.map(({ port }) => port.protocol);
  const name = httpRouteName(services.port, onlyProtocol(wholeList(protocols)));
  const { accessLog } = node;
  const chain: FilterChain = {
    name: `egress_http_${services.port}`,
    filter_chain_match: { destination_port: wrapped(services.port) },
    filters: [httpFilter({ statPrefix: 'egress', routeName: name, accessLog })],
  };
  return [{ chain, references: [{ type: 'route', name }] }];
}

/** Empty where no route takes traffic: connections are closed then. */
function tcpChain(
  mesh: MeshSettings,
  node: VirtualNode,
  services: PortServices,
  service: ReachedPort,
): readonly ChainParts[] {
  const routing = tcpRouting(mesh.name, service, node.accessLog);
  if (routing === undefined) {
    return [];
  }
  const { port } = services;
  const { name } = service.reached.service;
  const byServerName = needsServerName(services);
  const chain: FilterChain = {
    name: byServerName ? `egress_tcp_${port}_${name}` : `egress_tcp_${port}`,
    filter_chain_match: {
      destination_port: wrapped(port),
      server_names: byServerName ? [name.toLowerCase()] : undefined,
    },
    filters: [routing.filter],
  };
  return [{ chain, references: routing.references }];
}

const passThroughHosts = memo(
  (mesh: MeshSettings): EncodedHosts => encodeHosts([passThroughHost(mesh)]),
);

/** Hosts that are no service share a port with some that are: they go where they were going. */
function passThroughHost(mesh: MeshSettings): VirtualHost {
  const metadata = provenanceMetadata({ mesh: mesh.name, kind: 'Mesh', name: mesh.name });
  const route = {
    name: 'allow-all',
    match: { prefix: '/' },
    route: { cluster: allowAllClusterName(mesh.name), timeout: duration(0) },
    metadata,
  };
  return { name: 'allow-all', domains: ['*'], routes: [route], metadata };
}

/**
 * Whoever calls the listener itself, without being redirected, is cut off: let through to where it was
 * going, the connection would come back here for ever. A chain without filters closes.
 */
const loopChain: FilterChain = {
  name: 'egress_loop',
  filter_chain_match: { destination_port: wrapped(redirectedPort) },
};

/** Envoy refuses a listener two of whose chains match the same: the first has it. */
function withDistinctMatches(chains: readonly FilterChain[]): readonly FilterChain[] {
  const byMatch = new Map<string, FilterChain>();
  for (const chain of chains) {
    const match = canonicalJson(chain.filter_chain_match);
    byMatch.set(match, byMatch.get(match) ?? chain);
  }
  return [...byMatch.values()];
}

/** Calls of AWS's own APIs, which App Mesh never filters. */
function amazonChain(mesh: MeshSettings, node: VirtualNode): FilterChain {
  return {
    ...passThroughChain(node, 'egress_amazonaws', amazonClusterName(mesh.name)),
    filter_chain_match: {
      destination_port: wrapped(httpsPort),
      server_names: ['*.amazonaws.com'],
    },
  };
}

function passThroughChain(node: VirtualNode, name: string, cluster: string): FilterChain {
  const clusters = [{ name: cluster, weight: 1 }];
  return {
    name,
    filters: [tcpFilter({ statPrefix: 'egress', clusters, accessLog: node.accessLog })],
  };
}
