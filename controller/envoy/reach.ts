/**
 * From a virtual node to what its backends reach: each virtual service, the ports at which callers find
 * it, the routes behind each port, and the nodes that any of those routes may choose, weight or none.
 * A service whose provider is a node is shown as one that has a single route to it, so that nothing
 * further down has two cases. What is reached is the same object for as long as what it was made from
 * is, whoever reaches it: the key by which everything further down is kept.
 */
import { present } from '../base/assert.js';
import { memo, pairMemo } from '../base/memo.js';
import type {
  Backend,
  ClientPolicy,
  Listener,
  Protocol,
  Route,
  VirtualNode,
  VirtualRouter,
  VirtualService,
  WeightedTarget,
} from '../mesh/model.js';
import { identityMemo } from './memo.js';
import type { MeshView } from './mesh-view.js';
import { type PatchedList, patchList, wholeList } from './patched-list.js';

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
}

/** What a node may call, in the order of its backends (sorted by service). */
export type Reach = PatchedList<ReachedService>;

/** Stands for "no client policy" among the objects of a memo. */
const noPolicy: ClientPolicy = {};

/** What `node`, which is one of `mesh`, may call. */
export function reachOf(mesh: MeshView, node: VirtualNode): Reach {
  return reaches([mesh, node.backends, node.backendDefaults ?? noPolicy], '', () =>
    findReach(mesh, node),
  );
}

const reaches = identityMemo<Reach>();

function findReach(mesh: MeshView, { name, backends, backendDefaults }: VirtualNode): Reach {
  const reach = (backend: Backend) =>
    reachOfService(mesh, backend.virtualService, backend.clientPolicy ?? backendDefaults);
  const { patched } = mesh;
  const before = patched?.base.find('VirtualNode', name);
  if (
    patched === undefined ||
    before?.backends !== backends ||
    before.backendDefaults !== backendDefaults
  ) {
    return sharedList(backends.map(reach));
  }
  const places = [...patched.services]
    .flatMap((service) => placesOf(backends).get(service) ?? [])
    .sort((left, right) => left - right);
  const replacements = places.map((place) => [place, reach(backends[place] as Backend)] as const);
  return sharedPatch(reachOf(patched.base, before), replacements);
}

const placesOf = memo(
  (backends: readonly Backend[]): ReadonlyMap<string, number> =>
    new Map(backends.map(({ virtualService }, place) => [virtualService, place])),
);

/** Most nodes call a handful of services; the path to a list of a thousand is longer than the list. */
const sharedItemsMax = 16;

const sharedLists = identityMemo<Reach>();

/** The same list for the same items, as far as that is worth while. */
function sharedList(items: readonly ReachedService[]): Reach {
  return items.length > sharedItemsMax
    ? wholeList(items)
    : sharedLists(items, '', () => wholeList(items));
}

function sharedPatch(
  base: Reach,
  replacements: readonly (readonly [number, ReachedService])[],
): Reach {
  if (base.items.length <= sharedItemsMax) {
    return sharedList(patchList(base, replacements).items);
  }
  return replacements.length > sharedItemsMax
    ? patchList(base, replacements)
    : sharedPatches(
        [base, ...replacements.map(([, item]) => item)],
        replacements.map(([place]) => place).join(' '),
        () => patchList(base, replacements),
      );
}

const sharedPatches = identityMemo<Reach>();

// Services

/** What callers of a service find there, whatever their client policy. */
type ProvidedService = Pick<ReachedService, 'service' | 'ports'>;

/** What a caller with `clientPolicy` finds at the virtual service `name` of `mesh`. */
export function reachOfService(
  mesh: MeshView,
  name: string,
  clientPolicy: ClientPolicy | undefined,
): ReachedService {
  return withPolicy(providedBy(mesh, name), clientPolicy ?? noPolicy);
}

const withPolicy = pairMemo(
  (provided: ProvidedService, clientPolicy: ClientPolicy): ReachedService =>
    clientPolicy === noPolicy ? provided : { ...provided, clientPolicy },
);

function providedBy(mesh: MeshView, name: string): ProvidedService {
  const { patched } = mesh;
  if (patched !== undefined && !patched.services.has(name)) {
    return providedBy(patched.base, name);
  }
  const known = servicesOf(mesh);
  const service = known.get(name) ?? provide(mesh, name);
  known.set(name, service);
  return service;
}

/** By name, what was looked up in a mesh. */
const servicesOf = memo((_mesh: MeshView) => new Map<string, ProvidedService>());

const provided = identityMemo<ProvidedService>();

function provide(mesh: MeshView, name: string): ProvidedService {
  const service = present(mesh.find('VirtualService', name), `virtual service ${name}`);
  const ports = portsOf(mesh, service);
  const routes = ports.flatMap((port) => port.routes);
  const nodes = routes.flatMap(({ targets }) => targets.map((target) => target.node));
  const madeFrom = new Set([service, providerOf(mesh, service) ?? service, ...nodes]);
  return provided([...madeFrom], '', () => ({ service, ports }));
}

function providerOf(
  mesh: MeshView,
  { provider }: VirtualService,
): VirtualNode | VirtualRouter | undefined {
  return provider?.kind === 'virtualNode'
    ? mesh.find('VirtualNode', provider.virtualNode)
    : mesh.find('VirtualRouter', provider?.virtualRouter ?? '');
}

function portsOf(mesh: MeshView, service: VirtualService): readonly ServicePort[] {
  switch (service.provider?.kind) {
    case undefined:
      return [];
    case 'virtualNode':
      return nodePorts(mesh, service, service.provider.virtualNode);
    case 'virtualRouter':
      return routerPorts(mesh, service.provider.virtualRouter);
  }
}

function routerPorts(mesh: MeshView, name: string): readonly ServicePort[] {
  const router = present(mesh.find('VirtualRouter', name), `virtual router ${name}`);
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
function nodePorts(mesh: MeshView, service: VirtualService, name: string): readonly ServicePort[] {
  const node = present(mesh.find('VirtualNode', name), `virtual node ${name}`);
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

function resolveTarget(mesh: MeshView, target: WeightedTarget): Target {
  const node = present(mesh.find('VirtualNode', target.virtualNode), target.virtualNode);
  const listener = node.listeners.find(({ port }) => port === target.port);
  const found = present(listener, `${node.name}'s listener ${target.port}`);
  return { node, listener: found, role: target.role };
}
