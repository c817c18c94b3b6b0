/** The difference between two meshes, its classes and its groups. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../controller/base/assert.js';
import { canonicalJson } from '../../controller/base/hash.js';
import { seededRandom } from '../../controller/base/random.js';
import { classifyChange } from '../../controller/diff/classify.js';
import { applyChanges, diffMeshes, emptyMesh } from '../../controller/diff/diff-meshes.js';
import { diffFields } from '../../controller/diff/fields.js';
import { groupChanges } from '../../controller/diff/group.js';
import { shareMesh } from '../../controller/diff/share.js';
import { takesRequests } from '../../controller/diff/takes-requests.js';
import type { GatewayRoute, Mesh } from '../../controller/mesh/model.js';
import { danglingReferences } from '../../controller/mesh/references.js';
import { meshOf, type ServiceSpec } from '../support/mesh.js';

const diff = suite('diff');

/** `Kind name[/route]: class action`, for each change between the two. */
function classes(before: Mesh, after: Mesh): readonly string[] {
  const changes = diffMeshes(before, after);
  return changes
    .flatMap((change) => classifyChange(change, changes, { applied: before, desired: after }))
    .map(({ resource, route, class: changeClass, action }) => {
      const place = route === undefined ? resource.name : `${resource.name}/${route}`;
      return `${resource.kind} ${place}: ${changeClass} ${action}`;
    });
}

const base = meshOf([{ name: 'reviews', weights: { v1: 100, v2: 0 } }]);

diff('weights alone are a weighted change of their route', () => {
  const after = meshOf([{ name: 'reviews', weights: { v1: 50, v2: 50 } }]);
  assert.equal(classes(base, after), ['VirtualRouter reviews/main: weighted configured']);
});

diff('other weights with the same shares move nothing', () => {
  const after = meshOf([{ name: 'reviews', weights: { v1: 7, v2: 0 } }]);
  assert.equal(classes(base, after), ['VirtualRouter reviews/main: operational configured']);
});

diff('a timeout is configuration, with or without weights', () => {
  const after = meshOf([{ name: 'reviews', weights: { v1: 50, v2: 50 }, timeoutMs: 5000 }]);
  assert.equal(classes(base, after), ['VirtualRouter reviews/main: config configured']);
});

diff('an endpoint list is an operation', () => {
  const after = meshOf([{ name: 'reviews', weights: { v1: 100, v2: 0 }, endpointPort: 9001 }]);
  assert.equal(classes(base, after), [
    'VirtualNode reviews-v1: operational configured',
    'VirtualNode reviews-v2: operational configured',
  ]);
});

diff('a new service is additive and its removal subtractive, its caller included', () => {
  const after = meshOf([
    { name: 'reviews', weights: { v1: 100, v2: 0 } },
    { name: 'ratings', weights: { v1: 100 } },
  ]);
  assert.equal(classes(base, after), [
    'VirtualNode ratings-v1: additive created',
    'VirtualNode web: additive configured',
    'VirtualRouter ratings: additive created',
    'VirtualService ratings.demo.local: additive created',
  ]);
  assert.equal(classes(after, base), [
    'VirtualNode ratings-v1: subtractive deleted',
    'VirtualNode web: subtractive configured',
    'VirtualRouter ratings: subtractive deleted',
    'VirtualService ratings.demo.local: subtractive deleted',
  ]);
});

diff('fields are named by what people know them by', () => {
  const before = { targets: [{ virtualNode: 'a', port: 80, weight: 1 }], timeout: { idleMs: 5 } };
  const after = { targets: [{ virtualNode: 'a', port: 80, weight: 2 }], timeout: {} };
  assert.equal(diffFields(before, after), [
    { path: 'targets[a:80].weight', before: 1, after: 2 },
    { path: 'timeout.idleMs', before: 5, after: undefined },
  ]);
});

