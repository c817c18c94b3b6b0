/**
 * A gateway route and a route of the virtual router behind it as one. In App Mesh the gateway's proxy
 * rewrote a request, sent it to itself, and then tried the router's routes, which saw the rewritten
 * request. In one hop both conditions have to be put to the request as its caller sent it, so what a
 * router's route says of the new path is turned into what it means for the old one. Regular expressions
 * of a rewritten path or host name cannot be turned around: such pairs are refused.
 */
import {
  isEveryPath,
  keepsPath,
  type PathRewrite,
  pathsThrough,
  type Refusal,
} from './combine-paths.js';
import type { GatewayRoute, HeaderMatch, RouteMatch, ValueMatch } from './model.js';

export interface CombinedRoute {
  /** Of the request as the caller sent it; the gateway route's port and host name are not in it. */
  readonly match: RouteMatch;
  readonly rewrite?: PathRewrite;
}

export type Combination =
  /** In any order: no request meets two of them. Empty: no request meets both conditions. */
  | { readonly kind: 'routes'; readonly routes: readonly CombinedRoute[] }
  /** `reason` goes on from the name of the router's route. */
  | { readonly kind: 'refused'; readonly reason: string };

/** The condition of a route that takes every request. */
export const everyRequest: RouteMatch = { headers: [], queryParameters: [] };

/** True where `match` holds for whatever reaches the route; its port is not looked at. */
export function isEveryRequest(match: RouteMatch): boolean {
  const { path, method, scheme, headers, queryParameters, grpcService } = match;
  const isFree = [method, scheme, grpcService].every((condition) => condition === undefined);
  return isFree && isEveryPath(path) && headers.length + queryParameters.length === 0;
}

/** Requests that meet the match of `gatewayRoute`, and then, rewritten, `wanted`. */
export function combineRoutes(gatewayRoute: GatewayRoute, wanted: RouteMatch): Combination {
  const others = combineOthers(gatewayRoute, wanted);
  if (others === 'never') {
    return { kind: 'routes', routes: [] };
  }
  if ('reason' in others) {
    return { kind: 'refused', ...others };
  }
  const paths = pathsThrough(gatewayRoute, others.method, wanted.path);
  if ('reason' in paths) {
    return { kind: 'refused', ...paths };
  }
  const routes = paths.map(({ path, header, rewrite }) => {
    const headers = header === undefined ? others.headers : [...others.headers, header];
    return { match: { ...others, headers, path }, rewrite };
  });
  return { kind: 'routes', routes };
}

type Others = Omit<RouteMatch, 'path' | 'port'>;

function combineOthers(gatewayRoute: GatewayRoute, wanted: RouteMatch): Others | 'never' | Refusal {
  const { match: given } = gatewayRoute;
  if (differ(given.method, wanted.method) || differ(given.grpcService, wanted.grpcService)) {
    return 'never';
  }
  const headers = [...given.headers];
  for (const header of wanted.headers) {
    const seen = seenBehind(gatewayRoute, header);
    if (seen === 'never' || typeof seen === 'object') {
      return seen;
    }
    if (seen === 'same') {
      headers.push(header);
    }
  }
  return {
    method: given.method ?? wanted.method,
    scheme: wanted.scheme,
    headers,
    queryParameters: [...given.queryParameters, ...wanted.queryParameters],
    grpcService: given.grpcService ?? wanted.grpcService,
    grpcMethod: wanted.grpcMethod,
  };
}

function differ(left: string | undefined, right: string | undefined): boolean {
  return left !== undefined && right !== undefined && left !== right;
}

/** What becomes of a router's condition on a header, of which the host name and the path are two. */
function seenBehind(
  gatewayRoute: GatewayRoute,
  { name, invert, match }: HeaderMatch,
): 'same' | 'always' | 'never' | Refusal {
  const { rewrite, target } = gatewayRoute;
  if (name === ':path' && !keepsPath(gatewayRoute)) {
    return {
      reason:
        'has a condition on the header :path, which the gateway route rewrites; use match.path ' +
        'or match.prefix in the router, or keep the path in the gateway route',
    };
  }
  if ((name !== ':authority' && name !== 'host') || !rewrite.hostnameToTarget) {
    return 'same';
  }
  const holds = holdsFor(match, target.virtualService);
  if (holds === undefined) {
    return {
      reason:
        'compares the host name, which the gateway route rewrites, with a regular expression; ' +
        'set rewrite.hostname.defaultTargetHostname to DISABLED, or compare it another way',
    };
  }
  return holds !== invert ? 'always' : 'never';
}

/** Undefined for a regular expression: those are never run here. */
function holdsFor(match: ValueMatch, value: string): boolean | undefined {
  switch (match.kind) {
    case 'present':
      return true;
    case 'exact':
      return value === match.exact;
    case 'prefix':
      return value.startsWith(match.prefix);
    case 'suffix':
      return value.endsWith(match.suffix);
    case 'range':
      return /^-?\d+$/.test(value) && Number(value) >= match.start && Number(value) < match.end;
    case 'regex':
      return undefined;
  }
}
