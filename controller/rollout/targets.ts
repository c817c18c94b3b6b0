/** The targets of a rollout's routes with their four weights: applied, desired, served and actual. */
import { memo } from '../base/memo.js';
import type { ChangeGroup } from '../diff/change.js';
import { wholeWeight } from '../mesh/weights.js';
import type { LoadHistory } from './load-history.js';
import { servedStep } from './mix.js';
import { type Rollout, servedProgress } from './rollout.js';
import { type MovingTarget, moveTargets } from './weights.js';

export interface RolloutTarget {
  readonly router: string;
  readonly route: string;
  readonly virtualNode: string;
  readonly port: number;
  /** Percent of the route's traffic, to two decimals. */
  readonly applied: number;
  readonly desired: number;
  /** What the proxies are told now. */
  readonly served: number;
  /** What they did in the last seconds; undefined without traffic, and while some of it is copied. */
  readonly actual?: number;
}

/** How far back `actual` looks: long enough for a share of 5 % at ten requests a second. */
const actualWindowMs = 10_000;

/** Targets of every route whose weights `rollout` moves, sorted by router, route and node. */
export function rolloutTargets(
  rollout: Rollout,
  load: LoadHistory,
  nowMs: number,
): readonly RolloutTarget[] {
  return rollout.group.resources.flatMap(({ before, after }) => {
    if (before?.kind !== 'VirtualRouter' || after?.kind !== 'VirtualRouter') {
      return [];
    }
    return after.routes.flatMap((route) => {
      const previous = before.routes.find((candidate) => candidate.name === route.name);
      if (previous === undefined) {
        return [];
      }
      const moving = moveTargets(previous, route, weightProgress(rollout));
      const isMoving = moving.some((target) => target.applied !== target.desired);
      return isMoving ? withActual(rollout, after.name, route.name, moving, load, nowMs) : [];
    });
  });
}

/** How far the weights have come, 0 to 1. */
export function weightProgress(rollout: Rollout): number {
  if (rollout.phase === 'Completing' || rollout.phase === 'Succeeded') {
    return 1;
  }
  const step = servedStep(rollout);
  return step?.stage === 'weights' ? servedProgress(step) / 100 : 0;
}

/** Names of the virtual nodes that gain traffic: the canaries. None where no share of a route moves. */
export const gainingNodes = memo((group: ChangeGroup): readonly string[] =>
  nodesOf(group, (target) => target.desired > target.applied),
);

/** Names of the virtual nodes that lose traffic to the canaries. */
export const losingNodes = memo((group: ChangeGroup): readonly string[] =>
  nodesOf(group, (target) => target.desired < target.applied),
);

function nodesOf(
  group: ChangeGroup,
  isOne: (target: ReturnType<typeof movingRoutes>[number][number]) => boolean,
): readonly string[] {
  const targets = movingRoutes(group, 0).flat().filter(isOne);
  return [...new Set(targets.map((target) => target.virtualNode))].sort();
}

/** The targets of each route that is there before and after, at `progress` (0 to 1). */
export function movingRoutes(
  group: ChangeGroup,
  progress: number,
): readonly (readonly MovingTarget[])[] {
  return group.resources.flatMap(({ before, after }) =>
    before?.kind === 'VirtualRouter' && after?.kind === 'VirtualRouter'
      ? after.routes.flatMap((route) => {
          const previous = before.routes.find((candidate) => candidate.name === route.name);
          return previous === undefined ? [] : [moveTargets(previous, route, progress)];
        })
      : [],
  );
}

function withActual(
  rollout: Rollout,
  router: string,
  route: string,
  moving: ReturnType<typeof moveTargets>,
  load: LoadHistory,
  nowMs: number,
): readonly RolloutTarget[] {
  const fromMs = Math.max(nowMs - actualWindowMs, rollout.ackedAtMs ?? 0);
  const issued = moving.map(({ virtualNode }) => {
    const query = { mesh: rollout.mesh, virtualNode, direction: 'egress', fromMs } as const;
    return load.total(query).issued + load.total({ ...query, role: 'baseline' }).issued;
  });
  // Copies are counted as any request is: which of them are the callers' own cannot be said.
  const isCopied = servedStep(rollout)?.mirror !== undefined;
  const total = isCopied ? 0 : issued.reduce((sum, count) => sum + count, 0);
  return moving.map((target, index) => ({
    router,
    route,
    virtualNode: target.virtualNode,
    port: target.port,
    applied: percent(target.applied / wholeWeight),
    desired: percent(target.desired / wholeWeight),
    served: percent(target.served / wholeWeight),
    ...(total === 0 ? {} : { actual: percent((issued[index] ?? 0) / total) }),
  }));
}

function percent(share: number): number {
  return Math.round(share * 10_000) / 100;
}
