/** Properties of the draw of clients that stay, over seeded random routes; and one that people check by hand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../controller/base/random.js';
import type { WeightedTarget } from '../../controller/mesh/model.js';
import { wholeWeight } from '../../controller/mesh/weights.js';
import { stickyTargets } from '../../controller/rollout/sticky.js';
import { moveTargets } from '../../controller/rollout/weights.js';
import { weightedRoute } from '../support/weighted-route.js';

const sticky = suite('clients that stay');

/** Whom each of the 10,000 places draws, as Envoy goes through a list of weights. */
function drawnBy(targets: readonly WeightedTarget[]): readonly string[] {
  return targets.flatMap(({ virtualNode, weight }) =>
    Array.from({ length: weight }, () => virtualNode),
  );
}

function told(targets: readonly WeightedTarget[]): string {
  return targets.map(({ virtualNode, weight }) => `${virtualNode}=${weight}`).join(' ');
}

sticky('the canary grows at one end, from where the circle begins', () => {
  const before = weightedRoute({ v1: 100 });
  const after = weightedRoute({ v2: 100 });
  assert.is(told(stickyTargets(before, after, 0, 0)), 'v1=10000 v2=0');
  assert.is(told(stickyTargets(before, after, 0.05, 0)), 'v1=9500 v2=500');
  assert.is(told(stickyTargets(before, after, 0.05, 3000)), 'v1=6500 v2=500 v1=3000');
  assert.is(told(stickyTargets(before, after, 1, 3000)), 'v2=10000 v1=0');
  assert.is(
    told(stickyTargets(weightedRoute({ v1: 50, v2: 50 }), weightedRoute({ v3: 100 }), 0.5, 0)),
    'v1=2500 v3=2500 v2=2500 v3=2500',
  );
});

const steps = [0, 0.01, 0.05, 0.25, 0.333, 0.75, 0.99, 1];
const rounds = 25;

sticky('nobody changes over more than once, nor to where weights do not lead', () => {
  const random = seededRandom(11);
  for (let round = 0; round < rounds; round += 1) {
    const before = weightedRoute(randomShares(random));
    const after = weightedRoute(randomShares(random));
    const origin = Math.floor(random() * wholeWeight);
    const draws = steps.map((progress) => drawnBy(stickyTargets(before, after, progress, origin)));
    const moves = moveTargets(before, after, 0);
    const gaining = new Set(moves.filter((one) => one.desired > one.applied).map(nameOf));
    for (let place = 0; place < wholeWeight; place += 1) {
      const drawn = draws.map((draw) => draw[place] ?? 'nobody');
      const changes = drawn.filter((name, index) => index > 0 && name !== drawn[index - 1]);
      if (changes.length > 1 || changes.some((name) => !gaining.has(name))) {
        assert.unreachable(`round ${round}: place ${place} is drawn by ${drawn.join(', ')}`);
      }
    }
  }
});

sticky('shares are those of every other rollout', () => {
  const random = seededRandom(12);
  for (let round = 0; round < rounds; round += 1) {
    const before = weightedRoute(randomShares(random));
    const after = weightedRoute(randomShares(random));
    for (const progress of steps) {
      const targets = stickyTargets(before, after, progress, 0);
      const moved = moveTargets(before, after, progress);
      const gaining = moved.filter((one) => one.desired > one.applied).length;
      const losing = moved.filter((one) => one.desired < one.applied).length;
      const isExact = Math.min(gaining, losing) <= 1 || progress === 0 || progress === 1;
      const context = `round ${round}, progress ${progress}: ${told(targets)}`;
      assert.is(drawnBy(targets).length, wholeWeight, context);
      for (const { virtualNode, served } of moved) {
        const pieces = targets.filter((target) => target.virtualNode === virtualNode);
        assert.ok(pieces.length > 0, `${virtualNode} has no place: ${context}`);
        const sum = pieces.reduce((total, { weight }) => total + weight, 0);
        const distance = Math.abs(sum - served);
        assert.ok(isExact ? distance === 0 : distance < gaining + losing, context);
      }
    }
  }
});

function nameOf({ virtualNode }: { readonly virtualNode: string }): string {
  return virtualNode;
}

function randomShares(random: () => number): Readonly<Record<string, number>> {
  const count = 1 + Math.floor(random() * 5);
  const entries = Array.from({ length: count }, (_, index) => [
    `v${1 + ((index * 3 + Math.floor(random() * 3)) % 7)}`,
    Math.floor(random() * 100),
  ]);
  return Object.fromEntries([...entries, ['v0', 1]]);
}

sticky.run();
