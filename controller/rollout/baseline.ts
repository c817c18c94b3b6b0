/**
 * A baseline of its own beside a canary: the stable endpoints once more, in a cluster whose figures are
 * nobody else's, with as large a share as the canary's. Both then get as many requests, drawn from the
 * same ones, and what the stable version serves on other routes is not counted in.
 */
import { pairMemo } from '../base/memo.js';
import type { ResourceChange } from '../diff/change.js';
import type { Route, WeightedTarget } from '../mesh/model.js';
import type { RolloutPlan } from './rollout.js';
import { gainsOf, targetKey } from './weights.js';

/** True where a gate of `plan` asks for one. */
export function hasOwnBaseline({ gates }: RolloutPlan): boolean {
  return gates.some((gate) => gate.kind === 'compare' && gate.baseline === 'dedicated');
}

/**
 * `mixed`, which is `change` on its way, with a baseline in each route whose weights move. The same object
 * for the same pair.
 */
export const withBaseline = pairMemo(
  ({ before, after }: ResourceChange, mixed: ResourceChange): ResourceChange => {
    const served = mixed.after;
    const isRouter = before?.kind === 'VirtualRouter' && after?.kind === 'VirtualRouter';
    if (!isRouter || served?.kind !== 'VirtualRouter') {
      return mixed;
    }
    const routes = served.routes.map((route) => {
      const previous = before.routes.find(({ name }) => name === route.name);
      const wanted = after.routes.find(({ name }) => name === route.name);
      return previous === undefined || wanted === undefined
        ? route
        : splitRoute(route, gainingTargets(previous, wanted));
    });
    return { ...mixed, after: { ...served, routes } };
  },
);

function gainingTargets(before: Route, after: Route): ReadonlySet<string> {
  return new Set(gainsOf(before, after).map(targetKey));
}

/**
 * The largest stable target gives of its share what the canaries have, or all of it. The baseline stands
 * beside it, so that no other target's place in a draw is moved by it.
 */
function splitRoute(route: Route, canaries: ReadonlySet<string>): Route {
  const isCanary = (target: WeightedTarget): boolean => canaries.has(targetKey(target));
  const share = route.targets.filter(isCanary).reduce((sum, { weight }) => sum + weight, 0);
  const [stable] = route.targets
    .filter((target) => !isCanary(target))
    .sort((left, right) => right.weight - left.weight);
  const weight = Math.min(share, stable?.weight ?? 0);
  if (stable === undefined || weight === 0) {
    return route;
  }
  const targets = route.targets.flatMap((target): readonly WeightedTarget[] =>
    target === stable
      ? [
          { ...target, weight: target.weight - weight },
          { ...target, weight, role: 'baseline' },
        ]
      : [target],
  );
  return { ...route, targets };
}