diff('two services are two groups, and a version with its weights is one', () => {
  const before = meshOf([
    { name: 'reviews', weights: { v1: 100 } },
    { name: 'ratings', weights: { v1: 100, v2: 0 } },
  ]);
  const after = meshOf([
    { name: 'reviews', weights: { v2: 100 } },
    { name: 'ratings', weights: { v1: 0, v2: 100 } },
  ]);
  const groups = groupChanges({ applied: before, desired: after }, diffMeshes(before, after));
  const printed = groups.map((group) => [group.name, group.resources.map(({ ref }) => ref.name)]);
  assert.equal(printed, [
    ['ratings', ['ratings']],
    ['reviews', ['reviews-v1', 'reviews-v2', 'reviews']],
  ]);
});

diff(
  'diff(a, a) is empty, apply(a, diff(a, b)) is b, and groups cut b into parts that make it',
  () => {
    const random = seededRandom(11);
    for (let round = 0; round < 100; round += 1) {
      const a = randomMesh(random);
      const b = randomMesh(random);
      assert.equal(diffMeshes(a, a), []);
      assert.equal(diffMeshes(a, JSON.parse(JSON.stringify(a))), []);
      const changes = diffMeshes(a, b);
      assert.is(canonicalJson(applyChanges(a, changes)), canonicalJson(b), `round ${round}`);
      const groups = groupChanges({ applied: a, desired: b }, changes);
      const again = groups.reduce((mesh, group) => applyChanges(mesh, group.resources), a);
      assert.is(canonicalJson(again), canonicalJson(b), `groups, round ${round}`);
      assert.equal(danglingReferences(again), []);
    }
  },
);

diff('the order in which resources come never matters', () => {
  const after = meshOf([{ name: 'ratings', weights: { v1: 1, v2: 1 } }]);
  const shuffled = { ...after, virtualNodes: [...after.virtualNodes].reverse() };
  const left = groupChanges({ applied: base, desired: after }, diffMeshes(base, after));
  const right = groupChanges({ applied: base, desired: shuffled }, diffMeshes(base, shuffled));
  assert.is(canonicalJson(left), canonicalJson(right));
});

diff('a gateway route that comes or goes moves requests, unless its gateway does with it', () => {
  const reviews = { name: 'reviews', weights: { v1: 100 } };
  const ratings = { name: 'ratings', weights: { v1: 100 } };
  const none = meshOf([reviews, ratings]);
  const one = meshOf([{ ...reviews, gatewayPrefix: '/' }, ratings]);
  const two = meshOf([
    { ...reviews, gatewayPrefix: '/' },
    { ...ratings, gatewayPrefix: '/ratings' },
  ]);
  assert.equal(classes(none, one), [
    'GatewayRoute reviews: additive created',
    'VirtualGateway edge: additive created',
  ]);
  assert.equal(classes(one, none), [
    'GatewayRoute reviews: subtractive deleted',
    'VirtualGateway edge: subtractive deleted',
  ]);
  assert.equal(classes(one, two), ['GatewayRoute ratings: config created']);
  assert.equal(classes(two, one), ['GatewayRoute ratings: config deleted']);
  const apart = meshOf([
    { ...reviews, gatewayPrefix: '/reviews' },
    { ...ratings, gatewayPrefix: '/ratings' },
  ]);
  const before = meshOf([{ ...reviews, gatewayPrefix: '/reviews' }, ratings]);
  assert.equal(classes(before, apart), ['GatewayRoute ratings: additive created']);
});

