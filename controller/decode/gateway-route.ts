/** A GatewayRoute document in the model's terms, with App Mesh's default rewrites filled in. */
import { assert } from '../base/assert.js';
import type * as yaml from '../generated/schema-types.js';
import type { GatewayRoute } from '../mesh/model.js';
import { headerMatch, pathMatch, queryMatch } from './matches.js';
import { lastPriority } from './virtual-router.js';

type Hostname = GatewayRoute['match']['hostname'];
type PathRewrite = GatewayRoute['rewrite']['path'];

export function gatewayRoute({ metadata, spec }: yaml.GatewayRoute): GatewayRoute {
  return {
    kind: 'GatewayRoute',
    name: metadata.name,
    labels: metadata.labels ?? {},
    virtualGateway: spec.virtualGatewayRef.name,
    priority: spec.priority ?? lastPriority,
    ...routed(spec),
  };
}

function routed({
  httpRoute,
  http2Route,
  grpcRoute,
}: yaml.GatewayRouteSpec): Pick<GatewayRoute, 'protocol' | 'match' | 'target' | 'rewrite'> {
  const http = httpRoute ?? http2Route;
  if (http !== undefined) {
    const { match, action } = http;
    return {
      protocol: httpRoute === undefined ? 'http2' : 'http',
      match: httpMatch(match),
      target: target(action.target),
      rewrite: {
        hostnameToTarget: isToTarget(action.rewrite?.hostname),
        path: pathRewrite(match, action.rewrite),
      },
    };
  }
  assert(grpcRoute !== undefined, 'the schema lets exactly one kind of route pass');
  const { match, action } = grpcRoute;
  return {
    protocol: 'grpc',
    match: grpcMatch(match),
    target: target(action.target),
    rewrite: { hostnameToTarget: isToTarget(action.rewrite?.hostname), path: { kind: 'none' } },
  };
}

function httpMatch(written: yaml.HttpGatewayMatch): GatewayRoute['match'] {
  return {
    port: written.port,
    hostname: hostname(written.hostname),
    path: pathMatch(written),
    method: written.method,
    headers: (written.headers ?? []).map(headerMatch),
    queryParameters: (written.queryParameters ?? []).map(queryMatch),
  };
}

function grpcMatch(written: yaml.GrpcGatewayMatch): GatewayRoute['match'] {
  return {
    port: written.port,
    hostname: hostname(written.hostname),
    headers: (written.metadata ?? []).map(headerMatch),
    queryParameters: [],
    grpcService: written.serviceName,
  };
}

/** Host names are compared without case, so they are lower-case here. */
function hostname(written: yaml.HostnameMatch | undefined): Hostname {
  if (written?.exact !== undefined) {
    return { kind: 'exact', exact: written.exact.toLowerCase() };
  }
  return written?.suffix === undefined
    ? undefined
    : { kind: 'suffix', suffix: written.suffix.toLowerCase() };
}

function target({ virtualService, port }: yaml.GatewayTarget): GatewayRoute['target'] {
  return { virtualService: virtualService.virtualServiceRef.name, port };
}

function isToTarget(written: yaml.HostnameRewrite | undefined): boolean {
  return written?.defaultTargetHostname !== 'DISABLED';
}

function pathRewrite(
  match: yaml.HttpGatewayMatch,
  rewrite: yaml.HttpGatewayRewrite | undefined,
): PathRewrite {
  if (rewrite?.path !== undefined) {
    return { kind: 'exact', exact: rewrite.path.exact };
  }
  if (match.prefix === undefined || rewrite?.prefix?.defaultPrefix === 'DISABLED') {
    return { kind: 'none' };
  }
  return { kind: 'prefix', value: rewrite?.prefix?.value ?? '/' };
}
