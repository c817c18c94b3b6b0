/**
 * The ingress side of a sidecar: from the network to the application beside it. Redirected, there is one
 * listener that tells the application's ports apart by the connection's original destination. Explicit,
 * each listener of the node has a port of its own: the first the given one, the next those after it.
 */
import type { envoy_config_listener_v3_FilterChain as FilterChain } from '../generated/envoy-types.js';
import type { Listener, MeshSettings, VirtualGateway, VirtualNode } from '../mesh/model.js';
import { httpFilter, tcpFilter } from './connection.js';
import {
  type Binding,
  type ListenerParts,
  listenerParts,
  portAbove,
  redirectedBinding,
} from './listener.js';
import { originalDestination, tlsInspector } from './listener-filters.js';
import { provenanceMetadata } from './metadata.js';
import { clusterName, routeName } from './names.js';
import { wholeList } from './patched-list.js';
import { requestTimeouts } from './routes.js';
import type { EncodedResource, ResourceReference, SocketAddress } from './snapshot.js';
import { downstreamTls } from './tls.js';
import { encodeHosts, routeConfiguration } from './virtual-hosts.js';

/** App Mesh's port for inbound connections. */
const redirectedPort = 15_000;

/** Where the node's listener `place` (from 0) is served in explicit mode. */
export function ingressAddress(first: SocketAddress, place: number): SocketAddress {
  return { address: first.address, port: portAbove(first.port, place) };
}

/** Empty where the node has no listener. `at` undefined: redirected. */
export function ingressListeners(
  mesh: MeshSettings,
  node: VirtualNode,
  at: SocketAddress | undefined,
): readonly ListenerParts[] {
  if (node.listeners.length === 0) {
    return [];
  }
  if (at === undefined) {
    const binding = redirectedBinding(mesh, redirectedPort);
    return [ingressListener(mesh, node, node.listeners, binding, true)];
  }
  return node.listeners.map((listener, place) =>
    ingressListener(mesh, node, [listener], ingressAddress(at, place), false),
  );
}

/** The one route of an HTTP listener, to the application; undefined for TCP. */
export function ingressRoute(
  mesh: MeshSettings,
  node: VirtualNode,
  listener: Listener,
): EncodedResource | undefined {
  if (listener.protocol === 'tcp') {
    return undefined;
  }
  const cluster = clusterName('ingress', mesh.name, node, listener);
  const metadata = provenanceMetadata({ mesh: mesh.name, kind: 'VirtualNode', name: node.name });
  const route = {
    name: node.name,
    match: { prefix: '/' },
    route: { cluster, ...requestTimeouts(listener.timeout) },
    metadata,
  };
  const host = { name: node.name, domains: ['*'], routes: [route], metadata };
  const name = routeName('ingress', listener.protocol, listener.port);
  return routeConfiguration(name, wholeList([encodeHosts([host])]));
}

/** What has listeners. A gateway's speak HTTP, and are never redirected to. */
type Listening = VirtualNode | VirtualGateway;

/** One Envoy listener at `binding` that serves `listeners`, which are all or some of the owner's. */
export function ingressListener(
  mesh: MeshSettings,
  owner: Listening,
  listeners: readonly Listener[],
  binding: Binding,
  isRedirected: boolean,
): ListenerParts {
  const inspects = listeners.some(({ tls }) => tls?.mode === 'PERMISSIVE');
  const filters = [
    ...(isRedirected ? [originalDestination] : []),
    ...(inspects ? [tlsInspector()] : []),
  ];
  return listenerParts({
    direction: 'ingress',
    binding,
    provenance: { mesh: mesh.name, kind: owner.kind, name: owner.name },
    content: {
      listener_filters: filters.length > 0 ? filters : undefined,
      // Else a server that speaks first loses its plain-text callers, who wait for it to begin.
      continue_on_listener_filters_timeout: inspects ? true : undefined,
      filter_chains: listeners.flatMap((listener) => chainsOf(mesh, owner, listener, isRedirected)),
    },
    references: listeners.flatMap((listener) => referencesOf(mesh, owner, listener)),
  });
}

/** One chain, or in mode PERMISSIVE one for TLS and one for plain text. */
function chainsOf(
  mesh: MeshSettings,
  owner: Listening,
  listener: Listener,
  isRedirected: boolean,
): readonly FilterChain[] {
  const filters = [applicationFilter(mesh, owner, listener)];
  const name = `ingress_${listener.protocol}_${listener.port}`;
  const byPort = isRedirected ? { destination_port: { value: listener.port } } : undefined;
  const transport_socket = downstreamTls(listener)?.socket;
  if (listener.tls?.mode !== 'PERMISSIVE') {
    return [{ name, filter_chain_match: byPort, filters, transport_socket }];
  }
  const tls = { ...byPort, transport_protocol: 'tls' };
  const plain = { ...byPort, transport_protocol: 'raw_buffer' };
  return [
    { name: `${name}_tls`, filter_chain_match: tls, filters, transport_socket },
    { name: `${name}_plain`, filter_chain_match: plain, filters },
  ];
}

function applicationFilter(mesh: MeshSettings, owner: Listening, listener: Listener) {
  const { protocol, port, timeout } = listener;
  const { accessLog } = owner;
  const statPrefix = owner.listeners.length > 1 ? `ingress.${protocol}.${port}` : 'ingress';
  if (protocol !== 'tcp') {
    return httpFilter({ statPrefix, routeName: routeName('ingress', protocol, port), accessLog });
  }
  const clusters = [{ name: clusterName('ingress', mesh.name, owner, listener), weight: 1 }];
  return tcpFilter({ statPrefix, clusters, idleMs: timeout?.idleMs, accessLog });
}

function referencesOf(
  mesh: MeshSettings,
  owner: Listening,
  listener: Listener,
): readonly ResourceReference[] {
  const { protocol, port } = listener;
  const target: ResourceReference =
    protocol === 'tcp'
      ? { type: 'cluster', name: clusterName('ingress', mesh.name, owner, listener) }
      : { type: 'route', name: routeName('ingress', protocol, port) };
  return [target, ...(downstreamTls(listener)?.secrets ?? [])];
}
