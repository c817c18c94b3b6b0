/**
 * What a GatewayRoute's schema cannot say: fields of one document that contradict one another, and paths
 * that App Mesh kept for itself. Each check looks at the whole route, whatever another has found: App
 * Mesh's own stopped at the first, and so let query parameters pass unseen.
 */
import type * as yaml from '../generated/schema-types.js';
import type { FieldPath } from '../mesh/document.js';
import { checkConnect } from './check-connect.js';
import { checkRanges } from './check-ranges.js';
import type { Finding } from './finding.js';

export function checkGatewayRoute({ spec }: yaml.GatewayRoute): readonly Finding[] {
  const { httpRoute, http2Route, grpcRoute } = spec;
  return [
    ...(httpRoute === undefined ? [] : checkHttp(httpRoute, ['spec', 'httpRoute'])),
    ...(http2Route === undefined ? [] : checkHttp(http2Route, ['spec', 'http2Route'])),
    ...(grpcRoute === undefined ? [] : checkGrpc(grpcRoute, ['spec', 'grpcRoute'])),
  ];
}

function checkHttp(
  { match, action: { rewrite } }: yaml.HttpGatewayRoute,
  path: FieldPath,
): readonly Finding[] {
  const matchPath = [...path, 'match'];
  const rewritePath = [...path, 'action', 'rewrite'];
  const findings: Finding[] = [];
  if (match.prefix !== undefined && match.path !== undefined) {
    const text =
      'match has prefix and path, of which a request can be compared with one; remove one';
    findings.push(together(matchPath, text));
  }
  if (rewrite?.prefix !== undefined && rewrite.path !== undefined) {
    const text = 'rewrite has prefix and path, of which one can be carried out; remove one';
    findings.push(together(rewritePath, text));
  }
  if (rewrite?.prefix !== undefined && match.prefix === undefined) {
    const text =
      'rewrite.prefix replaces the prefix that match.prefix found, and there is none; add it, or ' +
      'use rewrite.path';
    const where = [...rewritePath, 'prefix'];
    findings.push({ code: 'HG0516', path: where, place: 'key', text });
  }
  return [
    ...findings,
    ...checkConnect('', match, path, rewrite),
    ...checkReserved(match.prefix, [...matchPath, 'prefix']),
    ...checkReserved(match.path?.exact, [...matchPath, 'path', 'exact']),
    ...checkRanges('', match.headers, [...matchPath, 'headers']),
  ];
}

function checkGrpc({ match }: yaml.GrpcGatewayRoute, path: FieldPath): readonly Finding[] {
  return [
    ...checkReserved(match.serviceName, [...path, 'match', 'serviceName']),
    ...checkRanges('', match.metadata, [...path, 'match', 'metadata']),
  ];
}

function together(path: FieldPath, text: string): Finding {
  const details = { found: 'prefix and path', allowed: 'one of prefix, path' };
  return { code: 'HG0515', path, text, details };
}

/** Paths and gRPC services that App Mesh's own Envoy answered. */
const reserved = /^(?:\/aws-app-?mesh|aws\.app-?mesh)/;

function checkReserved(value: string | undefined, path: FieldPath): readonly Finding[] {
  if (value === undefined || !reserved.test(value)) {
    return [];
  }
  const text = `${String(path.at(-1))} is ${value}, which App Mesh keeps for itself; use another`;
  return [{ code: 'HG0517', path, text, details: { found: value } }];
}
