/** Whom a change concerns, and whose answers judge it, where requests come in through gateways. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { diffMeshes } from '../../controller/diff/diff-meshes.js';
import { makeGroup } from '../../controller/diff/group.js';
import type { Mesh } from '../../controller/mesh/model.js';
import { concernedNodes, judgedNodes } from '../../controller/rollout/scope.js';
import { meshFromYaml } from '../support/yaml-mesh.js';

const test = suite('whom a change concerns');

function node(name: string, calls = ''): string {
  const backends =
    calls && `backends: [{ virtualService: { virtualServiceRef: { name: ${calls} } } }]`;
  return `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: ${name} }
spec:
  listeners: [{ portMapping: { port: 8080, protocol: http } }]
  serviceDiscovery: { announced: {} }
  ${backends}`;
}

function gateway(name: string, route: string, service: string): string {
  return `apiVersion: headgate/v1
kind: VirtualGateway
metadata: { name: ${name} }
spec: { listeners: [{ portMapping: { port: 80, protocol: http } }] }
---
apiVersion: headgate/v1
kind: GatewayRoute
metadata: { name: ${route} }
spec:
  virtualGatewayRef: { name: ${name} }
  httpRoute: { match: { prefix: / }, action: { target: { virtualService: { virtualServiceRef: { name: ${service} } } } } }`;
}

/** `edge` leads to the router `cart`, which `web` calls as well; `inner` leads to the node `pay`. */
const yaml = [
  'apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: shop }',
  node('web', 'cart.local'),
  node('cart-v1', 'pay.local'),
  node('cart-v2'),
  node('pay'),
  `apiVersion: headgate/v1
kind: VirtualService
metadata: { name: cart.local }
spec: { provider: { virtualRouter: { virtualRouterRef: { name: cart } } } }`,
  `apiVersion: headgate/v1
kind: VirtualService
metadata: { name: pay.local }
spec: { provider: { virtualNode: { virtualNodeRef: { name: pay } } } }`,
  `apiVersion: headgate/v1
kind: VirtualRouter
metadata: { name: cart }
spec:
  listeners: [{ portMapping: { port: 8080, protocol: http } }]
  routes:
    - name: all
      httpRoute:
        match: { prefix: / }
        action: { weightedTargets: [{ virtualNodeRef: { name: cart-v1 }, weight: 9 }, { virtualNodeRef: { name: cart-v2 }, weight: 1 }] }`,
  gateway('edge', 'to-cart', 'cart.local'),
  gateway('inner', 'inside', 'pay.local'),
].join('\n---\n');

interface Found {
  readonly concerned: readonly string[];
  readonly judged: readonly string[];
}

/** What is found where `before` in the mesh becomes `after`. */
function change(before: string, after: string, whole = yaml): Found {
  const applied = meshFromYaml(whole);
  const desired: Mesh = meshFromYaml(whole.replace(before, after));
  const changes = diffMeshes(applied, desired);
  assert.is(changes.length, 1, `${changes.length} resources changed`);
  const group = makeGroup({ applied, desired }, changes);
  const concerned = [applied, desired].flatMap((mesh) => [...concernedNodes(group, mesh)]);
  return { concerned: [...new Set(concerned)].sort(), judged: judgedNodes(group, desired) };
}

test('weights concern the callers of a router, and the gateway that leads to it', () => {
  const { concerned, judged } = change('weight: 9', 'weight: 5');
  assert.equal(concerned, ['shop/VirtualGateway/edge', 'shop/VirtualNode/web']);
  assert.equal(judged, ['cart-v1', 'cart-v2']);
});

test('a gateway route concerns its gateway, and is judged by the service that it leads to', () => {
  const { concerned, judged } = change(
    '{ prefix: / }, action: { target: { virtualService: { virtualServiceRef: { name: cart.local',
    '{ prefix: /cart }, action: { target: { virtualService: { virtualServiceRef: { name: cart.local',
  );
  assert.equal(concerned, ['shop/VirtualGateway/edge']);
  assert.equal(judged, ['cart-v1', 'cart-v2']);
});

test('a gateway concerns itself, and is judged by all that its routes lead to', () => {
  const { concerned, judged } = change(
    'name: inner }\nspec: { listeners: [{ portMapping: { port: 80,',
    'name: inner }\nspec: { listeners: [{ portMapping: { port: 81,',
  );
  assert.equal(concerned, ['shop/VirtualGateway/inner']);
  assert.equal(judged, ['pay']);
});

test('a gateway route that goes is judged by what its gateway still leads to', () => {
  const second = gateway('edge', 'to-pay', 'pay.local').replace('prefix: /', 'prefix: /pay');
  const [, route = ''] = second.split('---\n');
  const routeToCart = gateway('edge', 'to-cart', 'cart.local').split('---\n')[1] ?? '';
  const whole = yaml.replace(routeToCart, `${route}\n---\n${routeToCart}`);
  const { concerned, judged } = change(`\n---\n${routeToCart}`, '', whole);
  assert.equal(concerned, ['shop/VirtualGateway/edge']);
  assert.equal(judged, ['pay']);
});

test('a node concerns itself, its callers and the gateway that leads to it', () => {
  const { concerned, judged } = change(
    'name: pay }\nspec:\n  listeners: [{ portMapping: { port: 8080,',
    'name: pay }\nspec:\n  listeners: [{ portMapping: { port: 8081,',
  );
  assert.equal(concerned, [
    'shop/VirtualGateway/inner',
    'shop/VirtualNode/cart-v1',
    'shop/VirtualNode/pay',
  ]);
  assert.equal(judged, ['pay']);
});

test('a node that changes together with what it calls concerns its callers, too', () => {
  const desired = yaml
    .replace(
      'name: cart-v1 }\nspec:\n  listeners: [{ portMapping: { port: 8080,',
      'name: cart-v1 }\nspec:\n  listeners: [{ timeout: { http: { idle: { unit: s, value: 9 } } }, portMapping: { port: 8080,',
    )
    .replace('virtualNodeRef: { name: pay } } }', 'virtualNodeRef: { name: cart-v2 } } }');
  const ends = { applied: meshFromYaml(yaml), desired: meshFromYaml(desired) };
  const group = makeGroup(ends, diffMeshes(ends.applied, ends.desired));
  assert.is(group.resources.length, 2);
  assert.equal([...concernedNodes(group, ends.desired)].sort(), [
    'shop/VirtualGateway/edge',
    'shop/VirtualGateway/inner',
    'shop/VirtualNode/cart-v1',
    'shop/VirtualNode/web',
  ]);
});

test.run();
