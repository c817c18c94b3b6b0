/** The edges of a mesh's graph: calls to services, what provides them, and how routers divide requests. */
import type { VirtualRouter } from '../mesh/model.js';
import { normalizeWeights } from '../mesh/weights.js';
import { type MeshIndex, nodesOfRouter, type TrafficView, toHundredths } from './mesh-index.js';

export interface EdgeView {
  readonly from: string;
  readonly to: string;
  /** `route`: a router's split; `call`: a backend or a gateway route; `provider`: a service's own. */
  readonly kind: 'route' | 'call' | 'provider';
  /** Names of the routes or gateway routes behind it. */
  readonly routes: readonly string[];
  /** Percent, of a router with one route; null elsewhere. */
  readonly weight: { readonly served: number; readonly desired: number } | null;
  /** Percent of the router's requests that went this way; null where it cannot be told. */
  readonly actual: number | null;
  readonly traffic: TrafficView | null;
}

export function viewEdges(index: MeshIndex): readonly EdgeView[] {
  const { served } = index;
  return [
    ...served.virtualNodes.flatMap(({ name, backends }) => {
      const services = backends.map(({ virtualService }) => [virtualService, []] as const);
      return calls(index, index.keyOf('VirtualNode', name), new Map(services));
    }),
    ...gatewayCalls(index),
    ...provisions(index),
    ...served.virtualRouters.flatMap((router) => splits(index, router)),
  ];
}

function gatewayCalls(index: MeshIndex): readonly EdgeView[] {
  const { virtualGateways, gatewayRoutes } = index.served;
  const routesOf = new Map(virtualGateways.map(({ name }) => [name, new Map<string, string[]>()]));
  for (const { name, virtualGateway, target } of gatewayRoutes) {
    const services = routesOf.get(virtualGateway);
    services?.set(target.virtualService, [...(services.get(target.virtualService) ?? []), name]);
  }
  return [...routesOf].flatMap(([name, services]) =>
    calls(index, index.keyOf('VirtualGateway', name), services),
  );
}

/** From one caller to each of its services, with the names of the gateway routes that lead there. */
function calls(
  index: MeshIndex,
  from: string,
  routesByService: ReadonlyMap<string, readonly string[]>,
): readonly EdgeView[] {
  const instances = new Set(index.proxiesOf(from).map(({ identity }) => identity.instance));
  const includes = (instance: string) => instances.has(instance);
  const reached = [...routesByService.keys()].flatMap((service) => index.nodesBehind(service));
  const isShared = repeated(reached);
  return [...routesByService].map(([service, routes]) => {
    const nodes = index.nodesBehind(service);
    return {
      from,
      to: index.keyOf('VirtualService', service),
      kind: 'call',
      routes,
      weight: null,
      actual: null,
      traffic: nodes.some((node) => isShared.has(node)) ? null : index.traffic(nodes, { includes }),
    };
  });
}

/** Those that stand in `names` more than once. */
function repeated(names: readonly string[]): ReadonlySet<string> {
  const once = new Set<string>();
  const twice = new Set<string>();
  for (const name of names) {
    (once.has(name) ? twice : once).add(name);
  }
  return twice;
}

/** From each service to the router or node that provides it. */
function provisions(index: MeshIndex): readonly EdgeView[] {
  return index.served.virtualServices.flatMap(({ name, provider }): EdgeView[] => {
    if (provider === undefined) {
      return [];
    }
    const to =
      provider.kind === 'virtualRouter'
        ? index.keyOf('VirtualRouter', provider.virtualRouter)
        : index.keyOf('VirtualNode', provider.virtualNode);
    return [
      {
        from: index.keyOf('VirtualService', name),
        to,
        kind: 'provider',
        routes: [],
        weight: null,
        actual: null,
        traffic: index.traffic(index.nodesBehind(name)),
      },
    ];
  });
}

/** A router's edges, one for each node that any of its routes leads to. */
function splits(index: MeshIndex, router: VirtualRouter): readonly EdgeView[] {
  const from = index.keyOf('VirtualRouter', router.name);
  const nodes = nodesOfRouter(router);
  const isOnlyWay = nodes.every((node) => index.hasOneWay(node));
  const sinceMs = settledAtMs(index, from);
  const issued = nodes.map((node) => index.total([node], { sinceMs }).issued);
  const all = issued.reduce((sum, count) => sum + count, 0);
  const desired = index.desiredRouter(router.name);
  return nodes.map((node, position) => {
    const routes = router.routes.filter((route) =>
      route.targets.some((target) => target.virtualNode === node),
    );
    return {
      from,
      to: index.keyOf('VirtualNode', node),
      kind: 'route',
      routes: routes.map(({ name }) => name),
      weight:
        router.routes.length === 1
          ? { served: shareOf(router, node), desired: desired ? shareOf(desired, node) : 0 }
          : null,
      actual: isOnlyWay && all > 0 ? toHundredths(((issued[position] ?? 0) / all) * 100) : null,
      traffic: isOnlyWay ? index.trafficOf(node) : null,
    };
  });
}

/** When the present weights of a router had come to its callers: what was sent before went by others. */
function settledAtMs(index: MeshIndex, router: string): number {
  const times = index
    .rolloutsOf(router)
    .map((rollout) => rollout.ackedAtMs ?? rollout.stepEnteredAtMs);
  return Math.max(0, ...times);
}

/** Percent of the first route's requests that `node` is to get. */
function shareOf({ routes }: VirtualRouter, node: string): number {
  const targets = routes[0]?.targets ?? [];
  const shares = normalizeWeights(targets.map(({ weight }) => weight));
  const units = targets.reduce(
    (sum, target, index) => sum + (target.virtualNode === node ? (shares[index] ?? 0) : 0),
    0,
  );
  return units / 100;
}
