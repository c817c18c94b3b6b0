/** A set that was patched is the set that is made of the same resources from nothing. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../controller/base/random.js';
import { resourceOf } from '../../controller/envoy/resource.js';
import { patchedSet, resourceSet, sameReferences } from '../../controller/envoy/resource-set.js';
import type { EncodedResource } from '../../controller/envoy/snapshot.js';
import { changedNames } from '../../controller/xds/snapshot-changes.js';

function resource(name: string, variant: string, refersTo = name): EncodedResource {
  const bytes = Buffer.from(`${name} ${variant} ${refersTo}`);
  return resourceOf('cluster', name, bytes, [{ type: 'endpoint', name: refersTo }]);
}

const names = Array.from({ length: 200 }, (_, index) => `c${String(index).padStart(3, '0')}`);

test('any sequence of patches comes to what is in it', () => {
  const random = seededRandom(5);
  const current = new Map(names.map((name) => [name, resource(name, '0')]));
  let set = resourceSet([...current.values()]);
  for (let step = 0; step < 60; step += 1) {
    const before = set;
    const changed = Array.from({ length: 1 + Math.floor(random() * 6) }, () => {
      const name = names[Math.floor(random() * names.length)] ?? '';
      return resource(name, String(Math.floor(random() * 3)));
    });
    for (const one of changed) {
      current.set(one.name, one);
    }
    set = patchedSet(before, changed);
    const whole = resourceSet([...current.values()].reverse());
    assert.is(set.version, whole.version);
    assert.equal([...set.byName], [...current]);
    assert.is(set.byName.size, names.length);
    const differing = names.filter((name) => before.byName.get(name) !== current.get(name));
    assert.equal([...changedNames(before, set)].sort(), differing);
  }
});

test('a patch that is taken back is the set that it was made from', () => {
  const set = resourceSet(names.map((name) => resource(name, '0')));
  const patched = patchedSet(set, [resource('c007', '1')]);
  assert.is.not(patched.version, set.version);
  assert.is(patchedSet(patched, [resource('c007', '0')]), set);
});

test('references are those of the set before only where they are the same', () => {
  const set = resourceSet(names.map((name) => resource(name, '0')));
  assert.is(sameReferences(set), set);
  assert.is(sameReferences(patchedSet(set, [resource('c007', '1')])), set);
  const other = patchedSet(set, [resource('c007', '1', 'elsewhere')]);
  assert.is(sameReferences(other), other);
});

test.run();
