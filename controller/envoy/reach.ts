/**
 * From a virtual node to what its backends reach: each virtual service, the ports at which callers find
 * it, the routes behind each port, and the nodes that any of those routes may choose, weight or none.
 * A service whose provider is a node is shown as one that has a single route to it, so that nothing
 * further down has two cases.
 */
import { present } from '../base/assert.js';
import type {
  Backend,
  ClientPolicy,
  Listener,
  Mesh,
  Protocol,
  Route,
  VirtualNode,
  VirtualRouter,
  VirtualService,
  WeightedTarget,
} from '../mesh/model.js';
import { identityMemo } from './memo.js';

/** A listener of a virtual node, as something to send requests to. */
export interface Target {
  readonly node: VirtualNode;
  readonly listener: Listener;
  readonly role?: WeightedTarget['role'];
}

export interface ServedRoute {
  /** The resource that the route is written in. */
  readonly owner: VirtualRouter | VirtualService;
  readonly route: Route;
  /** In the order of `route.targets`. */
  readonly targets: readonly Target[];
}

/** What callers find at one port of a virtual service. */
export interface ServicePort {
  readonly port: number;
  readonly protocol: Protocol;
  /** In the order in which they are tried; empty: every request is answered 404. */
  readonly routes: readonly ServedRoute[];
}

export interface ReachedService {
  readonly service: VirtualService;
  readonly clientPolicy?: ClientPolicy;
  /** In the provider's order; empty where the service has no provider. */
  readonly ports: readonly ServicePort[];
  /** Every model object that this was made from: a key for memos. */
  readonly madeFrom: readonly object[];
}

/** Names to resources. */
interface MeshIndex {
  readonly virtualNodes: ReadonlyMap<string, VirtualNode>;
  readonly virtualServices: ReadonlyMap<string, VirtualService>;
  readonly virtualRouters: ReadonlyMap<string, VirtualRouter>;
}

const indexes = identityMemo<MeshIndex>();

function indexMesh(mesh: Mesh): MeshIndex {
  return indexes([mesh], '', () => ({
    virtualNodes: byName(mesh.virtualNodes),
    virtualServices: byName(mesh.virtualServices),
    virtualRouters: byName(mesh.virtualRouters),
  }));
}

function byName<T extends { readonly name: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.name, item]));
}

/** The virtual node of `mesh` that is called `name`. */
export function findNode(mesh: Mesh, name: string): VirtualNode | undefined {
  return indexMesh(mesh).virtualNodes.get(name);
}

/** What `node` may call, in the order of its backends (sorted by service). */
export function reachOf(mesh: Mesh, node: VirtualNode): readonly ReachedService[] {
  const index = indexMesh(mesh);
  return node.backends.map((backend) => reachService(index, backend, node.backendDefaults));
}

/** What a caller with `clientPolicy` finds at the virtual service `name` of `mesh`. */
export function reachOfService(
  mesh: Mesh,
  name: string,
  clientPolicy: ClientPolicy | undefined,
): ReachedService {
  return reachService(indexMesh(mesh), { virtualService: name }, clientPolicy);
}

function reachService(
  mesh: MeshIndex,
  backend: Backend,
  defaults: ClientPolicy | undefined,
): ReachedService {
  const name = backend.virtualService;
  const service = present(mesh.virtualServices.get(name), `virtual service ${name}`);
  const ports = portsOf(mesh, service);
  const routes = ports.flatMap((port) => port.routes);
  const clientPolicy = backend.clientPolicy ?? defaults;
  const nodes = routes.flatMap(({ targets }) => targets.map((target) => target.node));
  const madeFrom = new Set([service, providerOf(mesh, service) ?? service, ...nodes]);
  return { service, clientPolicy, ports, madeFrom: [...madeFrom] };
}

function providerOf(
  mesh: MeshIndex,
  { provider }: VirtualService,
): VirtualNode | VirtualRouter | undefined {
  return provider?.kind === 'virtualNode'
    ? mesh.virtualNodes.get(provider.virtualNode)
    : mesh.virtualRouters.get(provider?.virtualRouter ?? '');
}

function portsOf(mesh: MeshIndex, service: VirtualService): readonly ServicePort[] {
  switch (service.provider?.kind) {
    case undefined:
      return [];
    case 'virtualNode':
      return nodePorts(mesh, service, service.provider.virtualNode);
    case 'virtualRouter':
      return routerPorts(mesh, service.provider.virtualRouter);
  }
}

function routerPorts(mesh: MeshIndex, name: string): readonly ServicePort[] {
  const router = present(mesh.virtualRouters.get(name), `virtual router ${name}`);
  return router.listeners.map(({ port, protocol }) => ({
    port,
    protocol,
    routes: router.routes
      .filter((route) => route.protocol === protocol && (route.match.port ?? port) === port)
      .map((route) => ({
        owner: router,
        route,
        targets: route.targets.map((target) => resolveTarget(mesh, target)),
      })),
  }));
}

/** The node's own timeout counts for its callers too: there is no other place to raise it in. */
function nodePorts(mesh: MeshIndex, service: VirtualService, name: string): readonly ServicePort[] {
  const node = present(mesh.virtualNodes.get(name), `virtual node ${name}`);
  return node.listeners.map((listener) => {
    const { port, protocol, timeout } = listener;
    const route: Route = {
      name: service.name,
      priority: 0,
      protocol,
      match: { headers: [], queryParameters: [] },
      targets: [{ virtualNode: name, port, weight: 1 }],
      timeout,
    };
    return { port, protocol, routes: [{ owner: service, route, targets: [{ node, listener }] }] };
  });
}

function resolveTarget(mesh: MeshIndex, target: WeightedTarget): Target {
  const node = present(mesh.virtualNodes.get(target.virtualNode), target.virtualNode);
  const listener = node.listeners.find(({ port }) => port === target.port);
  const found = present(listener, `${node.name}'s listener ${target.port}`);
  return { node, listener: found, role: target.role };
}
