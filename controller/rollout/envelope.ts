/** Invariant H1 of what is served: every weight lies between what is applied and what is desired. */
import type { ResourceChange } from '../diff/change.js';
import { type Resource, type Route, resourceKey, type VirtualRouter } from '../mesh/model.js';
import { normalizeWeights } from '../mesh/weights.js';
import { hasOwnBaseline } from './baseline.js';
import type { Rollout } from './rollout.js';
import { targetKey } from './weights.js';

/** Shares are rounded to one of 10,000, each end by itself. */
const roundingUnits = 1;

/**
 * One sentence for each target that gets more or less than both ends of its rollout, where the `after` of
 * each of `changes` is served. Parts of a route's requests, clients who are drawn for, and rollouts with a
 * baseline of their own have other ends.
 */
export function envelopeProblems(
  rollouts: readonly Rollout[],
  changes: readonly ResourceChange[],
): readonly string[] {
  if (changes.length === 0) {
    return [];
  }
  const served = new Map(changes.map(({ ref, after }) => [resourceKey(ref), after]));
  return rollouts
    .filter(({ plan }) => !hasOwnBaseline(plan))
    .flatMap(({ group }) =>
      group.resources.flatMap(({ ref, before, after }) =>
        before?.kind === 'VirtualRouter' && after?.kind === 'VirtualRouter'
          ? routerProblems(served.get(resourceKey(ref)), before, after)
          : [],
      ),
    );
}

function routerProblems(
  served: Resource | null | undefined,
  before: VirtualRouter,
  after: VirtualRouter,
): readonly string[] {
  const routes = served?.kind === 'VirtualRouter' ? served.routes : [];
  const isWhole = ({ part, drawnBy }: Route) => part === undefined && drawnBy === undefined;
  return routes.filter(isWhole).flatMap((route) => {
    const ends = [before, after].map(({ routes }) =>
      routes.find(({ name }) => name === route.name),
    );
    const [from, to] = ends;
    return from === undefined || to === undefined
      ? []
      : routeProblems(route, sharesOf(from), sharesOf(to)).map(
          (problem) => `${before.name} route ${route.name}: ${problem}`,
        );
  });
}

function routeProblems(
  route: Route,
  from: ReadonlyMap<string, number>,
  to: ReadonlyMap<string, number>,
): readonly string[] {
  return [...sharesOf(route)].flatMap(([target, share]) => {
    const ends = [from.get(target) ?? 0, to.get(target) ?? 0];
    const [low, high] = [Math.min(...ends) - roundingUnits, Math.max(...ends) + roundingUnits];
    return share < low || share > high
      ? [`${target} would get ${share} of 10000, not between ${ends.join(' and ')}`]
      : [];
  });
}

function sharesOf(route: Route): ReadonlyMap<string, number> {
  const shares = normalizeWeights(route.targets.map(({ weight }) => weight));
  const byTarget = new Map<string, number>();
  for (const [index, target] of route.targets.entries()) {
    const key = targetKey(target);
    byTarget.set(key, (byTarget.get(key) ?? 0) + (shares[index] ?? 0));
  }
  return byTarget;
}
