/**
 * A route's match as Envoy's (`envoy.config.route.v3.RouteMatch`). App Mesh's prefixes are plain text
 * prefixes (`/x` matches `/xyz`), its regexes match the whole path, its ranges leave out their end: the
 * same as Envoy's.
 */
import { assertNever } from '../base/assert.js';
import type {
  envoy_config_route_v3_RouteMatch as EnvoyMatch,
  envoy_config_route_v3_HeaderMatcher as HeaderMatcher,
  envoy_config_route_v3_QueryParameterMatcher as QueryParameterMatcher,
} from '../generated/envoy-types.js';
import type { HeaderMatch, PathMatch, Protocol, RouteMatch } from '../mesh/model.js';
import type { ProxyIdentity } from './snapshot.js';

/** gRPC's own clients have no `grpc` matcher: all that they send is gRPC. */
export function envoyMatch(
  protocol: Protocol,
  match: RouteMatch,
  proxyKind: ProxyIdentity['kind'],
): EnvoyMatch {
  const headers = [...pseudoHeaders(match), ...match.headers.map(headerMatcher)];
  const query = match.queryParameters.map(queryMatcher);
  return {
    ...pathSpecifier(protocol, match),
    headers: headers.length > 0 ? headers : undefined,
    query_parameters: query.length > 0 ? query : undefined,
    grpc: protocol === 'grpc' && proxyKind === 'envoy' ? {} : undefined,
  };
}

function pathSpecifier(protocol: Protocol, match: RouteMatch): EnvoyMatch {
  if (protocol === 'grpc') {
    return grpcPath(match);
  }
  if (match.method === 'CONNECT') {
    // A CONNECT request has no path: Envoy's path matchers never match one.
    return { connect_matcher: {} };
  }
  return httpPath(match.path ?? { kind: 'prefix', prefix: '/' });
}

function grpcPath({ grpcService, grpcMethod }: RouteMatch): EnvoyMatch {
  if (grpcService === undefined) {
    return { prefix: '/' };
  }
  return grpcMethod === undefined
    ? { prefix: `/${grpcService}/` }
    : { path: `/${grpcService}/${grpcMethod}` };
}

function httpPath(path: PathMatch): EnvoyMatch {
  switch (path.kind) {
    case 'prefix':
      return { prefix: path.prefix };
    case 'exact':
      return { path: path.exact };
    case 'regex':
      return { safe_regex: { regex: path.regex } };
    default:
      return assertNever(path);
  }
}

function pseudoHeaders({ method, scheme }: RouteMatch): readonly HeaderMatcher[] {
  // A CONNECT request is matched as such already.
  const isByHeader = method !== undefined && method !== 'CONNECT';
  const byMethod = isByHeader ? [exactHeader(':method', method)] : [];
  const byScheme = scheme === undefined ? [] : [exactHeader(':scheme', scheme)];
  return [...byMethod, ...byScheme];
}

function exactHeader(name: string, exact: string): HeaderMatcher {
  return { name, string_match: { exact } };
}

function headerMatcher({ name, invert, match }: HeaderMatch): HeaderMatcher {
  const matcher = { name, invert_match: invert ? true : undefined };
  switch (match.kind) {
    case 'present':
      return { ...matcher, present_match: true };
    case 'exact':
      return { ...matcher, string_match: { exact: match.exact } };
    case 'prefix':
      return { ...matcher, string_match: { prefix: match.prefix } };
    case 'suffix':
      return { ...matcher, string_match: { suffix: match.suffix } };
    case 'regex':
      return { ...matcher, string_match: { safe_regex: { regex: match.regex } } };
    case 'range':
      return { ...matcher, range_match: { start: match.start, end: match.end } };
    default:
      return assertNever(match);
  }
}

function queryMatcher(query: RouteMatch['queryParameters'][number]): QueryParameterMatcher {
  return query.exact === undefined
    ? { name: query.name, present_match: true }
    : { name: query.name, string_match: { exact: query.exact } };
}
