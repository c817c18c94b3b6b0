/**
 * The routes of a gateway's listener as Envoy's, straight to the nodes' clusters: each gateway route is
 * joined with each route behind it (`mesh/combine-routes.ts`), and ends with a 404 for what it takes and
 * nothing behind it does, so that no later gateway route gets it. A host name is a virtual host, which
 * holds every route that may take its requests: the order of routes is the same in all of them. Each
 * route is encoded once, however many hosts it is in.
 */
import type {
  envoy_config_route_v3_Route as EnvoyRoute,
  envoy_config_route_v3_RouteAction as RouteAction,
} from '../generated/envoy-types.js';
import {
  type CombinedRoute,
  combineRoutes,
  everyRequest,
  isEveryRequest,
} from '../mesh/combine-routes.js';
import type { GatewayRoute, MeshSettings, RouteMatch, VirtualGateway } from '../mesh/model.js';
import { encodeMessage, joinFields } from './encode.js';
import type { GatewayPort, ReachedGatewayRoute } from './gateway-reach.js';
import { identityMemo } from './memo.js';
import { provenanceMetadata } from './metadata.js';
import { routeName } from './names.js';
import type { ServedRoute } from './reach.js';
import { resourceOf } from './resource.js';
import { envoyMatch } from './route-match.js';
import { envoyRoute, partName } from './routes.js';
import type { EncodedResource, ResourceReference } from './snapshot.js';
import { clustersOf } from './virtual-hosts.js';

/** Envoy's routes for one gateway route, in bytes, and the clusters that they name. */
interface EncodedRoutes {
  readonly bytes: readonly Uint8Array[];
  readonly references: readonly ResourceReference[];
}

const encoded = identityMemo<EncodedRoutes>();

/** Field numbers of `envoy.config.route.v3.VirtualHost` and `RouteConfiguration`. */
const routesField = 3;
const virtualHostsField = 2;

export function gatewayRouteConfiguration(
  mesh: MeshSettings,
  gateway: VirtualGateway,
  { listener, routes }: GatewayPort,
): EncodedResource {
  const name = routeName('ingress', listener.protocol, listener.port);
  const metadata = provenanceMetadata({ mesh: mesh.name, kind: gateway.kind, name: gateway.name });
  const hosts = hostsOf(routes).map((host) => {
    const message = { name: host.domains[0], domains: host.domains, metadata };
    const parts = host.routes.flatMap((route) => encodedRoutes(mesh, route).bytes);
    return Buffer.concat([
      encodeMessage('envoy.config.route.v3.VirtualHost', message),
      joinFields(parts.map((bytes) => [routesField, bytes])),
    ]);
  });
  // Callers write the port that they called, which may be a load balancer's.
  const message = { name, ignore_port_in_host_matching: true };
  const bytes = Buffer.concat([
    encodeMessage('envoy.config.route.v3.RouteConfiguration', message),
    joinFields(hosts.map((host) => [virtualHostsField, host])),
  ]);
  const references = routes.flatMap((route) => encodedRoutes(mesh, route).references);
  return resourceOf('route', name, bytes, references);
}

// Hosts

interface GatewayHost {
  /** The first is its name. Envoy takes the host with the longest domain that fits. */
  readonly domains: readonly string[];
  readonly routes: readonly ReachedGatewayRoute[];
}

/** A host for each host name that a route asks for, and one for all others. */
function hostsOf(routes: readonly ReachedGatewayRoute[]): readonly GatewayHost[] {
  const names = routes.flatMap(({ gatewayRoute: { match } }) => match.hostname ?? []);
  const exact = new Set(names.flatMap((name) => (name.kind === 'exact' ? name.exact : [])));
  const suffixes = new Set(names.flatMap((name) => (name.kind === 'suffix' ? name.suffix : [])));
  const routesFor = (name: string) =>
    routes.filter(({ gatewayRoute }) => takesHost(gatewayRoute, name));
  return [
    ...[...exact].sort().map((name) => ({ domains: [name], routes: routesFor(name) })),
    ...[...suffixes].sort().map((suffix) => ({
      // Envoy's star stands for one letter at least, and a name ends with itself, too.
      domains: [`*${suffix}`, ...(exact.has(suffix) ? [] : [suffix])],
      routes: routesFor(suffix),
    })),
    { domains: ['*'], routes: routes.filter(({ gatewayRoute: { match } }) => !match.hostname) },
  ];
}

