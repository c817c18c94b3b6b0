/**
 * Routes of a virtual router (or the one route of a service whose provider is a node) as Envoy's. Every
 * target stays in the list at weight 0, so that a change of weights changes nothing but weights, and
 * weights always sum to 10,000. Requests have App Mesh's 15 s unless the route says otherwise.
 */
import type {
  envoy_config_route_v3_Route as EnvoyRoute,
  envoy_config_route_v3_RouteAction as RouteAction,
} from '../generated/envoy-types.js';
import type { Timeout } from '../mesh/model.js';
import { normalizeWeights } from '../mesh/weights.js';
import { provenanceMetadata } from './metadata.js';
import { targetClusterName } from './names.js';
import type { ServedRoute } from './reach.js';
import { envoyRetryPolicy } from './retry.js';
import { envoyMatch } from './route-match.js';
import type { ProxyIdentity } from './snapshot.js';
import { duration, wrapped } from './values.js';

const requestTimeoutMs = 15_000;

export function envoyRoute(
  meshName: string,
  served: ServedRoute,
  proxyKind: ProxyIdentity['kind'],
): EnvoyRoute {
  const { owner, route } = served;
  const { kind, name } = owner;
  return {
    name: route.name,
    match: envoyMatch(route.protocol, route.match, proxyKind),
    metadata: provenanceMetadata({
      mesh: meshName,
      kind,
      name,
      route: kind === 'VirtualRouter' ? route.name : undefined,
    }),
    ...routeAction(meshName, served, proxyKind),
  };
}

/** The timeouts of a request and of a stream on which nothing moves; 0 is none. */
export function requestTimeouts(timeout: Timeout | undefined): RouteAction {
  return {
    timeout: duration(timeout?.perRequestMs ?? requestTimeoutMs),
    idle_timeout: timeout?.idleMs === undefined ? undefined : duration(timeout.idleMs),
  };
}

function routeAction(
  meshName: string,
  { route, targets }: ServedRoute,
  proxyKind: ProxyIdentity['kind'],
): EnvoyRoute {
  const weights = normalizeWeights(route.targets.map((target) => target.weight));
  if (weights.every((weight) => weight === 0)) {
    // Envoy refuses a list of clusters whose weights sum to 0.
    return { direct_response: { status: 503 } };
  }
  const clusters = targets.map((target, index) => ({
    name: targetClusterName(meshName, target),
    weight: wrapped(weights[index] ?? 0),
  }));
  const timeouts = requestTimeouts(route.timeout);
  return {
    route: {
      weighted_clusters: { clusters },
      ...(proxyKind === 'grpc' ? streamDuration(timeouts) : timeouts),
      retry_policy: envoyRetryPolicy(route.retryPolicy),
      upgrade_configs: route.match.method === 'CONNECT' ? [{ upgrade_type: 'CONNECT' }] : undefined,
    },
  };
}

/** gRPC's own clients read the timeout of a request here (gRFC A31), and know no other. */
function streamDuration({ timeout }: RouteAction): RouteAction {
  return { max_stream_duration: { max_stream_duration: timeout } };
}
