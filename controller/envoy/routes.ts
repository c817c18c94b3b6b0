/**
 * Routes of a virtual router (or the one route of a service whose provider is a node) as Envoy's. Every
 * target stays in the list at weight 0, so that a change of weights changes nothing but weights, and
 * weights always sum to 10,000. Requests have App Mesh's 15 s unless the route says otherwise.
 */
import type {
  envoy_config_route_v3_Route as EnvoyRoute,
  envoy_config_route_v3_RouteAction_HashPolicy as HashPolicy,
  envoy_config_route_v3_RouteAction_RequestMirrorPolicy as MirrorPolicy,
  envoy_config_route_v3_RouteAction as RouteAction,
} from '../generated/envoy-types.js';
import type { Route, Timeout } from '../mesh/model.js';
import { escapeRegex } from '../mesh/strategies.js';
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
    name: partName(route),
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

/**
 * False for a part of a route that `proxyKind` has no use for: gRPC's own clients draw by chance, copy
 * nothing and keep no cookies.
 */
export function isUsedBy(proxyKind: ProxyIdentity['kind'], { part }: Route): boolean {
  return proxyKind === 'envoy' || (part !== 'mirror' && part !== 'returning');
}

/** `all`; a part of it that a rollout tells apart is `all/match`. */
export function partName({ name, part }: Route): string {
  return part === undefined ? name : `${name}/${part}`;
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
  const isEnvoy = proxyKind === 'envoy';
  const drawn = targets.map((target, index) => ({
    name: targetClusterName(meshName, target),
    weight: weights[index] ?? 0,
  }));
  const clusters = (isEnvoy ? drawn : joinByName(drawn)).map(({ name, weight }) => ({
    name,
    weight: wrapped(weight),
  }));
  const timeouts = requestTimeouts(route.timeout);
  const hashPolicy = isEnvoy ? hashPolicyOf(route) : undefined;
  const mirrors = isEnvoy ? mirrorsOf(meshName, route, targets) : [];
  return {
    route: {
      weighted_clusters: {
        clusters,
        use_hash_policy: hashPolicy && wrapped(true),
      },
      hash_policy: hashPolicy,
      request_mirror_policies: mirrors.length > 0 ? mirrors : undefined,
      ...(isEnvoy ? timeouts : streamDuration(timeouts)),
      retry_policy: envoyRetryPolicy(route.retryPolicy),
      upgrade_configs: route.match.method === 'CONNECT' ? [{ upgrade_type: 'CONNECT' }] : undefined,
    },
    response_headers_to_add: isEnvoy ? cookieOf(route) : undefined,
  };
}

interface ClusterShare {
  readonly name: string;
  readonly weight: number;
}

/** The order of a draw says nothing to who draws by chance: each cluster once. */
function joinByName(shares: readonly ClusterShare[]): readonly ClusterShare[] {
  const names = [...new Set(shares.map(({ name }) => name))];
  return names.map((name) => ({
    name,
    weight: shares
      .filter((share) => share.name === name)
      .reduce((sum, { weight }) => sum + weight, 0),
  }));
}

/**
 * Envoy writes into the 15th character of a request's id, once it has a route, whether the request is
 * traced (`pack_trace_reason`): that one is left out, of the id and of the cookie that was made of it.
 */
function hashPolicyOf({ drawnBy }: Route): RouteAction['hash_policy'] {
  switch (drawnBy?.kind) {
    case undefined:
      return undefined;
    case 'header':
      return [{ header: { header_name: drawnBy.name } }];
    case 'requestId':
      return [headerPart('x-request-id', '^(.{0,14}).?(.*)$')];
    case 'cookie': {
      const name = escapeRegex(drawnBy.name);
      return [headerPart('cookie', `^(?:.*;\\s*)?${name}=([^;]{0,14})[^;]?([^;]*)(?:;.*)?$`)];
    }
  }
}

/** What the two groups of `regex`, which matches the whole header, hold. */
function headerPart(header_name: string, regex: string): HashPolicy {
  const regex_rewrite = { pattern: { regex }, substitution: '\\1\\2' };
  return { header: { header_name, regex_rewrite } };
}

/** Each copy is drawn for itself. The canary is to see the host that its own requests will have. */
function mirrorsOf(
  meshName: string,
  { targets }: Route,
  resolved: ServedRoute['targets'],
): readonly MirrorPolicy[] {
  return resolved.flatMap((target, index) => {
    const copies = targets[index]?.copies ?? 0;
    return copies === 0
      ? []
      : [
          {
            cluster: targetClusterName(meshName, target),
            runtime_fraction: {
              default_value: { numerator: copies, denominator: 'TEN_THOUSAND' },
            },
            disable_shadow_host_suffix_append: true,
          },
        ];
  });
}

/**
 * The id that Envoy gives each request before it looks for a route, and draws by where the client has no
 * cookie. For the whole host, and out of reach of scripts.
 */
function cookieOf({ setCookie }: Route): EnvoyRoute['response_headers_to_add'] {
  if (setCookie === undefined) {
    return undefined;
  }
  const seconds = Math.ceil(setCookie.ttlMs / 1000);
  const value = `${setCookie.name}=%REQ(X-REQUEST-ID)%; Max-Age=${seconds}; Path=/; HttpOnly; SameSite=Lax`;
  return [{ header: { key: 'set-cookie', value }, append_action: 'APPEND_IF_EXISTS_OR_ADD' }];
}

/** gRPC's own clients read the timeout of a request here (gRFC A31), and know no other. */
function streamDuration({ timeout }: RouteAction): RouteAction {
  return { max_stream_duration: { max_stream_duration: timeout } };
}
