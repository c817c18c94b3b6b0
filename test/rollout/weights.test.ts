/** Properties of weights on their way, over seeded random routes; and the examples people check by hand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../controller/base/random.js';
import type { Route } from '../../controller/mesh/model.js';
import { normalizeWeights, wholeWeight } from '../../controller/mesh/weights.js';
import { moveTargets } from '../../controller/rollout/weights.js';
import { weightedRoute } from '../support/weighted-route.js';

const weights = suite('weights');

function served(before: Route, after: Route, progress: number): Readonly<Record<string, number>> {
  const moved = moveTargets(before, after, progress);
  return Object.fromEntries(moved.map((target) => [target.virtualNode, target.served]));
}

weights('shares are given out by largest remainder', () => {
  assert.equal(normalizeWeights([1, 1, 1]), [3334, 3333, 3333]);
  assert.equal(normalizeWeights([50, 10]), [8333, 1667]);
  assert.equal(normalizeWeights([0, 100]), [0, 10_000]);
  assert.equal(normalizeWeights([0, 0]), [0, 0]);
});

weights('a target moves in a straight line', () => {
  const before = weightedRoute({ v1: 100 });
  const after = weightedRoute({ v2: 100 });
  assert.equal(served(before, after, 0), { v1: 10_000, v2: 0 });
  assert.equal(served(before, after, 0.05), { v1: 9500, v2: 500 });
  assert.equal(served(before, after, 0.0001), { v1: 9999, v2: 1 });
  assert.equal(served(before, after, 1), { v1: 0, v2: 10_000 });
  assert.equal(served(weightedRoute({ v1: 90, v2: 10 }), after, 0.5), { v1: 4500, v2: 5500 });
});

weights(
  'always sum to the whole, stay between their ends, move one way, and are off by less than one',
  () => {
    const random = seededRandom(7);
    for (let round = 0; round < 60; round += 1) {
      const before = weightedRoute(randomShares(random));
      const after = weightedRoute(randomShares(random));
      let previous: Readonly<Record<string, number>> | undefined;
      for (const progress of [0, 0.01, 0.05, 0.1, 0.25, 0.333, 0.5, 0.75, 0.9, 0.99, 1]) {
        const moved = moveTargets(before, after, progress);
        const context = `round ${round}, progress ${progress}: ${JSON.stringify(moved)}`;
        assert.is(
          moved.reduce((sum, target) => sum + target.served, 0),
          wholeWeight,
          context,
        );
        for (const { virtualNode, applied, desired, served: weight } of moved) {
          const exact = applied + (desired - applied) * progress;
          // The whole movement is rounded to a unit, and each target's part of it to another.
          assert.ok(Math.abs(weight - exact) < 2, context);
          assert.ok(weight >= Math.min(applied, desired), context);
          assert.ok(weight <= Math.max(applied, desired), context);
          const last = previous?.[virtualNode] ?? applied;
          assert.ok((weight - last) * (desired - applied) >= 0, `moved back: ${context}`);
        }
        previous = served(before, after, progress);
      }
    }
  },
);

function randomShares(random: () => number): Readonly<Record<string, number>> {
  const count = 1 + Math.floor(random() * 6);
  const entries = Array.from({ length: count }, (_, index) => [
    `v${1 + ((index * 3 + Math.floor(random() * 3)) % 9)}`,
    Math.floor(random() * 100),
  ]);
  const shares = Object.fromEntries([...entries, ['v0', 1]]);
  return shares;
}

weights.run();
