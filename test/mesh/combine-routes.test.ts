/**
 * A gateway route joined with a route behind it takes a request exactly where the two take it one after
 * the other, and makes the same path of it: compared with a model that rewrites first and asks the second
 * route then, as App Mesh's two hops did, on random routes and requests.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Random, seededRandom } from '../../controller/base/random.js';
import { type CombinedRoute, combineRoutes } from '../../controller/mesh/combine-routes.js';
import type {
  GatewayRoute,
  HeaderMatch,
  PathMatch,
  RouteMatch,
  ValueMatch,
} from '../../controller/mesh/model.js';

const test = suite('one hop instead of two');

interface Request {
  readonly path: string;
  readonly query: string;
  readonly method: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

const paths = ['/', '/x', '/x/', '/xy', '/x/y', '/x/x', '/y/x', '/y', '/x/y/z'];
const prefixes = ['/', '/x', '/x/', '/xy', '/x/y', '/y', '/y/'];
const values = ['/', '/x/', '/y/', '/x/y/'];
const regexes = ['/x.*', '/x', '/(x|y)/?'];
const hosts = ['a.com', 'shop.local'];
const methods = ['GET', 'POST'];

function pick<Value>(random: Random, options: readonly Value[]): Value {
  return options[Math.floor(random() * options.length)] as Value;
}

function randomPath(random: Random): PathMatch | undefined {
  return pick<() => PathMatch | undefined>(random, [
    () => undefined,
    () => ({ kind: 'prefix', prefix: pick(random, prefixes) }),
    () => ({ kind: 'prefix', prefix: pick(random, prefixes) }),
    () => ({ kind: 'exact', exact: pick(random, paths) }),
    () => ({ kind: 'regex', regex: pick(random, regexes) }),
  ])();
}

function randomHeaders(random: Random): readonly HeaderMatch[] {
  const match = pick<ValueMatch>(random, [
    { kind: 'present' },
    { kind: 'exact', exact: 'shop.local' },
    { kind: 'prefix', prefix: 'a' },
    { kind: 'suffix', suffix: '.local' },
    { kind: 'range', start: 1, end: 9 },
  ]);
  const name = pick(random, ['host', ':authority', 'h', ':path']);
  return random() < 0.5 ? [] : [{ name, invert: random() < 0.3, match }];
}

function randomMatch(random: Random): RouteMatch {
  return {
    path: randomPath(random),
    method: random() < 0.3 ? pick(random, methods) : undefined,
    headers: randomHeaders(random),
    queryParameters: random() < 0.2 ? [{ name: 'q' }] : [],
  };
}

function randomGatewayRoute(random: Random): GatewayRoute {
  const match = { ...randomMatch(random), headers: [] };
  const path = pick<GatewayRoute['rewrite']['path']>(random, [
    { kind: 'none' },
    ...(match.path?.kind === 'prefix'
      ? [{ kind: 'prefix', value: pick(random, values) } as const]
      : []),
    { kind: 'exact', exact: pick(random, paths) },
  ]);
  return {
    kind: 'GatewayRoute',
    name: 'g',
    labels: {},
    virtualGateway: 'edge',
    protocol: 'http',
    priority: 1000,
    match,
    target: { virtualService: 'shop.local' },
    rewrite: { hostnameToTarget: random() < 0.5, path },
  };
}

function randomRequest(random: Random): Request {
  return {
    path: pick(random, paths),
    query: pick(random, ['', '?q=/x', '?r']),
    method: pick(random, methods),
    host: pick(random, hosts),
    headers: random() < 0.5 ? { h: pick(random, ['5', '9', 'a', '']) } : {},
  };
}

// The model

function isMet({ path, method, headers, queryParameters }: RouteMatch, request: Request): boolean {
  return (
    isPathMet(path, request.path) &&
    (method === undefined || method === request.method) &&
    headers.every((header) => isHeaderMet(header, request)) &&
    queryParameters.every(({ name }) => request.query.startsWith(`?${name}`))
  );
}

function isPathMet(path: PathMatch | undefined, actual: string): boolean {
  switch (path?.kind) {
    case undefined:
      return true;
    case 'prefix':
      return actual.startsWith(path.prefix);
    case 'exact':
      return actual === path.exact;
    case 'regex':
      return new RegExp(`^(?:${path.regex})$`).test(actual);
  }
}

function isHeaderMet({ name, invert, match }: HeaderMatch, request: Request): boolean {
  const known: Readonly<Record<string, string>> = {
    host: request.host,
    ':authority': request.host,
    ':path': request.path + request.query,
    ...request.headers,
  };
  const value = known[name];
  return (value !== undefined && isValueMet(match, value)) !== invert;
}

function isValueMet(match: ValueMatch, value: string): boolean {
  switch (match.kind) {
    case 'present':
      return true;
    case 'exact':
      return value === match.exact;
    case 'prefix':
      return value.startsWith(match.prefix);
    case 'suffix':
      return value.endsWith(match.suffix);
    case 'regex':
      return new RegExp(`^(?:${match.regex})$`).test(value);
    case 'range':
      return /^\d+$/.test(value) && Number(value) >= match.start && Number(value) < match.end;
  }
}

/** The request as the gateway sends it on; undefined where its route does not take it. */
function firstHop(route: GatewayRoute, request: Request): Request | undefined {
  const { match, rewrite, target } = route;
  const path = rewritten(route, request.path);
  if (!isMet(match, request) || path === undefined) {
    return undefined;
  }
  return {
    ...request,
    path,
    host: rewrite.hostnameToTarget ? target.virtualService : request.host,
  };
}

