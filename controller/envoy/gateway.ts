/**
 * What the proxy of a virtual gateway is served: its listeners, each on its own port, and routes that lead
 * straight to the clusters of the nodes. App Mesh sent each request through a second listener of the same
 * proxy, with logs and timeouts of its own, and told that which service was meant by a header that
 * callers could forge: neither is here. Envoy's own headers for timeouts and retries it drops itself, as
 * long as no address is declared internal (from 1.33 on none is).
 */
import type { ConnectionPool, Mesh, MeshSettings, VirtualGateway } from '../mesh/model.js';
import { type GatewayPort, reachOfGateway } from './gateway-reach.js';
import { gatewayRouteConfiguration } from './gateway-routes.js';
import { ingressAddress, ingressListener } from './ingress.js';
import { type ListenerParts, redirectedBinding } from './listener.js';
import { identityMemo } from './memo.js';
import { targetClusterName } from './names.js';
import { encodeResource, resourceSet } from './resource.js';
import type { EncodedResource, Snapshot, SocketAddress } from './snapshot.js';
import { reachedUpstreams } from './upstreams.js';

const reaches = identityMemo<readonly GatewayPort[]>();
const snapshots = identityMemo<Snapshot>();
const listeners = identityMemo<readonly EncodedResource[]>();

/** `at` is where the proxy serves the first listener; undefined: each on its port, at every address. */
export function gatewaySnapshot(
  mesh: Mesh,
  gateway: VirtualGateway,
  at: SocketAddress | undefined,
): Snapshot {
  const { settings } = mesh;
  const ports = reaches([mesh, gateway], '', () => reachOfGateway(mesh, gateway));
  const routes = ports.flatMap((port) => port.routes);
  const reached = routes.flatMap((route) => [route.gatewayRoute, ...route.reached.madeFrom]);
  return snapshots([settings, gateway, ...reached], JSON.stringify(at), () => {
    const services = routes.map((route) => route.reached);
    const upstreams = reachedUpstreams(settings, services, 'envoy', poolsOf(settings, ports));
    return {
      cluster: resourceSet(upstreams.map(({ cluster }) => cluster)),
      endpoint: resourceSet(upstreams.flatMap(({ endpoint }) => endpoint ?? [])),
      listener: resourceSet(encodedListeners(settings, gateway, at)),
      route: resourceSet(ports.map((port) => gatewayRouteConfiguration(settings, gateway, port))),
      secret: resourceSet([]),
    };
  });
}

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
    const targets = routes.flatMap(({ port }) => port?.routes.flatMap((one) => one.targets) ?? []);
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
