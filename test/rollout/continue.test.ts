/** What a newer commit goes on from: no target that gains is given more than it has been given already. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { present } from '../../controller/base/assert.js';
import { type Random, seededRandom } from '../../controller/base/random.js';
import { diffMeshes } from '../../controller/diff/diff-meshes.js';
import { groupChanges } from '../../controller/diff/group.js';
import type { RequestMatch } from '../../controller/mesh/strategies.js';
import { continueFrom } from '../../controller/rollout/continue.js';
import { planRollout } from '../../controller/rollout/plan.js';
import type { PlanStep, Rollout } from '../../controller/rollout/rollout.js';
import { movingRoutes, weightProgress } from '../../controller/rollout/targets.js';
import { meshOf, policyOf } from '../support/mesh.js';

const continued = suite('rollouts that continue');

type Weights = Readonly<Record<string, number>>;

const steps = [10, 30, 50, 100].map((progress) => ({ progress, bakeMs: 0, approval: false }));

/** A rollout from `before` to `after`, at its step `step`. */
function rolloutOf(before: Weights, after: Weights, step: number): Rollout | undefined {
  const policy = policyOf({ steps, onSupersede: 'continue' });
  const [applied, desired] = [before, after].map((weights) =>
    meshOf([{ name: 'a', weights }], [policy]),
  );
  const ends = { applied: present(applied, 'a mesh'), desired: present(desired, 'a mesh') };
  const [group] = groupChanges(ends, diffMeshes(ends.applied, ends.desired));
  const moves = group?.resources.some(({ ref }) => ref.kind === 'VirtualRouter') === true;
  if (group === undefined || !moves) {
    return undefined;
  }
  return {
    id: 'a-1',
    mesh: 'demo',
    name: 'a',
    revision: { id: 'c1', author: 'ann', title: 'c1', committedAtMs: 0 },
    group,
    plan: planRollout(group, ends.desired),
    phase: 'Baking',
    reason: '',
    step,
    waveShare: 1,
    startedAtMs: 0,
    stepEnteredAtMs: 0,
    approvals: [],
    gates: [],
    evidence: [],
  };
}

/** What the targets that gain are given, by node, first by `previous` and then by what continues it. */
function gains(previous: Rollout, newer: Rollout): readonly (readonly [number, number])[] {
  const next = continueFrom(previous, newer.group, newer.plan);
  if (next === undefined) {
    return [];
  }
  const started = { ...newer, step: next.step, plan: { ...newer.plan, steps: next.steps } };
  const had = movingRoutes(previous.group, weightProgress(previous))[0] ?? [];
  const has = movingRoutes(started.group, weightProgress(started))[0] ?? [];
  return has.flatMap(({ virtualNode, applied, desired, served }) => {
    const before = had.find((other) => other.virtualNode === virtualNode)?.served ?? applied;
    return desired > applied ? [[before, served] as const] : [];
  });
}

function randomWeights(random: Random): Weights {
  const one = () => [0, 1, 10, 50, 100][Math.floor(random() * 5)] ?? 0;
  return { v1: 1 + one(), v2: one(), v3: one() };
}

continued('not one ten-thousandth more, also where two gain and one of them is rounded up', () => {
  const before = { v1: 1, v2: 0, v3: 0 };
  const previous = rolloutOf(before, { v1: 10, v2: 10, v3: 50 }, 1);
  const newer = rolloutOf(before, { v1: 1, v2: 1, v3: 50 }, -1);
  assert.ok(previous !== undefined && newer !== undefined);
  // 22.29 % of the way would be 42 and 2,144 of the 2,143 that v3 has.
  assert.equal(gains(previous, newer), [
    [428, 42],
    [2143, 2143],
  ]);
});

continued('of any weights', () => {
  const random = seededRandom(11);
  let seen = 0;
  for (let round = 0; round < 1000; round += 1) {
    const before = randomWeights(random);
    const previous = rolloutOf(before, randomWeights(random), Math.floor(random() * 3));
    const newer = rolloutOf(before, randomWeights(random), -1);
    for (const [had, has] of previous && newer ? gains(previous, newer) : []) {
      seen += 1;
      assert.ok(has <= had, `round ${round}: ${has} in place of ${had}`);
    }
  }
  assert.ok(seen > 100, `only ${seen} targets were continued`);
});

continued('requests that match come to no canary that did not get them', () => {
  const match: RequestMatch = {
    headers: [{ name: 'x-canary', invert: false, match: { kind: 'present' } }],
    cookies: [],
  };
  const before = { v1: 100, v2: 0 };
  const previous = rolloutOf(before, { v1: 0, v2: 100 }, 2);
  const newer = rolloutOf(before, { v1: 40, v2: 60 }, -1);
  assert.ok(previous !== undefined && newer !== undefined);
  const withMatch = ({ plan }: Rollout) => ({
    ...plan,
    steps: plan.steps.map((step, index): PlanStep => (index === 0 ? { ...step, match } : step)),
  });
  assert.is(continueFrom(previous, newer.group, newer.plan)?.step, 2);
  assert.is(continueFrom(previous, newer.group, withMatch(newer)), undefined);
  const matching = { ...previous, plan: withMatch(previous) };
  assert.is(continueFrom(matching, newer.group, withMatch(newer))?.step, 2);
});

continued.run();
