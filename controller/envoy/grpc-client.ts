/**
 * What clients with xDS built in (gRPC without a proxy, gRFC A27) are given: for each service that the
 * node may call, a listener named as the client's target, `xds:///SERVICE` or `xds:///SERVICE:PORT`, and
 * the routes that it names.
 */
import type { MeshSettings } from '../mesh/model.js';
import { routerFilter } from './connection.js';
import { packed } from './encode.js';
import type { ListenerParts } from './listener.js';
import { identityMemo } from './memo.js';
import { provenanceMetadata } from './metadata.js';
import { mapPatched, type PatchedList, wholeList } from './patched-list.js';
import type { Reach, ReachedService, ServicePort } from './reach.js';
import type { EncodedResource } from './snapshot.js';
import { adsSource } from './values.js';
import { encodeEntries, routeConfiguration } from './virtual-hosts.js';

/** A service at one of the ports at which clients may call it. */
interface Callable {
  readonly reached: ReachedService;
  readonly port: ServicePort;
  /** True for the port that the service's name alone means. */
  readonly isFirst: boolean;
}

export function apiListeners(
  mesh: MeshSettings,
  reach: readonly ReachedService[],
): readonly ListenerParts[] {
  return callables(reach).flatMap(({ reached, port, isFirst }) => {
    const { name } = reached.service;
    const withPort = `${name}:${port.port}`;
    const names = isFirst ? [name, withPort] : [withPort];
    return names.map((target) => apiListener(mesh, reached, target, apiRouteName(withPort)));
  });
}

/** By reached service, the routes of each of its ports. */
export function apiRoutes(
  mesh: MeshSettings,
  reach: Reach,
): PatchedList<readonly EncodedResource[]> {
  return routesByReached([mesh], '', () =>
    mapPatched((reached) =>
      callables([reached]).map(({ port }) => {
        const entry = { reached, port, domains: ['*'] };
        const name = apiRouteName(`${reached.service.name}:${port.port}`);
        return routeConfiguration(name, encodeEntries(mesh, wholeList([[entry]]), 'grpc'));
      }),
    ),
  )(reach);
}

const routesByReached = identityMemo<(reach: Reach) => PatchedList<readonly EncodedResource[]>>();

/** Services that speak TCP, or have no provider, are no target of gRPC. */
function callables(reach: readonly ReachedService[]): readonly Callable[] {
  return reach.flatMap((reached) =>
    reached.ports
      .filter(({ protocol }) => protocol !== 'tcp')
      .map((port, index) => ({ reached, port, isFirst: index === 0 })),
  );
}

function apiRouteName(serviceAndPort: string): string {
  return `rds_egress_${serviceAndPort}`;
}

function apiListener(
  mesh: MeshSettings,
  { service }: ReachedService,
  name: string,
  routeName: string,
): ListenerParts {
  const connection = packed(
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    {
      stat_prefix: 'egress',
      rds: { route_config_name: routeName, config_source: adsSource },
      http_filters: [routerFilter],
    },
  );
  const metadata = provenanceMetadata({
    mesh: mesh.name,
    kind: 'VirtualService',
    name: service.name,
  });
  return {
    name,
    message: { name, api_listener: { api_listener: connection }, metadata },
    references: [{ type: 'route', name: routeName }],
  };
}
