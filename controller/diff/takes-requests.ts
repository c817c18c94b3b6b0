/**
 * Whether a gateway route that is new takes requests from those that are there: one that shadows nothing
 * answers what nothing answered before, so there is nothing to be careful with and nobody to judge it by.
 * Where two matches may meet cannot always be told; then they are taken to.
 */
import type { GatewayRoute, PathMatch } from '../mesh/model.js';
import { compareGatewayRoutes } from '../mesh/order.js';

/** True where `route` is tried before one of `others` that could have had the same request. */
export function takesRequests(route: GatewayRoute, others: readonly GatewayRoute[]): boolean {
  return others.some(
    (other) =>
      other.name !== route.name && mayMeet(route, other) && compareGatewayRoutes(route, other) <= 0,
  );
}

/** True where a request may fit both. */
export function mayMeet(one: GatewayRoute, other: GatewayRoute): boolean {
  const [left, right] = [one.match, other.match];
  return (
    one.virtualGateway === other.virtualGateway &&
    mayBeSame(left.port, right.port) &&
    mayBeSame(left.method, right.method) &&
    mayBeSame(left.grpcService, right.grpcService) &&
    mayBeSame(left.grpcMethod, right.grpcMethod) &&
    hostsMayMeet(left.hostname, right.hostname) &&
    pathsMayMeet(left.path, right.path)
  );
}

/** Undefined is any. */
function mayBeSame(left: unknown, right: unknown): boolean {
  return left === undefined || right === undefined || left === right;
}

type Hostname = GatewayRoute['match']['hostname'];

function hostsMayMeet(left: Hostname, right: Hostname): boolean {
  if (left === undefined || right === undefined) {
    return true;
  }
  if (left.kind === 'exact') {
    return right.kind === 'exact' ? left.exact === right.exact : left.exact.endsWith(right.suffix);
  }
  return right.kind === 'exact'
    ? right.exact.endsWith(left.suffix)
    : left.suffix.endsWith(right.suffix) || right.suffix.endsWith(left.suffix);
}

function pathsMayMeet(left: PathMatch | undefined, right: PathMatch | undefined): boolean {
  if (
    left === undefined ||
    right === undefined ||
    left.kind === 'regex' ||
    right.kind === 'regex'
  ) {
    return true;
  }
  if (left.kind === 'exact') {
    return right.kind === 'exact'
      ? left.exact === right.exact
      : left.exact.startsWith(right.prefix);
  }
  return right.kind === 'exact'
    ? right.exact.startsWith(left.prefix)
    : left.prefix.startsWith(right.prefix) || right.prefix.startsWith(left.prefix);
}