/** True where `route` takes the requests for `name`, or for every name that ends with it. */
function takesHost({ match: { hostname } }: GatewayRoute, name: string): boolean {
  switch (hostname?.kind) {
    case undefined:
      return true;
    case 'exact':
      return hostname.exact === name;
    case 'suffix':
      return name.endsWith(hostname.suffix);
  }
}

// Routes

function encodedRoutes(mesh: MeshSettings, route: ReachedGatewayRoute): EncodedRoutes {
  const { gatewayRoute, reached, port } = route;
  return encoded([mesh, gatewayRoute, ...reached.madeFrom], String(port?.port), () => {
    const routes = envoyRoutes(mesh, route);
    return {
      bytes: routes.map((each) => encodeMessage('envoy.config.route.v3.Route', each)),
      references: clustersOf({ routes }),
    };
  });
}

function envoyRoutes(
  mesh: MeshSettings,
  { gatewayRoute, port }: ReachedGatewayRoute,
): readonly EnvoyRoute[] {
  const behind = port?.routes ?? [];
  const joined = behind.flatMap((served) => joinedRoutes(mesh, gatewayRoute, served));
  const takesAll = behind.some(({ route }) => isEveryRequest(route.match));
  return takesAll ? joined : [...joined, ...notFound(mesh, gatewayRoute)];
}

function joinedRoutes(
  mesh: MeshSettings,
  gatewayRoute: GatewayRoute,
  served: ServedRoute,
): readonly EnvoyRoute[] {
  const { route } = served;
  return combined(gatewayRoute, route.match).map(({ match, rewrite }) => {
    const made = envoyRoute(mesh.name, { ...served, route: { ...route, match } }, 'envoy');
    const action = made.route && {
      ...made.route,
      host_rewrite_literal: gatewayRoute.rewrite.hostnameToTarget
        ? gatewayRoute.target.virtualService
        : undefined,
      ...pathRewrite({ match, rewrite }),
    };
    return { ...made, ...named(mesh, gatewayRoute, partName(route)), route: action };
  });
}

function notFound(mesh: MeshSettings, gatewayRoute: GatewayRoute): readonly EnvoyRoute[] {
  return combined(gatewayRoute, everyRequest).map(({ match }) => ({
    ...named(mesh, gatewayRoute, '404'),
    match: envoyMatch(gatewayRoute.protocol, match, 'envoy'),
    direct_response: { status: 404 },
  }));
}

/**
 * No revision has a pair that is refused, but a rollout may mix two revisions into one for a while. The
 * router's route is then left out, as if it had not come yet.
 */
function combined(gatewayRoute: GatewayRoute, wanted: RouteMatch): readonly CombinedRoute[] {
  const combination = combineRoutes(gatewayRoute, wanted);
  return combination.kind === 'refused' ? [] : combination.routes;
}

/** `cart/everyone`: the gateway route and what is behind it. */
function named(mesh: MeshSettings, { kind, name }: GatewayRoute, behind: string): EnvoyRoute {
  return {
    name: `${name}/${behind}`,
    metadata: provenanceMetadata({ mesh: mesh.name, kind, name }),
  };
}

function pathRewrite({ match, rewrite }: CombinedRoute): RouteAction {
  if (rewrite === undefined) {
    return {};
  }
  const isByPrefix = match.path === undefined || match.path.kind === 'prefix';
  if (rewrite.kind === 'whole' && isByPrefix) {
    const substitution = rewrite.value.replaceAll('\\', '\\\\');
    return { regex_rewrite: { pattern: { regex: '^.+$' }, substitution } };
  }
  // Of an exact path or a regular expression, what is matched is the whole path.
  return { prefix_rewrite: rewrite.value };
}
