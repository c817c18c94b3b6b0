/**
 * The one order of everything in a mesh, so that the same meaning is the same bytes however the
 * files are cut and sorted; and the order of routes, which is part of the meaning.
 */
import { canonicalJson } from '../base/hash.js';
import { compareText } from '../base/problem.js';
import type {
  GatewayRoute,
  PathMatch,
  RolloutPolicy,
  Route,
  RouteMatch,
  ServiceDiscovery,
  VirtualGateway,
  VirtualNode,
  VirtualRouter,
} from './model.js';

type Compare<Value> = (left: Value, right: Value) => number;

const byName: Compare<{ readonly name: string }> = (left, right) =>
  compareText(left.name, right.name);

/** `resources` by name. */
export function orderByName<Value extends { readonly name: string }>(
  resources: readonly Value[],
): readonly Value[] {
  return resources.toSorted(byName);
}

export function orderNode(node: VirtualNode): VirtualNode {
  return {
    ...node,
    listeners: node.listeners.toSorted((left, right) => left.port - right.port),
    serviceDiscovery: node.serviceDiscovery && orderEndpoints(node.serviceDiscovery),
    backends: node.backends.toSorted((left, right) =>
      compareText(left.virtualService, right.virtualService),
    ),
  };
}

function orderEndpoints(discovery: ServiceDiscovery): ServiceDiscovery {
  if (discovery.kind !== 'static') {
    return discovery;
  }
  const endpoints = discovery.endpoints.toSorted(
    (left, right) => compareText(left.address, right.address) || left.port - right.port,
  );
  return { kind: 'static', endpoints };
}

export function orderRouter(router: VirtualRouter): VirtualRouter {
  return {
    ...router,
    listeners: router.listeners.toSorted((left, right) => left.port - right.port),
    routes: router.routes.map(orderRoute).sort(compareRoutes),
  };
}

export function orderGateway(gateway: VirtualGateway): VirtualGateway {
  const listeners = gateway.listeners.toSorted((left, right) => left.port - right.port);
  return { ...gateway, listeners };
}

export function orderGatewayRoute(route: GatewayRoute): GatewayRoute {
  return { ...route, match: orderMatch(route.match) };
}

function orderRoute(route: Route): Route {
  const targets = route.targets.toSorted(
    (left, right) => compareText(left.virtualNode, right.virtualNode) || left.port - right.port,
  );
  return { ...route, targets, match: orderMatch(route.match) };
}

/** `match` with its conditions, which all hold at once, in one order. */
export function orderMatch<Match extends RouteMatch>(match: Match): Match {
  const byNameThenRest: Compare<{ readonly name: string }> = (left, right) =>
    byName(left, right) || compareText(canonicalJson(left), canonicalJson(right));
  return {
    ...match,
    headers: match.headers.toSorted(byNameThenRest),
    queryParameters: match.queryParameters.toSorted(byNameThenRest),
  };
}

export function orderPolicy(policy: RolloutPolicy): RolloutPolicy {
  const { selector } = policy;
  return {
    ...policy,
    selector: {
      ...selector,
      virtualRouters: selector.virtualRouters.toSorted(),
      virtualNodes: selector.virtualNodes.toSorted(),
      virtualGateways: selector.virtualGateways.toSorted(),
    },
  };
}

/**
 * The order in which routes are tried: by priority; among equals the match that fewer requests meet
 * first (App Mesh: longest prefix); then by name, so that the order never depends on the file's.
 */
export const compareRoutes: Compare<Pick<Route | GatewayRoute, 'priority' | 'match' | 'name'>> = (
  left,
  right,
) =>
  left.priority - right.priority ||
  compareSpecificity(left.match, right.match) ||
  byName(left, right);

/** As `compareRoutes`; of a gateway's routes only those of one port meet, so the port says nothing. */
export const compareGatewayRoutes: Compare<GatewayRoute> = (left, right) =>
  compareRoutes(withoutPort(left), withoutPort(right));

function withoutPort(route: GatewayRoute): GatewayRoute {
  return { ...route, match: { ...route.match, port: undefined } };
}

/** A router's routes know no host name: the service's is all that reaches them. */
type AnyMatch = RouteMatch & Partial<Pick<GatewayRoute['match'], 'hostname'>>;

function compareSpecificity(left: AnyMatch, right: AnyMatch): number {
  const leftRanks = specificity(left);
  const rightRanks = specificity(right);
  for (const [index, rank] of leftRanks.entries()) {
    const difference = (rightRanks[index] ?? 0) - rank;
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}

/** Higher is more specific; the first difference decides. */
function specificity(match: AnyMatch): readonly number[] {
  const others = [match.method, match.scheme, match.port].filter((other) => other !== undefined);
  return [
    ...pathSpecificity(match.path),
    ...hostnameSpecificity(match.hostname),
    (match.grpcService === undefined ? 0 : 1) + (match.grpcMethod === undefined ? 0 : 1),
    match.headers.length + match.queryParameters.length + others.length,
  ];
}

function pathSpecificity(path: PathMatch | undefined): readonly [number, number] {
  switch (path?.kind) {
    case 'exact':
      return [3, path.exact.length];
    case 'regex':
      return [2, path.regex.length];
    case 'prefix':
      return [1, path.prefix.length];
    case undefined:
      return [0, 0];
  }
}

function hostnameSpecificity(hostname: AnyMatch['hostname']): readonly [number, number] {
  switch (hostname?.kind) {
    case 'exact':
      return [2, hostname.exact.length];
    case 'suffix':
      return [1, hostname.suffix.length];
    case undefined:
      return [0, 0];
  }
}
