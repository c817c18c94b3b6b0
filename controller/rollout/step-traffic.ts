/**
 * What a step does with requests beside moving weights: hands those that match to the canary, copies some
 * to it, draws by the client instead of by chance. Made for one route at a time, from the route as its
 * weights have come; requests that the route would not have got are not touched, since what is added
 * stands right before it and has all of its conditions.
 */
import { hashShare } from '../base/hash.js';
import type { HeaderMatch, Route, WeightedTarget } from '../mesh/model.js';
import { cookieHeader, type Mirror, type RequestMatch, type Sticky } from '../mesh/strategies.js';
import { wholeWeight } from '../mesh/weights.js';
import { type PlanStep, type Rollout, type RolloutPlan, servedProgress } from './rollout.js';
import { stickyTargets } from './sticky.js';
import { gainsOf } from './weights.js';

/** Plain JSON: what is served follows from it and from the progress. */
export interface StepTraffic {
  readonly match?: RequestMatch;
  readonly mirror?: Mirror;
  readonly sticky?: Sticky;
  /** Where in the circle of clients the canary begins, 0 to 9,999: not the same ones go first each time. */
  readonly origin: number;
}

/** Undefined where the step that `rollout` serves moves weights alone. */
export function trafficOf({ id, circle = id, plan, step }: Rollout): StepTraffic | undefined {
  const served = plan.steps[step];
  if (served?.stage !== 'weights') {
    return undefined;
  }
  const match = matchInForce(plan, step);
  const { mirror } = served;
  const sticky = servedProgress(served) > 0 ? plan.sticky : undefined;
  if (match === undefined && mirror === undefined && sticky === undefined) {
    return undefined;
  }
  const origin = sticky === undefined ? 0 : Math.floor(hashShare(circle) * wholeWeight);
  return { match, mirror, sticky, origin };
}

/** The conditions of the last step up to `index` that has any. */
export function matchInForce({ steps }: RolloutPlan, index: number): RequestMatch | undefined {
  return steps.slice(0, index + 1).findLast(isWithMatch)?.match;
}

function isWithMatch({ stage, match }: PlanStep): boolean {
  return stage === 'weights' && match !== undefined;
}

/** False where no request reaches the canary at step `index`: there is nothing to judge it by. */
export function givesTraffic(plan: RolloutPlan, index: number): boolean {
  const step = plan.steps[index];
  return (
    step?.stage !== 'weights' ||
    step.progress > 0 ||
    step.mirror !== undefined ||
    matchInForce(plan, index) !== undefined
  );
}

/**
 * The routes that stand for `route`, which is on its way from `before` to `after` at `progress` (0 to 1),
 * in the order in which they are tried. TCP connections cannot be told apart, so of them only weights move.
 */
export function partsOf(
  route: Route,
  ends: { readonly before: Route; readonly after: Route; readonly progress: number },
  { match, mirror, sticky, origin }: StepTraffic,
): readonly Route[] {
  const gains = gainsOf(ends.before, ends.after);
  if (route.protocol === 'tcp' || gains.length === 0) {
    return [route];
  }
  const rest = sticky === undefined ? [route] : stickyParts(route, ends, sticky, origin);
  return [
    ...(match === undefined ? [] : [matchPart(route, gains, match)]),
    ...(mirror === undefined ? rest : mirrorParts(route, gains, mirror)),
  ];
}

/** Requests that match go to the canary whole. */
function matchPart(
  route: Route,
  gains: readonly WeightedTarget[],
  { headers, cookies }: RequestMatch,
): Route {
  const part = withHeaders(route, [...headers, ...cookies.map(cookieHeader)]);
  return { ...part, part: 'match', targets: gains };
}

/** What is copied, and the rest of the route where it takes other methods too. */
function mirrorParts(
  route: Route,
  gains: readonly WeightedTarget[],
  { percent, methods }: Mirror,
): readonly Route[] {
  const { method } = route.match;
  const only = route.protocol === 'grpc' ? 'POST' : method;
  const total = gains.reduce((sum, { weight }) => sum + weight, 0);
  const copiesOf = ({ virtualNode, port }: WeightedTarget): number | undefined => {
    const gain = gains.find((one) => one.virtualNode === virtualNode && one.port === port);
    return gain && Math.round((gain.weight / total) * (percent / 100) * wholeWeight);
  };
  const targets = route.targets.map((target) => {
    const copies = copiesOf(target);
    return copies === undefined ? target : { ...target, copies };
  });
  if (only !== undefined) {
    return methods.includes(only) ? [{ ...route, targets }] : [route];
  }
  const byMethod: HeaderMatch = {
    name: ':method',
    invert: false,
    match: { kind: 'regex', regex: methods.join('|') },
  };
  return [{ ...withHeaders(route, [byMethod]), part: 'mirror', targets }, route];
}

/**
 * By a cookie, two routes: one for clients that have it, and one for the others, who are drawn by the id
 * of their first request and given it as their cookie, so that it draws the same for them ever after.
 */
function stickyParts(
  route: Route,
  { before, after, progress }: Parameters<typeof partsOf>[1],
  sticky: Sticky,
  origin: number,
): readonly Route[] {
  const targets = stickyTargets(before, after, progress, origin);
  if (targets.filter(({ weight }) => weight > 0).length <= 1) {
    return [route];
  }
  const drawn = { ...route, targets };
  if (sticky.kind === 'header') {
    return [{ ...drawn, drawnBy: { kind: 'header', name: sticky.name } }];
  }
  const { name, ttlMs } = sticky;
  return [
    {
      ...withHeaders(drawn, [cookieHeader({ name })]),
      part: 'returning',
      drawnBy: { kind: 'cookie', name },
    },
    { ...drawn, drawnBy: { kind: 'requestId' }, setCookie: { name, ttlMs } },
  ];
}

function withHeaders(route: Route, headers: readonly HeaderMatch[]): Route {
  const { match } = route;
  return { ...route, match: { ...match, headers: [...match.headers, ...headers] } };
}
