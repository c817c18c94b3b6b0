/**
 * The routes of a gateway's listener as Envoy's, straight to the nodes' clusters: each gateway route is
 * joined with each route behind it (`mesh/combine-routes.ts`), and ends with a 404 for what it takes and
 * nothing behind it does, so that no later gateway route gets it. A host name is a virtual host, which
 * holds every route that may take its requests: the order of routes is the same in all of them. Each
 * route is encoded once, however many hosts it is in.
 */

import { memo } from '../base/memo.js';
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
import {
  clusterNames,
  clusterReferences,
  type EncodedPart,
  encodedPart,
  fieldOf,
  joinPieces,
  listPieces,
  onePiece,
  type Pieces,
  resourceOfPieces,
} from './parts.js';
import { groupPatched, mapPatched, type PatchedList, wholeList } from './patched-list.js';
import type { ServedRoute } from './reach.js';
import { envoyMatch } from './route-match.js';
import { envoyRoute, partName } from './routes.js';
import type { EncodedResource } from './snapshot.js';
import { clustersOf } from './virtual-hosts.js';

/** Envoy's routes for one gateway route, as fields of a virtual host. */
interface EncodedRoutes extends EncodedPart {
  /** Names of the clusters that they lead to, sorted, each on a line. */
  readonly clusters: string;
}

type RouteList = PatchedList<ReachedGatewayRoute>;

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
  const encode = encodersOf([mesh], '', () => mapPatched((route) => encodeRoutes(mesh, route)));
  const hosts = hostsOf(routes).map((host) => {
    const message = { name: host.domains[0], domains: host.domains, metadata };
    return hostsPieces([mesh, gateway, host.routes], JSON.stringify(host.domains), () =>
      fieldOf(
        virtualHostsField,
        joinPieces([
          onePiece(encodedPart(encodeMessage('envoy.config.route.v3.VirtualHost', message))),
          listPieces(encode(host.routes)),
        ]),
      ),
    );
  });
  // Callers write the port that they called, which may be a load balancer's.
  const message = { name, ignore_port_in_host_matching: true };
  const head = encodedPart(encodeMessage('envoy.config.route.v3.RouteConfiguration', message));
  const pieces = joinPieces([onePiece(head), ...hosts]);
  return resourceOfPieces('route', name, pieces, clusterReferences([clustersIn(encode(routes))]));
}

const encodersOf = identityMemo<(routes: RouteList) => PatchedList<EncodedRoutes>>();
const hostsPieces = identityMemo<Pieces>();
const clustersIn = mapPatched(({ clusters }: EncodedRoutes) => clusters);

// Hosts

interface GatewayHost {
  /** What requests for it are compared with; undefined: it is for all that no other host takes. */
  readonly name?: string;
  /** The first is its name. Envoy takes the host with the longest domain that fits. */
  readonly domains: readonly string[];
}

type Hostname = GatewayRoute['match']['hostname'];

/** A host for each host name that a route asks for, and one for all others, with the routes of each. */
function hostsOf(routes: RouteList): readonly (GatewayHost & { readonly routes: RouteList })[] {
  const { hosts, group } = hostsFor(hostnames(routes));
  const byHost = group(routes);
  return hosts.map((host) => ({ ...host, routes: byHost.get(host) ?? noRoutes }));
}

const noRoutes: RouteList = wholeList([]);

/** The host names that routes ask for: the same objects while the routes are. */
const hostnames = mapPatched(
  ({ gatewayRoute }: ReachedGatewayRoute) => gatewayRoute.match.hostname,
);

/** The hosts for `list`, and which of them each route is in. */
const hostsFor = memo(({ items }: PatchedList<Hostname>) => {
  const names = items.flatMap((name) => name ?? []);
  const exact = new Set(names.flatMap((name) => (name.kind === 'exact' ? name.exact : [])));
  const suffixes = new Set(names.flatMap((name) => (name.kind === 'suffix' ? name.suffix : [])));
  const hosts: readonly GatewayHost[] = [
    ...[...exact].sort().map((name) => ({ name, domains: [name] })),
    ...[...suffixes].sort().map((name) => ({
      name,
      // Envoy's star stands for one letter at least, and a name ends with itself, too.
      domains: [`*${name}`, ...(exact.has(name) ? [] : [name])],
    })),
    { domains: ['*'] },
  ];
  const byName = new Map<string | undefined, GatewayHost[]>();
  for (const host of hosts) {
    byName.set(host.name, [...(byName.get(host.name) ?? []), host]);
  }
  const hostsOfRoute = ({ gatewayRoute: { match } }: ReachedGatewayRoute) =>
    match.hostname?.kind === 'exact'
      ? (byName.get(match.hostname.exact) ?? [])
      : hosts.filter(({ name }) => takesHost(match.hostname, name));
  return { hosts, group: groupPatched(hostsOfRoute) };
});

/** True where routes for `hostname` take requests for `name`, or for every name that ends with it. */
function takesHost(hostname: Hostname, name: string | undefined): boolean {
  return (
    hostname === undefined ||
    (hostname.kind === 'suffix' && name?.endsWith(hostname.suffix) === true)
  );
}

// Routes

function encodeRoutes(mesh: MeshSettings, route: ReachedGatewayRoute): EncodedRoutes {
  return encoded([mesh, route], '', () => {
    const routes = envoyRoutes(mesh, route);
    const bytes = joinFields(
      routes.map((each) => [routesField, encodeMessage('envoy.config.route.v3.Route', each)]),
    );
    return { ...encodedPart(bytes), clusters: clusterNames(clustersOf({ routes })) };
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
