/** An overlay behaves as the Map that it stands for, whatever is done to it, and so do its relatives. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../controller/base/random.js';
import type { EncodedResource, ResourceSet } from '../../controller/envoy/snapshot.js';
import { NameOverlay, Overlay } from '../../controller/xds/overlay.js';
import { SubscribedNames } from '../../controller/xds/subscribed-names.js';
import { plainResource, plainSnapshot } from '../support/plain-snapshots.js';

const names = Array.from({ length: 12 }, (_, index) => `name-${String(index).padStart(2, '0')}`);
const seeds = 200;
const steps = 60;

function setOf(chosen: readonly string[], variant: string): ResourceSet {
  return plainSnapshot({ cluster: chosen.map((name) => plainResource(name, variant)) }).cluster;
}

const lower = setOf(names.slice(0, 5), 'a');
const upper = setOf(names.slice(5, 10), 'a');
const all = setOf(names.slice(0, 10), 'a');
const renewed = setOf(names.slice(0, 11), 'b');
const sets = [lower, upper, all, renewed];

type Value = EncodedResource | undefined;

const sorted = <T>(entries: Iterable<[string, T]>): [string, T][] =>
  [...entries].sort(([left], [right]) => (left < right ? -1 : 1));

test('an overlay is the Map that it stands for', () => {
  for (let seed = 0; seed < seeds; seed += 1) {
    const random = seededRandom(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const overlay = new Overlay<Value>();
    const model = new Map<string, Value>();
    for (let step = 0; step < steps; step += 1) {
      const name = pick(names);
      const set = pick(sets);
      const action = random();
      if (action < 0.3) {
        const value = pick([undefined, plainResource(name, 'c'), set.byName.get(name)]);
        overlay.set(name, value);
        model.set(name, value);
      } else if (action < 0.55) {
        assert.is(overlay.delete(name), model.delete(name));
      } else if (action < 0.8 && overlay.canAddWhole(set)) {
        assert.not.ok([...set.byName.keys()].some((each) => model.has(each)));
        overlay.addWhole(set);
        for (const [each, resource] of set.byName) {
          model.set(each, resource);
        }
        assert.ok(overlay.hasWhole(set) || overlay.differences > 0);
      } else if (action < 0.9 && overlay.hasWhole(set)) {
        overlay.removeWhole(set);
        for (const [each, resource] of set.byName) {
          assert.is(model.get(each), resource);
          model.delete(each);
        }
      } else if (action < 0.97) {
        overlay.rebase(set, (value, resource) => value === resource);
      } else {
        overlay.clear();
        model.clear();
      }
      assert.equal(sorted(overlay), sorted(model), `seed ${seed}, step ${step}`);
      assert.is(overlay.size, model.size, `seed ${seed}, step ${step}`);
      for (const each of names) {
        assert.is(overlay.get(each), model.get(each));
        assert.is(overlay.has(each), model.has(each));
      }
    }
  }
});

test('taking up a newer set leaves what differs from it, and nothing else', () => {
  const overlay = new Overlay<EncodedResource>();
  overlay.addWhole(all);
  overlay.rebase(renewed, (value, resource) => value.version === resource.version);
  assert.is(overlay.differences, renewed.byName.size, 'each is another, and one is not there');
  for (const [name, resource] of renewed.byName) {
    overlay.set(name, resource);
  }
  assert.is(overlay.differences, 0);
  assert.ok(overlay.hasWhole(renewed));
});

test('a set of names is the Set that it stands for', () => {
  for (let seed = 0; seed < seeds; seed += 1) {
    const random = seededRandom(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const overlay = new NameOverlay();
    const model = new Set<string>();
    for (let step = 0; step < steps; step += 1) {
      const name = pick(names);
      const set = pick(sets);
      if (random() < 0.2 && overlay.canAddWhole(set)) {
        overlay.addWhole(set);
        for (const each of set.byName.keys()) {
          model.add(each);
        }
      } else if (random() < 0.2 && overlay.hasWhole(set)) {
        overlay.removeWhole(set);
        for (const each of set.byName.keys()) {
          model.delete(each);
        }
      } else if (random() < 0.5) {
        overlay.add(name);
        model.add(name);
      } else {
        assert.is(overlay.delete(name), model.delete(name));
      }
      assert.equal([...overlay].sort(), [...model].sort(), `seed ${seed}, step ${step}`);
      assert.is(overlay.size, model.size);
      const outside = [...model].filter(
        (each) => !overlay.wholeSets.some(({ byName }) => byName.has(each)),
      );
      assert.equal([...overlay.others()].sort(), outside.sort());
    }
  }
});

test('subscribed names are the Set that they stand for, and change no shared list', () => {
  const list: ReadonlySet<string> = new Set(names.slice(0, 8));
  for (let seed = 0; seed < seeds; seed += 1) {
    const random = seededRandom(seed);
    const subscribed = new SubscribedNames();
    let model = new Set<string>();
    for (let step = 0; step < steps; step += 1) {
      const name = `${names[Math.floor(random() * names.length)]}${random() < 0.5 ? '' : step}`;
      if (random() < 0.05) {
        subscribed.replace(list);
        model = new Set(list);
      } else if (random() < 0.6) {
        subscribed.addAll(new Set([name, 'always']));
        model.add(name).add('always');
      } else {
        assert.is(subscribed.delete(name), model.delete(name));
      }
      assert.equal([...subscribed].sort(), [...model].sort(), `seed ${seed}, step ${step}`);
      assert.is(subscribed.size, model.size);
      assert.ok([...model].every((each) => subscribed.has(each)));
      if (subscribed.whole !== undefined) {
        assert.equal([...subscribed.whole].sort(), [...model].sort());
      }
    }
  }
  assert.equal([...list], names.slice(0, 8));
});

test.run();
