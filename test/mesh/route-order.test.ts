/** The order of routes is one total order, whatever order they are written in. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Random, seededRandom } from '../../controller/base/random.js';
import type { GatewayRoute, PathMatch, Route } from '../../controller/mesh/model.js';
import { compareGatewayRoutes, compareRoutes } from '../../controller/mesh/order.js';

const test = suite('order of routes');

type Ordered = Pick<Route, 'name' | 'priority' | 'match'>;

function route(name: string, path: PathMatch, others: Partial<Ordered> = {}): Ordered {
  return { name, priority: 1000, match: { path, headers: [], queryParameters: [] }, ...others };
}

function names(routes: readonly Ordered[]): readonly string[] {
  return routes.toSorted(compareRoutes).map(({ name }) => name);
}

test('priority goes before everything', () => {
  const all = route('all', { kind: 'prefix', prefix: '/' }, { priority: 1 });
  const exact = route('exact', { kind: 'exact', exact: '/cart' }, { priority: 2 });
  assert.equal(names([exact, all]), ['all', 'exact']);
});

test('a longer prefix goes before a shorter one', () => {
  const short = route('a', { kind: 'prefix', prefix: '/cart' });
  const long = route('b', { kind: 'prefix', prefix: '/cart/items' });
  assert.equal(names([short, long]), ['b', 'a']);
});

test('more conditions go before fewer on the same path', () => {
  const path: PathMatch = { kind: 'prefix', prefix: '/' };
  const plain = route('a', path);
  const match = { path, headers: [], queryParameters: [], method: 'GET' };
  const withMethod = route('b', path, { match });
  assert.equal(names([plain, withMethod]), ['b', 'a']);
});

test('a gRPC method goes before its service, and that before every call', () => {
  const match = { headers: [], queryParameters: [] };
  const grpc = (name: string, conditions: Partial<Route['match']>): Ordered => ({
    name,
    priority: 1000,
    match: { ...match, ...conditions },
  });
  const every = grpc('a', {});
  const service = grpc('b', { grpcService: 'shop.Orders' });
  const method = grpc('c', { grpcService: 'shop.Orders', grpcMethod: 'Place' });
  assert.equal(names([every, service, method]), ['c', 'b', 'a']);
});

function gatewayRoute(name: string, match: Partial<GatewayRoute['match']>): GatewayRoute {
  return {
    kind: 'GatewayRoute',
    name,
    labels: {},
    virtualGateway: 'edge',
    protocol: 'http',
    priority: 1000,
    match: { headers: [], queryParameters: [], ...match },
    target: { virtualService: 'cart' },
    rewrite: { hostnameToTarget: true, path: { kind: 'none' } },
  };
}

test('at a gateway a longer prefix goes before a host name, and a whole name before its end', () => {
  const prefix = (text: string) => ({ path: { kind: 'prefix', prefix: text } }) as const;
  const suffix = { hostname: { kind: 'suffix', suffix: '.example.com' } } as const;
  const exact = { hostname: { kind: 'exact', exact: 'a.example.com' } } as const;
  const routes = [
    gatewayRoute('any', prefix('/')),
    gatewayRoute('suffix', { ...prefix('/'), ...suffix }),
    gatewayRoute('exact', { ...prefix('/'), ...exact }),
    gatewayRoute('longer', prefix('/cart')),
  ];
  const order = routes.toSorted(compareGatewayRoutes).map(({ name }) => name);
  assert.equal(order, ['longer', 'exact', 'suffix', 'any']);
});

test("a gateway's port, written or left out, does not change the order", () => {
  const routes = [gatewayRoute('b', { port: 80 }), gatewayRoute('a', {})];
  assert.is(routes.toSorted(compareGatewayRoutes)[0]?.name, 'a');
});

const seed = 11;

function randomRoute(random: Random, index: number): Ordered {
  const text = `/${'x'.repeat(Math.floor(random() * 3))}`;
  const paths: readonly PathMatch[] = [
    { kind: 'prefix', prefix: text },
    { kind: 'exact', exact: text },
    { kind: 'regex', regex: text },
  ];
  const path = paths[Math.floor(random() * 3)];
  const headers = Array.from({ length: Math.floor(random() * 3) }, (_, header) => ({
    name: `h${header}`,
    invert: false,
    match: { kind: 'present' as const },
  }));
  const match = { path, headers, queryParameters: [] };
  return { name: `route-${index}`, priority: Math.floor(random() * 3), match };
}

test('every order of 12 routes becomes the same order', () => {
  const random = seededRandom(seed);
  for (let round = 0; round < 200; round += 1) {
    const routes = Array.from({ length: 12 }, (_, index) => randomRoute(random, index));
    const expected = names(routes);
    const shuffled = routes
      .map((each) => ({ each, rank: random() }))
      .sort((left, right) => left.rank - right.rank)
      .map(({ each }) => each);
    assert.equal(names(shuffled), expected, `seed ${seed}, round ${round}`);
  }
});

test.run();
