/**
 * From a virtual gateway to what its routes reach: by listener, in the order in which routes are tried,
 * the virtual service behind each, cut down to the one port that is meant.
 */
import type { GatewayRoute, Listener, Mesh, VirtualGateway } from '../mesh/model.js';
import { compareGatewayRoutes } from '../mesh/order.js';
import { type ReachedService, reachOfService, type ServicePort } from './reach.js';

export interface GatewayPort {
  readonly listener: Listener;
  /** In the order in which they are tried. */
  readonly routes: readonly ReachedGatewayRoute[];
}

export interface ReachedGatewayRoute {
  readonly gatewayRoute: GatewayRoute;
  /** With `port` as its only port. */
  readonly reached: ReachedService;
  /** Undefined: nothing answers there, and every request is answered 404. */
  readonly port?: ServicePort;
}

/** In the order of the gateway's listeners. */
export function reachOfGateway(mesh: Mesh, gateway: VirtualGateway): readonly GatewayPort[] {
  const routes = mesh.gatewayRoutes
    .filter(({ virtualGateway }) => virtualGateway === gateway.name)
    .toSorted(compareGatewayRoutes)
    .map((route) => reachRoute(mesh, gateway, route));
  return gateway.listeners.map((listener) => ({
    listener,
    routes: routes.filter(({ gatewayRoute: { protocol, match } }) => {
      const port = match.port ?? listener.port;
      return protocol === listener.protocol && port === listener.port;
    }),
  }));
}

function reachRoute(
  mesh: Mesh,
  { backendDefaults }: VirtualGateway,
  gatewayRoute: GatewayRoute,
): ReachedGatewayRoute {
  const { virtualService, port: wanted } = gatewayRoute.target;
  const reached = reachOfService(mesh, virtualService, backendDefaults);
  // While a rollout mixes two revisions, the port that one of them checked may be the other's no more.
  const port = reached.ports.find(
    (each) => each.protocol !== 'tcp' && each.port === (wanted ?? each.port),
  );
  return { gatewayRoute, reached: { ...reached, ports: port ? [port] : [] }, port };
}