diff('a new gateway route takes requests where it may meet one that is tried later', () => {
  const [base] = meshOf([{ name: 'a', weights: { v1: 1 }, gatewayPrefix: '/' }]).gatewayRoutes;
  const route = (name: string, priority: number, match: Partial<GatewayRoute['match']>) => ({
    ...present(base, 'the gateway route'),
    name,
    priority,
    match: { headers: [], queryParameters: [], ...match },
  });
  const prefix = (text: string) => ({ path: { kind: 'prefix', prefix: text } as const });
  const exact = (text: string) => ({ path: { kind: 'exact', exact: text } as const });
  const host = (text: string) => ({ hostname: { kind: 'exact', exact: text } as const });
  const suffix = (text: string) => ({ hostname: { kind: 'suffix', suffix: text } as const });
  const there = [
    route('reviews', 500, prefix('/reviews/')),
    route('status', 500, { ...exact('/status'), method: 'GET' }),
    route('shop', 500, { ...prefix('/'), ...suffix('.shop.example') }),
    route('admin', 500, { ...prefix('/'), ...host('admin.example') }),
    route('numbers', 500, { path: { kind: 'regex', regex: '/[0-9]+' }, port: 81 }),
  ];
  const outside = { ...host('other.example'), port: 80 };
  const cases: readonly (readonly [boolean, number, Partial<GatewayRoute['match']>])[] = [
    [false, 0, { ...outside, ...prefix('/ratings/') }],
    [true, 0, { ...outside, ...prefix('/') }],
    [false, 1000, { ...outside, ...prefix('/') }],
    [true, 0, { ...outside, ...prefix('/reviews/new/') }],
    [true, 0, { ...outside, ...exact('/reviews/new') }],
    [false, 0, { ...outside, ...exact('/status'), method: 'POST' }],
    [true, 0, { ...outside, ...exact('/status') }],
    [false, 0, { ...outside, ...exact('/status/') }],
    [true, 0, { ...prefix('/ratings/'), port: 80 }],
    [true, 0, { ...prefix('/ratings/'), ...host('www.shop.example'), port: 80 }],
    [true, 0, { ...prefix('/ratings/'), ...suffix('.example'), port: 80 }],
    [true, 0, { ...prefix('/ratings/'), ...suffix('.www.shop.example'), port: 80 }],
    [false, 0, { ...prefix('/ratings/'), ...suffix('.net'), port: 80 }],
    [true, 0, { ...prefix('/ratings/'), ...host('other.example') }],
    [true, 0, { ...host('other.example'), port: 80 }],
    [true, 0, { ...outside, path: { kind: 'regex', regex: '/never' } }],
  ];
  for (const [takes, priority, match] of cases) {
    const text = JSON.stringify({ priority, match });
    assert.is(takesRequests(route('new', priority, match), there), takes, text);
  }
  const other = { ...route('new', 0, prefix('/')), virtualGateway: 'inner' };
  assert.is(takesRequests(other, there), false, 'another gateway');
});

diff('a gateway route and the router behind its service are one group', () => {
  const of = (gatewayPrefix: string, v2: number) => {
    const reviews = { name: 'reviews', weights: { v1: 100 - v2, v2 }, gatewayPrefix };
    const ratings = { name: 'ratings', weights: { v1: 100 - v2, v2 } };
    return meshOf([reviews, ratings]);
  };
  const desired = of('/reviews', 50);
  const applied = of('/', 0);
  const groups = groupChanges({ applied, desired }, diffMeshes(applied, desired));
  const printed = groups.map(({ name, resources }) => [name, resources.map(({ ref }) => ref.kind)]);
  assert.equal(printed, [
    ['ratings', ['VirtualRouter']],
    ['reviews', ['GatewayRoute', 'VirtualRouter']],
  ]);
});

diff('everything of a first revision is additive', () => {
  for (const line of classes(emptyMesh(base), base)) {
    assert.match(line, /: additive created$/);
  }
});

diff('what did not change keeps its identity', () => {
  const copy: Mesh = JSON.parse(JSON.stringify(base));
  assert.is(shareMesh(base, copy), base);
  const after = meshOf([{ name: 'reviews', weights: { v1: 1, v2: 1 } }]);
  const shared = shareMesh(base, after);
  assert.is(shared.virtualNodes, base.virtualNodes);
  assert.is.not(shared.virtualRouters, base.virtualRouters);
});

function randomMesh(random: () => number): Mesh {
  const names = ['a', 'b', 'c', 'd'].filter(() => random() < 0.7);
  const services = names.map(
    (name): ServiceSpec => ({
      name,
      weights: { v1: 100, ...(random() < 0.5 ? { v2: Math.floor(random() * 100) } : {}) },
      timeoutMs: random() < 0.3 ? 1000 * Math.floor(random() * 9) : undefined,
    }),
  );
  return meshOf(services);
}

diff.run();
