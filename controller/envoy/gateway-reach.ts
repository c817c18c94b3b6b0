/**
 * From a virtual gateway to what its routes reach: by listener, in the order in which routes are tried,
 * the virtual service behind each, cut down to the one port that is meant.
 */
import { pairMemo } from '../base/memo.js';
import type { GatewayRoute, Listener, VirtualGateway } from '../mesh/model.js';
import { identityMemo } from './memo.js';
import type { MeshView } from './mesh-view.js';
import { groupPatched, type PatchedList, patchList, wholeList } from './patched-list.js';
import { type ReachedService, reachOfService, type ServicePort } from './reach.js';

export interface GatewayPort {
  readonly listener: Listener;
  /** In the order in which they are tried. */
  readonly routes: PatchedList<ReachedGatewayRoute>;
}

/** The same object for the same route and the same service behind it. */
export interface ReachedGatewayRoute {
  readonly gatewayRoute: GatewayRoute;
  /** With `port` as its only port. */
  readonly reached: ReachedService;
  /** Undefined: nothing answers there, and every request is answered 404. */
  readonly port?: ServicePort;
}

type GatewayReach = PatchedList<ReachedGatewayRoute>;

/** In the order of the gateway's listeners. */
export function reachOfGateway(mesh: MeshView, gateway: VirtualGateway): readonly GatewayPort[] {
  const routes = allRoutes(mesh, gateway);
  const { listeners } = gateway;
  const byListener = groupings([listeners], '', () =>
    groupPatched(({ gatewayRoute: { protocol, match } }) =>
      listeners.filter(
        (listener) =>
          protocol === listener.protocol && (match.port ?? listener.port) === listener.port,
      ),
    ),
  )(routes);
  return listeners.map((listener) => ({
    listener,
    routes: byListener.get(listener) ?? noRoutes,
  }));
}

const groupings = identityMemo<(routes: GatewayReach) => ReadonlyMap<Listener, GatewayReach>>();
const noRoutes: GatewayReach = wholeList([]);

/** Stands for "no client policy" among the objects of a memo. */
const noPolicy = {};
const reaches = identityMemo<GatewayReach>();

function allRoutes(mesh: MeshView, gateway: VirtualGateway): GatewayReach {
  const { name, backendDefaults } = gateway;
  const routes = mesh.gatewayRoutes(name);
  return reaches([mesh, routes, backendDefaults ?? noPolicy], '', () => {
    const reach = (route: GatewayRoute) =>
      reachRoute(route, reachOfService(mesh, route.target.virtualService, backendDefaults));
    const { patched } = mesh;
    const before = patched?.base.find('VirtualGateway', name);
    if (
      patched === undefined ||
      before === undefined ||
      before.backendDefaults !== backendDefaults ||
      patched.base.gatewayRoutes(name) !== routes
    ) {
      return wholeList(routes.map(reach));
    }
    const replacements = [...routes.entries()].flatMap(([place, route]) =>
      patched.services.has(route.target.virtualService) ? [[place, reach(route)] as const] : [],
    );
    return patchList(allRoutes(patched.base, before), replacements);
  });
}

const reachRoute = pairMemo(
  (gatewayRoute: GatewayRoute, reached: ReachedService): ReachedGatewayRoute => {
    const { port: wanted } = gatewayRoute.target;
    // While a rollout mixes two revisions, the port that one of them checked may be the other's no more.
    const port = reached.ports.find(
      (each) => each.protocol !== 'tcp' && each.port === (wanted ?? each.port),
    );
    return { gatewayRoute, reached: { ...reached, ports: port ? [port] : [] }, port };
  },
);
