/**
 * From a mesh and a proxy to the proxy's snapshot. Pure: the same mesh gives the same bytes on every
 * replica. Only what the virtual node's backends reach, or the
 * gateway's routes, is in it. Everything is memoised on the model
 * objects that it is made from, so that after a step of a rollout only what it touches is made anew,
 * for those proxies that it concerns.
 */
import type { Mesh, MeshSettings, VirtualNode } from '../mesh/model.js';
import { type PatchedMesh, wholeMesh } from '../mesh/patched-mesh.js';
import { explicitListeners, explicitRoutes } from './egress-explicit.js';
import { passThroughNames, redirectedListener, redirectedRoutes } from './egress-redirected.js';
import { gatewaySnapshot } from './gateway.js';
import { apiListeners, apiRoutes } from './grpc-client.js';
import { ingressAddress, ingressListeners, ingressRoute } from './ingress.js';
import type { ListenerParts } from './listener.js';
import { identityMemo } from './memo.js';
import { type MeshView, viewOf } from './mesh-view.js';
import { mapPatched } from './patched-list.js';
import { type Reach, type ReachedService, reachOf } from './reach.js';
import { encodeResource } from './resource.js';
import { listedSet, resourceSet } from './resource-set.js';
import type { EncodedResource, ProxyIdentity, ResourceSet, Snapshot } from './snapshot.js';
import { ownUpstreams, passThroughUpstream, reachedUpstreams, upstreamSets } from './upstreams.js';

const snapshots = identityMemo<Snapshot>();
const listeners = identityMemo<readonly EncodedResource[]>();
const ownRoutes = identityMemo<readonly EncodedResource[]>();

/** What `proxy` is to be served; undefined where `mesh` has no such virtual node or gateway. */
export function snapshotFor(mesh: Mesh, proxy: ProxyIdentity): Snapshot | undefined {
  return snapshotIn(wholeMesh(mesh), proxy);
}

/** The same of a patched mesh: what the patch does not concern is what its base gives, and costs nothing. */
export function snapshotIn(mesh: PatchedMesh, proxy: ProxyIdentity): Snapshot | undefined {
  const { resource } = proxy;
  if (resource?.mesh !== mesh.base.name) {
    return undefined;
  }
  const view = viewOf(mesh);
  const { patched } = view;
  const isConcerned = patched === undefined || patched.concerns(resource);
  return translate(isConcerned ? view : patched.base, resource, proxy);
}

function translate(
  mesh: MeshView,
  { kind, name }: NonNullable<ProxyIdentity['resource']>,
  proxy: ProxyIdentity,
): Snapshot | undefined {
  if (kind === 'VirtualGateway') {
    const gateway = mesh.find('VirtualGateway', name);
    return gateway && gatewaySnapshot(mesh, gateway, proxy.ingress);
  }
  const node = mesh.find('VirtualNode', name);
  if (node === undefined) {
    return undefined;
  }
  const reach = reachOf(mesh, node);
  const { settings } = mesh;
  const make = () => makeSnapshot(settings, node, reach, proxy);
  return snapshots([settings, node, reach], addressesOf(proxy), make);
}

function addressesOf({ kind, ingress, egress }: ProxyIdentity): string {
  return JSON.stringify([kind, ingress, egress]);
}

function makeSnapshot(
  mesh: MeshSettings,
  node: VirtualNode,
  reach: Reach,
  proxy: ProxyIdentity,
): Snapshot {
  const isEnvoy = proxy.kind === 'envoy';
  const isRedirected = isEnvoy && hasRedirectedEgress(proxy, reach);
  const passThrough = isRedirected ? passThroughNames(mesh) : [];
  const others = [
    ...(isEnvoy ? ownUpstreams(mesh, node) : []),
    ...passThrough.map((name) => passThroughUpstream(mesh, name)),
  ];
  return {
    ...upstreamSets([reachedUpstreams(mesh, reach, proxy.kind)], others),
    listener: resourceSet(encodedListeners(mesh, node, reach, proxy)),
    route: routeSet(mesh, node, reach, proxy),
    secret: resourceSet([]),
  };
}

/** A proxy whose ingress is explicit and whose node calls nobody has no egress side. */
function hasRedirectedEgress({ ingress, egress }: ProxyIdentity, reach: Reach): boolean {
  return egress === undefined && (ingress === undefined || reach.items.length > 0);
}

/**
 * Listeners know HTTP services by port and protocol alone, so what else of those changes, as weights do,
 * leaves them as they are. TCP services have their routes in them.
 */
function encodedListeners(
  mesh: MeshSettings,
  node: VirtualNode,
  reach: Reach,
  proxy: ProxyIdentity,
): readonly EncodedResource[] {
  return listeners([mesh, node, portsOf(reach), tcpOf(reach)], addressesOf(proxy), () =>
    listenersOf(mesh, node, reach, proxy).map(({ name, message, references }) =>
      encodeResource('listener', name, message, references),
    ),
  );
}

const portsOf = mapPatched(({ service, ports }: ReachedService) =>
  JSON.stringify([service.name, ...ports.map(({ port, protocol }) => `${protocol} ${port}`)]),
);

const tcpOf = mapPatched((reached: ReachedService) =>
  reached.ports.some(({ protocol }) => protocol === 'tcp') ? reached : undefined,
);

function listenersOf(
  mesh: MeshSettings,
  node: VirtualNode,
  { items: reach }: Reach,
  proxy: ProxyIdentity,
): readonly ListenerParts[] {
  if (proxy.kind === 'grpc') {
    return apiListeners(mesh, reach);
  }
  const { ingress, egress: at } = proxy;
  const inbound = ingressListeners(mesh, node, ingress);
  if (at === undefined) {
    const isRedirected = reach.length > 0 || ingress === undefined;
    return isRedirected ? [...inbound, redirectedListener(mesh, node, reach)] : inbound;
  }
  const taken =
    ingress?.address === at.address
      ? node.listeners.map((_, place) => ingressAddress(ingress, place).port)
      : [];
  return [...inbound, ...explicitListeners({ mesh, node, reach, at, taken })];
}

function routeSet(
  mesh: MeshSettings,
  node: VirtualNode,
  reach: Reach,
  { kind, egress }: ProxyIdentity,
): ResourceSet {
  if (kind === 'grpc') {
    return listedSet([apiRoutes(mesh, reach)]);
  }
  const own = ownRoutes([mesh, node], '', () =>
    node.listeners.flatMap((listener) => ingressRoute(mesh, node, listener) ?? []),
  );
  const called =
    egress === undefined ? redirectedRoutes(mesh, reach) : [explicitRoutes(mesh, reach, egress)];
  return resourceSet([...own, ...called]);
}
