/**
 * What the proxy of a virtual gateway is served: its listeners, each on its own port, and routes that lead
 * straight to the clusters of the nodes. App Mesh sent each request through a second listener of the same
 * proxy, with logs and timeouts of its own, and told that which service was meant by a header that
 * callers could forge: neither is here. Envoy's own headers for timeouts and retries it drops itself, as
 * long as no address is declared internal (from 1.33 on none is).
 */
import type { ConnectionPool, MeshSettings, VirtualGateway } from '../mesh/model.js';
import { type GatewayPort, type ReachedGatewayRoute, reachOfGateway } from './gateway-reach.js';
import { gatewayRouteConfiguration } from './gateway-routes.js';
import { ingressAddress, ingressListener } from './ingress.js';
import { type ListenerParts, redirectedBinding } from './listener.js';
import { identityMemo } from './memo.js';
import type { MeshView } from './mesh-view.js';
import { targetClusterName } from './names.js';
import { mapPatched, type PatchedList, wholeList } from './patched-list.js';
import { encodeResource } from './resource.js';
import { resourceSet } from './resource-set.js';
import type { EncodedResource, Snapshot, SocketAddress } from './snapshot.js';
import { reachedUpstreams, serviceUpstreams, type Upstream, upstreamSets } from './upstreams.js';

const snapshots = identityMemo<Snapshot>();
const listeners = identityMemo<readonly EncodedResource[]>();

/** `at` is where the proxy serves the first listener; undefined: each on its port, at every address. */
export function gatewaySnapshot(
  mesh: MeshView,
  gateway: VirtualGateway,
  at: SocketAddress | undefined,
): Snapshot {
  const { settings } = mesh;
  const ports = reachOfGateway(mesh, gateway);
  const madeFrom = [settings, gateway, ...ports.map(({ routes }) => routes)];
  return snapshots(madeFrom, JSON.stringify(at), () => ({
    ...upstreamSets(upstreamsOf(settings, ports), []),
    listener: resourceSet(encodedListeners(settings, gateway, at)),
    route: resourceSet(ports.map((port) => gatewayRouteConfiguration(settings, gateway, port))),
    secret: resourceSet([]),
  }));
}

function upstreamsOf(
  mesh: MeshSettings,
  ports: readonly GatewayPort[],
): readonly PatchedList<readonly Upstream[]>[] {
  if (ports.every(({ listener }) => listener.connectionPool === undefined)) {
    return ports.map(({ routes }) => reachedUpstreams(mesh, servicesOf(routes), 'envoy'));
  }
  const pools = poolsOf(mesh, ports);
  return ports.map(({ routes }) =>
    wholeList(routes.items.map(({ reached }) => serviceUpstreams(mesh, reached, 'envoy', pools))),
  );
}

const servicesOf = mapPatched(({ reached }: ReachedGatewayRoute) => reached);

function encodedListeners(
  mesh: MeshSettings,
  gateway: VirtualGateway,
  at: SocketAddress | undefined,
): readonly EncodedResource[] {
  return listeners([mesh, gateway], JSON.stringify(at), () =>
    gatewayListeners(mesh, gateway, at).map(({ name, message, references }) =>
      encodeResource('listener', name, message, references),
    ),
  );
}

function gatewayListeners(
  mesh: MeshSettings,
  gateway: VirtualGateway,
  at: SocketAddress | undefined,
): readonly ListenerParts[] {
  return gateway.listeners.map((listener, place) => {
    const binding =
      at === undefined ? redirectedBinding(mesh, listener.port) : ingressAddress(at, place);
    return ingressListener(mesh, gateway, [listener], binding, false);
  });
}

/** By cluster, the pool of the listener that leads to it; of several, the lowest of each number. */
function poolsOf(
  mesh: MeshSettings,
  ports: readonly GatewayPort[],
): ReadonlyMap<string, ConnectionPool> {
  const pools = new Map<string, ConnectionPool>();
  for (const { listener, routes } of ports) {
    const targets = routes.items.flatMap(
      ({ port }) => port?.routes.flatMap((one) => one.targets) ?? [],
    );
    for (const target of targets) {
      const name = targetClusterName(mesh.name, target);
      pools.set(name, lowest(pools.get(name) ?? {}, listener.connectionPool ?? {}));
    }
  }
  return pools;
}

/** JSON leaves undefined members out, so equal pools are equal texts. */
function lowest(left: ConnectionPool, right: ConnectionPool): ConnectionPool {
  return {
    maxConnections: lower(left.maxConnections, right.maxConnections),
    maxPendingRequests: lower(left.maxPendingRequests, right.maxPendingRequests),
    maxRequests: lower(left.maxRequests, right.maxRequests),
  };
}

function lower(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || right === undefined ? (left ?? right) : Math.min(left, right);
}
