/**
 * A newer commit that wants the same versions at other weights, and a policy that says `continue`: its
 * rollout begins at the weights that are served already. Nothing gets more traffic by it, so nothing is
 * skipped that was not proven; what the newer step asks for is judged anew.
 */
import { sameValue } from '../base/same-value.js';
import type { ChangeGroup } from '../diff/change.js';
import { sameButForTargets } from '../diff/classify.js';
import { sameResource } from '../diff/diff-meshes.js';
import { type Resource, type Route, resourceKey } from '../mesh/model.js';
import { servedStep } from './mix.js';
import type { PlanStep, Rollout, RolloutPlan } from './rollout.js';
import { matchInForce } from './step-traffic.js';
import { gainingNodes, movingRoutes, weightProgress } from './targets.js';
import { type MovingTarget, targetKey } from './weights.js';

export interface Continuation {
  /** Index of the step that the newer rollout is in from its start. */
  readonly step: number;
  /** The newer plan's, where that one serves what is served already. */
  readonly steps: readonly PlanStep[];
}

/** Where the rollout of `group` goes on from `previous`, as that was served; undefined: it cannot. */
export function continueFrom(
  previous: Rollout,
  group: ChangeGroup,
  plan: RolloutPlan,
): Continuation | undefined {
  const isAsked = previous.plan.onSupersede === 'continue' && previous.isQueued !== true;
  const isMoving = servedStep(previous)?.stage === 'weights' && previous.phase !== 'Completing';
  if (!isAsked || !isMoving || !onlyWeightsDiffer(previous.group, group)) {
    return undefined;
  }
  const served = servedShare(previous, group) * 100;
  // The last step that asks for no more than what is served; none where no weight has moved yet.
  const step = plan.steps.findLastIndex(
    ({ stage, progress }) => stage === 'weights' && progress > 0 && progress <= served,
  );
  const reached = plan.steps[step];
  return reached === undefined || handsOverMore(previous, plan, step)
    ? undefined
    : { step, steps: plan.steps.with(step, { ...reached, served }) };
}

/** True where requests that match would come to the canary at `step` and did not before. */
function handsOverMore(previous: Rollout, plan: RolloutPlan, step: number): boolean {
  const match = matchInForce(plan, step);
  return match !== undefined && !sameValue(match, matchInForce(previous.plan, previous.step));
}

function onlyWeightsDiffer(previous: ChangeGroup, next: ChangeGroup): boolean {
  return (
    previous.resources.length === next.resources.length &&
    previous.resources.every((old, index) => {
      const change = next.resources[index];
      return (
        change !== undefined &&
        resourceKey(old.ref) === resourceKey(change.ref) &&
        sameResource(old.before, change.before) &&
        sameButForWeights(old.after, change.after)
      );
    }) &&
    gainingNodes(previous).join() === gainingNodes(next).join()
  );
}

function sameButForWeights(left: Resource | null, right: Resource | null): boolean {
  if (left?.kind !== 'VirtualRouter' || right?.kind !== 'VirtualRouter') {
    return sameResource(left, right);
  }
  return (
    sameResource({ ...left, routes: [] }, { ...right, routes: [] }) &&
    left.routes.length === right.routes.length &&
    left.routes.every((route, index) => {
      const other = right.routes[index];
      return other !== undefined && sameTargets(route, other) && sameButForTargets(route, other);
    })
  );
}

function sameTargets(left: Route, right: Route): boolean {
  return left.targets.map(targetKey).join() === right.targets.map(targetKey).join();
}

/** How far on its way the newer rollout may be, 0 to 1, without a target that gains getting more than it has. */
function servedShare(previous: Rollout, group: ChangeGroup): number {
  const served = movingRoutes(previous.group, weightProgress(previous));
  const servedOf = (target: MovingTarget, route: number): number =>
    served[route]?.find((other) => targetKey(other) === targetKey(target))?.served ??
    target.applied;
  const shares = movingRoutes(group, 1).flatMap((targets, route) =>
    targets.flatMap((target) => {
      const way = target.desired - target.applied;
      return way > 0 ? [(servedOf(target, route) - target.applied) / way] : [];
    }),
  );
  const share = Math.max(0, Math.min(1, ...shares));
  // Where several gain, what is rounded up for one of them would be a unit that it has not had.
  const isMore = movingRoutes(group, share).some((targets, route) =>
    targets.some(
      (target) => target.desired > target.applied && target.served > servedOf(target, route),
    ),
  );
  return isMore ? Math.max(0, share - halfUnit(group)) : share;
}

/** So much less progress rounds down what moves on any of the routes. */
function halfUnit(group: ChangeGroup): number {
  const distances = movingRoutes(group, 0).map((targets) =>
    targets.reduce((sum, { applied, desired }) => sum + Math.max(0, desired - applied), 0),
  );
  return 0.5 / Math.min(...distances.filter((distance) => distance > 0));
}
