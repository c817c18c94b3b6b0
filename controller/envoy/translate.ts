/**
 * From a mesh and a proxy to the proxy's snapshot. Pure: the same mesh gives the same bytes on every
 * replica. Only what the virtual node's backends reach, or the
 * gateway's routes, is in it. Everything is memoised on the model
 * objects that it is made from, so that after a step of a rollout only what it touches is made anew.
 */
import type { Mesh, MeshSettings, VirtualNode } from '../mesh/model.js';
import { explicitListeners, explicitRoutes } from './egress-explicit.js';
import { passThroughNames, redirectedListener, redirectedRoutes } from './egress-redirected.js';
import { gatewaySnapshot } from './gateway.js';
import { apiListeners, apiRoutes } from './grpc-client.js';
import { ingressAddress, ingressListeners, ingressRoute } from './ingress.js';
import type { ListenerParts } from './listener.js';
import { identityMemo } from './memo.js';
import { findNode, type ReachedService, reachOf } from './reach.js';
import { encodeResource, resourceSet } from './resource.js';
import type { EncodedResource, ProxyIdentity, Snapshot } from './snapshot.js';
import { ownUpstreams, passThroughUpstream, reachedUpstreams } from './upstreams.js';

const reaches = identityMemo<readonly ReachedService[]>();
const snapshots = identityMemo<Snapshot>();
const listeners = identityMemo<readonly EncodedResource[]>();
const ownRoutes = identityMemo<readonly EncodedResource[]>();
const calledRoutes = identityMemo<readonly EncodedResource[]>();

/** What `proxy` is to be served; undefined where `mesh` has no such virtual node or gateway. */
export function snapshotFor(mesh: Mesh, proxy: ProxyIdentity): Snapshot | undefined {
  const { resource } = proxy;
  if (resource?.mesh !== mesh.name) {
    return undefined;
  }
  if (resource.kind === 'VirtualGateway') {
    const gateway = mesh.virtualGateways.find(({ name }) => name === resource.name);
    return gateway && gatewaySnapshot(mesh, gateway, proxy.ingress);
  }
  const node = findNode(mesh, resource.name);
  if (node === undefined) {
    return undefined;
  }
  const reach = reaches([mesh, node], '', () => reachOf(mesh, node));
  const madeFrom = [mesh.settings, node, ...reach.flatMap((reached) => reached.madeFrom)];
  const make = () => makeSnapshot(mesh.settings, node, reach, proxy);
  return snapshots(madeFrom, addressesOf(proxy), make);
}

function addressesOf({ kind, ingress, egress }: ProxyIdentity): string {
  return JSON.stringify([kind, ingress, egress]);
}

function makeSnapshot(
  mesh: MeshSettings,
  node: VirtualNode,
  reach: readonly ReachedService[],
  proxy: ProxyIdentity,
): Snapshot {
  const isEnvoy = proxy.kind === 'envoy';
  const isRedirected = isEnvoy && hasRedirectedEgress(proxy, reach);
  const upstreams = [
    ...(isEnvoy ? ownUpstreams(mesh, node) : []),
    ...reachedUpstreams(mesh, reach, proxy.kind),
    ...(isRedirected ? passThroughNames(mesh) : []).map((name) => passThroughUpstream(mesh, name)),
  ];
  return {
    cluster: resourceSet(upstreams.map(({ cluster }) => cluster)),
    endpoint: resourceSet(upstreams.flatMap(({ endpoint }) => endpoint ?? [])),
    listener: resourceSet(encodedListeners(mesh, node, reach, proxy)),
    route: resourceSet(encodedRoutes(mesh, node, reach, proxy)),
    secret: resourceSet([]),
  };
}

/** A proxy whose ingress is explicit and whose node calls nobody has no egress side. */
function hasRedirectedEgress(
  { ingress, egress }: ProxyIdentity,
  reach: readonly ReachedService[],
): boolean {
  return egress === undefined && (ingress === undefined || reach.length > 0);
}

/**
 * Listeners know HTTP services by port and protocol alone, so what else of those changes, as weights do,
 * leaves them as they are. TCP services have their routes in them.
 */
function encodedListeners(
  mesh: MeshSettings,
  node: VirtualNode,
  reach: readonly ReachedService[],
  proxy: ProxyIdentity,
): readonly EncodedResource[] {
  const withTcp = reach.filter(({ ports }) => ports.some(({ protocol }) => protocol === 'tcp'));
  const madeFrom = [mesh, node, ...withTcp.flatMap((reached) => reached.madeFrom)];
  const services = reach.map(({ service, ports }) => [
    service.name,
    ...ports.map(({ port, protocol }) => `${protocol} ${port}`),
  ]);
  return listeners(madeFrom, addressesOf(proxy) + JSON.stringify(services), () =>
    listenersOf(mesh, node, reach, proxy).map(({ name, message, references }) =>
      encodeResource('listener', name, message, references),
    ),
  );
}

function listenersOf(
  mesh: MeshSettings,
  node: VirtualNode,
  reach: readonly ReachedService[],
  proxy: ProxyIdentity,
): readonly ListenerParts[] {
  if (proxy.kind === 'grpc') {
    return apiListeners(mesh, reach);
  }
  const { ingress, egress: at } = proxy;
  const inbound = ingressListeners(mesh, node, ingress);
  if (at === undefined) {
    const isRedirected = hasRedirectedEgress(proxy, reach);
    return isRedirected ? [...inbound, redirectedListener(mesh, node, reach)] : inbound;
  }
  const taken =
    ingress?.address === at.address
      ? node.listeners.map((_, place) => ingressAddress(ingress, place).port)
      : [];
  return [...inbound, ...explicitListeners({ mesh, node, reach, at, taken })];
}

function encodedRoutes(
  mesh: MeshSettings,
  node: VirtualNode,
  reach: readonly ReachedService[],
  proxy: ProxyIdentity,
): readonly EncodedResource[] {
  const madeFrom = [mesh, ...reach.flatMap((reached) => reached.madeFrom)];
  if (proxy.kind === 'grpc') {
    return calledRoutes(madeFrom, 'grpc', () => apiRoutes(mesh, reach));
  }
  const own = ownRoutes([mesh, node], '', () =>
    node.listeners.flatMap((listener) => ingressRoute(mesh, node, listener) ?? []),
  );
  const { egress } = proxy;
  const called =
    egress === undefined
      ? calledRoutes(madeFrom, 'redirected', () => redirectedRoutes(mesh, reach))
      : calledRoutes(madeFrom, String(egress.port), () => [explicitRoutes(mesh, reach, egress)]);
  return [...own, ...called];
}