function rewritten({ match, rewrite }: GatewayRoute, path: string): string | undefined {
  switch (rewrite.path.kind) {
    case 'none':
      return path;
    case 'exact':
      return rewrite.path.exact;
    case 'prefix': {
      const prefix = match.path?.kind === 'prefix' ? match.path.prefix : '';
      const rest = path.slice(prefix.length);
      const isWhole = prefix.endsWith('/') || rest === '' || rest.startsWith('/');
      return isWhole ? rewrite.path.value + rest.replace(/^\//, '') : undefined;
    }
  }
}

/** The path that Envoy makes of `path`. */
function oneHop({ match, rewrite }: CombinedRoute, path: string): string {
  switch (rewrite?.kind) {
    case undefined:
      return path;
    case 'whole':
      return rewrite.value;
    case 'prefix': {
      assert.is(match.path?.kind, 'prefix');
      const prefix = match.path?.kind === 'prefix' ? match.path.prefix : '';
      return rewrite.value + path.slice(prefix.length);
    }
  }
}

test('joined routes take what the two take in turn, and rewrite it alike', () => {
  const seen = { taken: 0, refused: 0, rewritten: 0 };
  for (let seed = 0; seed < 3000; seed += 1) {
    const random = seededRandom(seed);
    const gatewayRoute = randomGatewayRoute(random);
    const behind = randomMatch(random);
    const combination = combineRoutes(gatewayRoute, behind);
    if (combination.kind === 'refused') {
      seen.refused += 1;
      continue;
    }
    for (let count = 0; count < 20; count += 1) {
      const request = randomRequest(random);
      const sent = firstHop(gatewayRoute, request);
      const expected = sent !== undefined && isMet(behind, sent) ? [sent.path] : [];
      const found = combination.routes
        .filter(({ match }) => isMet(match, request))
        .map((route) => oneHop(route, request.path));
      const what = JSON.stringify({ seed, gatewayRoute, behind, request, combination });
      assert.equal(found, expected, what);
      seen.taken += found.length;
      seen.rewritten += found.some((path) => path !== request.path) ? 1 : 0;
    }
  }
  assert.ok(seen.taken > 3000 && seen.rewritten > 1000 && seen.refused > 100, JSON.stringify(seen));
});

test('only regular expressions, and conditions on :path, are refused', () => {
  for (let seed = 0; seed < 3000; seed += 1) {
    const random = seededRandom(seed);
    const combination = combineRoutes(randomGatewayRoute(random), randomMatch(random));
    if (combination.kind === 'refused') {
      assert.match(combination.reason, /regular expression|:path/);
    }
  }
});

test.run();
