/**
 * Weights on the way from applied to desired, in units of 1/10,000 of a route's traffic.
 *
 * What moves is taken from the targets that lose and given to those that gain. Each unit that moves is
 * given by the quota method (Balinski and Young, "The Quota Method of Apportionment", 1975): like
 * largest remainders it never differs from the exact share by a whole unit, and unlike them it never
 * takes back what it gave. So weights sum to the whole, stay between their two ends and move one way.
 */
import { pairMemo } from '../base/memo.js';
import { compareText } from '../base/problem.js';
import type { Route, WeightedTarget } from '../mesh/model.js';
import { normalizeWeights } from '../mesh/weights.js';

/** What names a target inside a route. */
export function targetKey(target: Pick<WeightedTarget, 'virtualNode' | 'port'>): string {
  return `${target.virtualNode}:${target.port}`;
}

/** A target on its way; weights in 1/10,000. */
export interface MovingTarget {
  readonly virtualNode: string;
  readonly port: number;
  readonly applied: number;
  readonly desired: number;
  readonly served: number;
}

/**
 * Every target of either route, sorted by key, with its weights at `progress` (0 to 1). 0 serves
 * `applied`'s shares exactly, 1 `desired`'s.
 */
export function moveTargets(
  before: Route,
  after: Route,
  progress: number,
): readonly MovingTarget[] {
  const byProgress = movedTargets(before, after);
  const moved = byProgress.get(progress) ?? move(before, after, progress);
  byProgress.set(progress, moved);
  return moved;
}

/** The targets that gain, each with what it gains in all as its weight; none where no share moves. */
export function gainsOf(before: Route, after: Route): readonly WeightedTarget[] {
  return moveTargets(before, after, 0).flatMap(({ virtualNode, port, applied, desired }) =>
    desired > applied ? [{ virtualNode, port, weight: desired - applied }] : [],
  );
}

/** By progress, of which a plan has as many as steps: one publication mixes every rollout's routes. */
const movedTargets = pairMemo(
  (_before: Route, _after: Route) => new Map<number, readonly MovingTarget[]>(),
);

function move(before: Route, after: Route, progress: number): readonly MovingTarget[] {
  const applied = sharesOf(before);
  const desired = sharesOf(after);
  const targets = new Map([...before.targets, ...after.targets].map((t) => [targetKey(t), t]));
  const keys = [...targets.keys()].sort(compareText);
  const deltas = keys.map((key) => (desired.get(key) ?? 0) - (applied.get(key) ?? 0));
  const distance = deltas.reduce((sum, delta) => sum + Math.max(0, delta), 0);
  const moved = Math.round(distance * Math.min(1, Math.max(0, progress)));
  const gained = apportion(
    deltas.map((delta) => Math.max(0, delta)),
    moved,
  );
  const lost = apportion(
    deltas.map((delta) => Math.max(0, -delta)),
    moved,
  );
  return keys.flatMap((key, index) => {
    const target = targets.get(key);
    const start = applied.get(key) ?? 0;
    const served = start + (gained[index] ?? 0) - (lost[index] ?? 0);
    return target === undefined
      ? []
      : [
          {
            virtualNode: target.virtualNode,
            port: target.port,
            applied: start,
            desired: desired.get(key) ?? 0,
            served,
          },
        ];
  });
}

function sharesOf(route: Route): ReadonlyMap<string, number> {
  const shares = normalizeWeights(route.targets.map((target) => target.weight));
  return new Map(route.targets.map((target, index) => [targetKey(target), shares[index] ?? 0]));
}

/**
 * `units` of the sum of `claims` shared out in proportion. Monotone: with more units nobody gets fewer;
 * with all of them everybody gets the claim. Among those whose upper quota allows one more unit, the
 * next goes to the largest claim per unit held.
 */
export function apportion(claims: readonly number[], units: number): readonly number[] {
  const total = claims.reduce((sum, claim) => sum + claim, 0);
  const held = claims.map(() => 0);
  const claimants = claims.filter((claim) => claim > 0).length;
  if (claimants <= 1 || units === total) {
    return claims.map((claim) => (claimants === 1 && claim > 0 ? units : claim));
  }
  for (let unit = 1; unit <= units; unit += 1) {
    let best = -1;
    let bestQuotient = 0;
    for (const [index, claim] of claims.entries()) {
      const has = held[index] ?? 0;
      const mayHaveMore = has < (claim * unit) / total;
      const quotient = claim / (has + 1);
      if (mayHaveMore && quotient > bestQuotient) {
        best = index;
        bestQuotient = quotient;
      }
    }
    held[best] = (held[best] ?? 0) + 1;
  }
  return held;
}
