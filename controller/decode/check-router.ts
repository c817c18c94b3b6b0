/** What a VirtualRouter's schema cannot say: fields of one document that contradict one another. */
import { canonicalJson } from '../base/hash.js';
import type * as yaml from '../generated/schema-types.js';
import type { DeclaredRoute, DeclaredRouter, FieldPath } from '../mesh/document.js';
import { compareRoutes, orderMatch } from '../mesh/order.js';
import { checkConnect } from './check-connect.js';
import { checkRanges } from './check-ranges.js';
import { type Finding, repeated } from './finding.js';

/** `router` is what `written` means in the model, its routes in the same order. */
export function checkRouter(
  written: yaml.VirtualRouter,
  router: DeclaredRouter,
): readonly Finding[] {
  const { listeners, routes = [] } = written.spec;
  return [
    ...repeated(listeners, ({ portMapping: { port } }) => String(port)).map(([index, port]) => ({
      code: 'HG0502' as const,
      path: ['spec', 'listeners', index, 'portMapping', 'port'],
      text: `port ${port} has a listener already; each port has one`,
      details: { found: port },
    })),
    ...repeated(routes, ({ name }) => name).map(([index, name]) => ({
      code: 'HG0506' as const,
      path: ['spec', 'routes', index, 'name'],
      text: `route ${name} is there already; rename one`,
      details: { found: name },
    })),
    ...routes.flatMap((route, index) => checkRoute(route, ['spec', 'routes', index])),
    ...findUnreached(router.routes),
  ];
}

function checkRoute(route: yaml.Route, path: FieldPath): readonly Finding[] {
  const kind = (['httpRoute', 'http2Route', 'grpcRoute', 'tcpRoute'] as const).find(
    (each) => route[each] !== undefined,
  );
  const inner = kind && route[kind];
  if (kind === undefined || inner === undefined) {
    return [];
  }
  const http = route.httpRoute ?? route.http2Route;
  const subject = `route ${route.name}: `;
  return [
    ...checkTargets(route.name, inner.action.weightedTargets, [...path, kind, 'action']),
    ...(http === undefined ? [] : checkConnect(subject, http.match, [...path, kind])),
    ...checkRanges(subject, http?.match.headers, [...path, kind, 'match', 'headers']),
    ...checkRanges(subject, route.grpcRoute?.match.metadata, [...path, kind, 'match', 'metadata']),
  ];
}

function checkTargets(
  route: string,
  targets: readonly yaml.WeightedTarget[],
  action: FieldPath,
): readonly Finding[] {
  const path = [...action, 'weightedTargets'];
  const findings: Finding[] = repeated(targets, ({ virtualNodeRef: { name }, port }) =>
    port === undefined ? name : `${name} port ${port}`,
  ).map(([index, target]) => ({
    code: 'HG0509',
    path: [...path, index],
    text:
      `route ${route}: target ${target} is listed already; write it once, with the sum of the ` +
      'weights',
    details: { found: target },
  }));
  const sum = targets.reduce((total, { weight }) => total + weight, 0);
  if (sum === 0) {
    const text = `route ${route}: weights sum to 0, expected 1 to 100; give one target a weight`;
    findings.push({ code: 'HG0507', path, text, details: { found: '0', allowed: '1 to 100' } });
  }
  if (sum > 100) {
    const text =
      `route ${route}: weights sum to ${sum}, expected 1 to 100; they are relative, so lower ` +
      'them in proportion';
    const details = { found: String(sum), allowed: '1 to 100' };
    findings.push({ code: 'HG0508', path, text, details });
  }
  return findings;
}

/** Routes whose match is another's that is tried before them. */
function findUnreached(routes: readonly DeclaredRoute[]): readonly Finding[] {
  const firstByMatch = new Map<string, string>();
  return [...routes.entries()]
    .sort(([, left], [, right]) => compareRoutes(left, right))
    .flatMap(([index, { name, protocol, match }]): readonly Finding[] => {
      const key = canonicalJson({ protocol, match: orderMatch(match) });
      const first = firstByMatch.get(key);
      firstByMatch.set(key, first ?? name);
      if (first === undefined || first === name) {
        return [];
      }
      const text =
        `route ${name} is never reached, since route ${first} has the same match and is tried ` +
        'first; remove it, or change its match or priority';
      return [{ code: 'HG0511', path: ['spec', 'routes', index], text, details: { found: name } }];
    });
}
