/** Which certificate may be which node: what rules match, and what tricks do not. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { namesOf, nodeMatcher, parseRules } from '../../controller/admission/rules.js';

const rules = suite('admission: rules');

function mayBe(rule: string, subjectAltName: string, nodeId: string): boolean {
  const parsed = parseRules(rule);
  if ('allowed' in parsed) {
    throw new Error(`${rule} is no rule`);
  }
  return namesOf(subjectAltName).some((name) =>
    parsed.value.some((one) => {
      const grant = one.match(name);
      return grant?.kind === 'node' && grant.isNode(nodeId);
    }),
  );
}

const shop = 'spiffe://shop.example/ns/{mesh}/sa/{name} => mesh/{mesh}/virtualNode/{name}';
const hosts = 'dns:{name}.shop.internal => mesh/shop/virtualNode/{name}';

rules('a captured name is the node, and no other is', () => {
  const san = 'URI:spiffe://shop.example/ns/blue/sa/cart';
  assert.ok(mayBe(shop, san, 'mesh/blue/virtualNode/cart'));
  for (const stolen of [
    ...['mesh/blue/virtualNode/till', 'mesh/red/virtualNode/cart', 'mesh/blue/virtualGateway/cart'],
    ...['', 'cart', 'mesh/blue/virtualNode/cart/', 'mesh/blue/virtualNode/cart/x'],
    ...['MESH/blue/virtualNode/cart', 'mesh/blue/virtualNode/Cart', 'mesh/blue/virtualNode/cart\0'],
    ...['mesh/blue@1/virtualNode/cart', 'arn:aws:appmesh:a:b:mesh/blue/virtualNode/cart'],
  ]) {
    assert.not(mayBe(shop, san, stolen), stolen);
  }
});

rules('what is captured reaches no further than one segment', () => {
  for (const san of [
    'URI:spiffe://shop.example/ns/blue/sa/cart/x',
    'URI:spiffe://shop.example/ns/blue/sa/',
    'URI:spiffe://shop.example/ns/blue/sa/*',
    'URI:spiffe://shop.example.evil/ns/blue/sa/cart',
    'URI:https://shop.example/ns/blue/sa/cart',
    'URI:spiffe://SHOP.example/ns/blue/sa/cart',
    'DNS:spiffe://shop.example/ns/blue/sa/cart',
    'email:spiffe://shop.example/ns/blue/sa/cart',
  ]) {
    assert.not(mayBe(shop, san, 'mesh/blue/virtualNode/cart'), san);
  }
  assert.not(mayBe(hosts, 'DNS:a.cart.shop.internal', 'mesh/shop/virtualNode/a.cart'));
  assert.not(mayBe(hosts, 'DNS:cart.shop.internal.evil', 'mesh/shop/virtualNode/cart'));
  assert.not(mayBe(hosts, 'DNS:*.shop.internal', 'mesh/shop/virtualNode/cart'), 'a wildcard name');
  assert.not(
    mayBe(hosts, 'DNS:cartXshop.internal', 'mesh/shop/virtualNode/cart'),
    'a dot is a dot',
  );
});

rules('host names have no case', () => {
  assert.ok(mayBe(hosts, 'DNS:Cart.Shop.Internal', 'mesh/shop/virtualNode/cart'));
  const capital = 'dns:{Name}.Shop.internal => mesh/shop/virtualNode/{Name}';
  assert.ok(mayBe(capital, 'DNS:cart.shop.internal', 'mesh/shop/virtualNode/cart'));
});

rules('a name that stands twice must be the same twice', () => {
  const rule = 'spiffe://a/{name}/{name} => mesh/shop/virtualNode/{name}';
  assert.ok(mayBe(rule, 'URI:spiffe://a/x/x', 'mesh/shop/virtualNode/x'));
  assert.not(mayBe(rule, 'URI:spiffe://a/x/y', 'mesh/shop/virtualNode/x'));
});

rules('* is one part of a node id, and never an empty one', () => {
  const isNode = nodeMatcher('mesh/shop/virtualNode/*');
  assert.ok(isNode('mesh/shop/virtualNode/cart'));
  assert.not(isNode('mesh/shop/virtualNode/'));
  assert.not(isNode('mesh/shop/virtualNode/a/b'));
});

rules('names inside of names, as Node quotes them, are nobody', () => {
  assert.equal(namesOf('DNS:a.example, URI:spiffe://b/c'), [
    { kind: 'dns', text: 'a.example' },
    { kind: 'uri', text: 'spiffe://b/c' },
  ]);
  assert.equal(namesOf('DNS:"a, URI:spiffe://shop.example/x, b", DNS:c.example'), [
    { kind: 'dns', text: 'c.example' },
  ]);
  assert.equal(namesOf('URI:"spiffe://a/b\\u0000c"'), []);
  assert.equal(namesOf('IP Address:10.0.0.1, DNS:a.example'), [{ kind: 'dns', text: 'a.example' }]);
  assert.equal(namesOf('DNS:"a'), [], 'what cannot be read has no names');
  assert.equal(namesOf(''), []);
});

rules('what is no rule is refused with one that is', () => {
  for (const wrong of [
    '',
    'cart',
    'cart => mesh/shop/virtualNode/cart',
    'dns:a => ',
    'dns:a => cart',
    'dns:a b => operator',
    'dns:a => mesh/{name}/virtualNode/a',
    'spiffe://a => b => c/d',
    'dns:(a+)+ => operator',
  ]) {
    const parsed = parseRules(wrong);
    assert.ok('allowed' in parsed && parsed.allowed.includes('=>'), wrong);
  }
});

rules.run();
