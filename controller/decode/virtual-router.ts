/** A VirtualRouter document in the model's terms; the order of its routes is the user's still. */
import { assert } from '../base/assert.js';
import type * as yaml from '../generated/schema-types.js';
import type { DeclaredRoute, DeclaredRouter, DeclaredTarget } from '../mesh/document.js';
import type { RetryPolicy, RouteMatch } from '../mesh/model.js';
import { headerMatch, pathMatch, queryMatch } from './matches.js';
import { durationMs, timeout } from './parts.js';

export function virtualRouter({ metadata, spec }: yaml.VirtualRouter): DeclaredRouter {
  return {
    kind: 'VirtualRouter',
    name: metadata.name,
    labels: metadata.labels ?? {},
    listeners: spec.listeners.map(({ portMapping: { port, protocol } }) => ({ port, protocol })),
    routes: (spec.routes ?? []).map(route),
  };
}

/** App Mesh tries a route without priority after all that have one. */
export const lastPriority = 1000;

function route(written: yaml.Route): DeclaredRoute {
  const { name, priority = lastPriority, httpRoute, http2Route, grpcRoute, tcpRoute } = written;
  const http = httpRoute ?? http2Route;
  if (http !== undefined) {
    const protocol = httpRoute === undefined ? 'http2' : 'http';
    return { name, priority, protocol, match: httpMatch(http.match), ...common(http) };
  }
  if (grpcRoute !== undefined) {
    const match = grpcMatch(grpcRoute.match);
    return { name, priority, protocol: 'grpc', match, ...common(grpcRoute) };
  }
  assert(tcpRoute !== undefined, 'the schema lets exactly one kind of route pass');
  const match = { port: tcpRoute.match?.port, headers: [], queryParameters: [] };
  return { name, priority, protocol: 'tcp', match, ...common(tcpRoute) };
}

function common(written: {
  action: yaml.Action;
  retryPolicy?: yaml.GrpcRetryPolicy;
  timeout?: yaml.RequestTimeout;
}): Pick<DeclaredRoute, 'targets' | 'retryPolicy' | 'timeout'> {
  return {
    targets: written.action.weightedTargets.map(target),
    retryPolicy: written.retryPolicy && retryPolicy(written.retryPolicy),
    timeout: timeout(written.timeout),
  };
}

function target({ virtualNodeRef, weight, port }: yaml.WeightedTarget): DeclaredTarget {
  return { virtualNode: virtualNodeRef.name, weight, port };
}

function httpMatch(written: yaml.HttpMatch): RouteMatch {
  return {
    port: written.port,
    path: pathMatch(written),
    method: written.method,
    scheme: written.scheme,
    headers: (written.headers ?? []).map(headerMatch),
    queryParameters: (written.queryParameters ?? []).map(queryMatch),
  };
}

function grpcMatch(written: yaml.GrpcMatch): RouteMatch {
  return {
    port: written.port,
    headers: (written.metadata ?? []).map(headerMatch),
    queryParameters: [],
    grpcService: written.serviceName,
    grpcMethod: written.methodName,
  };
}

/** Events are a set: sorted, each once. */
function retryPolicy(written: yaml.GrpcRetryPolicy): RetryPolicy {
  return {
    maxRetries: written.maxRetries,
    perRetryTimeoutMs: durationMs(written.perRetryTimeout),
    httpRetryEvents: [...new Set(written.httpRetryEvents)].sort(),
    tcpRetryEvents: [...new Set(written.tcpRetryEvents)].sort(),
    grpcRetryEvents: [...new Set(written.grpcRetryEvents)].sort(),
  };
}
