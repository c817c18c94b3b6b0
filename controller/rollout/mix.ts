/**
 * The effective mesh: applied and desired mixed by the progress of every rollout. `envoy` translates the
 * result and never learns that rollouts exist. Pure and shared: a resource that no rollout touches is
 * the same object as in the applied mesh, and so is what was translated from it.
 */
import { assertNever } from '../base/assert.js';
import { hashShare } from '../base/hash.js';
import { memo } from '../base/memo.js';
import type { ChangeGroup, ResourceChange } from '../diff/change.js';
import { targetsDiffer } from '../diff/classify.js';
import { applyChanges, sameResource } from '../diff/diff-meshes.js';
import {
  type Mesh,
  type Resource,
  type Route,
  resourceKey,
  type VirtualNode,
  type VirtualRouter,
} from '../mesh/model.js';
import { hasOwnBaseline, withBaseline } from './baseline.js';
import { isEnded, type PlanStep, type Rollout, servedProgress } from './rollout.js';
import { partsOf, type StepTraffic, trafficOf } from './step-traffic.js';
import { moveTargets } from './weights.js';

/** How much of a rollout's changes is served to one proxy. */
export type Position =
  | { readonly kind: 'applied' }
  /** The last good state, and what is new beside it: nothing that is served refers to it yet. */
  | { readonly kind: 'added' }
  /** The new configuration, weights at `progress` (0 to 1), nothing removed yet. */
  | { readonly kind: 'mixed'; readonly progress: number; readonly traffic?: StepTraffic }
  | { readonly kind: 'desired' };

const appliedPosition: Position = { kind: 'applied' };
const addedPosition: Position = { kind: 'added' };
const desiredPosition: Position = { kind: 'desired' };

/**
 * What `rollout` serves to the proxy `instance` now. What it adds is there for everybody before the first
 * step: a new version whose own proxy has no listener yet must not be sent any traffic.
 */
export function positionOf(rollout: Rollout, instance: string): Position {
  if (rollout.phase === 'Completing') {
    return desiredPosition;
  }
  if (isEnded(rollout.phase) || rollout.phase === 'RollingBack') {
    return appliedPosition;
  }
  const step = servedStep(rollout);
  if (step === undefined || !isInWave(rollout, instance)) {
    return hasAdditions(rollout) ? addedPosition : appliedPosition;
  }
  const progress = step.stage === 'weights' ? servedProgress(step) / 100 : 0;
  const traffic = trafficOf(rollout);
  return traffic === undefined ? { kind: 'mixed', progress } : { kind: 'mixed', progress, traffic };
}

/** True where something of the rollout can be served before its first step. */
export function hasAdditions(rollout: Rollout): boolean {
  return rollout.isQueued !== true && rollout.group.resources.some(isAddition);
}

/** True for what can be there before anything refers to it; a gateway route takes requests at once. */
export function isAddition({ ref, before }: ResourceChange): boolean {
  return before === null && ref.kind !== 'GatewayRoute';
}

/** The step that is served, or undefined where nothing of the rollout is, or all of it. */
export function servedStep(rollout: Rollout): PlanStep | undefined {
  const isServed = !isEnded(rollout.phase) && rollout.phase !== 'RollingBack';
  return isServed ? rollout.plan.steps[rollout.step] : undefined;
}

/**
 * True where the proxy gets the new configuration. Its place depends on itself and on the rollout, so
 * that a share that grows only adds proxies, and that not the same one goes first each time.
 */
export function isInWave(rollout: Rollout, instance: string): boolean {
  return rollout.waveShare >= 1 || wavePlace(rollout.id, instance) < rollout.waveShare;
}

/** The proxy's place in the order of waves of the rollout `id`, in [0, 1). */
export function wavePlace(id: string, instance: string): number {
  return hashShare(`${id}\n${instance}`);
}

/** What is served to the proxy `instance`: `applied` with every rollout of the mesh mixed in. */
export function effectiveMesh(applied: Mesh, rollouts: readonly Rollout[], instance: string): Mesh {
  return applyChanges(applied, effectiveChanges(rollouts, instance));
}

/**
 * In what `rollouts` serve to the proxy `instance` something else than what is applied: the `after` of each
 * change is served. The same objects for the same positions.
 */
export function effectiveChanges(
  rollouts: readonly Rollout[],
  instance: string,
): readonly ResourceChange[] {
  return rollouts.flatMap((rollout) => {
    const position = positionOf(rollout, instance);
    switch (position.kind) {
      case 'applied':
        return [];
      case 'added':
        return rollout.group.resources.filter(isAddition);
      case 'mixed': {
        const { group } = rollout;
        const mixed = mixGroup(group, position);
        return hasOwnBaseline(rollout.plan)
          ? group.resources.map((change, index) => withBaseline(change, mixed[index] ?? change))
          : mixed;
      }
      case 'desired':
        return rollout.group.resources;
      default:
        return assertNever(position);
    }
  });
}

type Mixed = Extract<Position, { kind: 'mixed' }>;

function mixGroup(group: ChangeGroup, position: Mixed): readonly ResourceChange[] {
  const goesNow = removedInWaves(group);
  return group.resources.map((change) =>
    goesNow.has(resourceKey(change.ref)) ? change : mixChange(change, position),
  );
}

/** Keys of what the group removes as a change of configuration; other removals come last. */
const removedInWaves = memo(
  ({ changes }: ChangeGroup): ReadonlySet<string> =>
    new Set(
      changes
        .filter((change) => change.class === 'config' && change.action === 'deleted')
        .filter(({ route }) => route === undefined)
        .map(({ resource }) => resourceKey(resource)),
    ),
);

/**
 * `change` as far as the weights have come: its `after` is what is to be served. The same object for the
 * same position, so that what another rollout does makes nothing of this one anew.
 */
function mixChange(change: ResourceChange, position: Mixed): ResourceChange {
  const byPosition = mixedChanges(change);
  const key = JSON.stringify(position);
  const mixed = byPosition.get(key) ?? mix(change, position);
  byPosition.set(key, mixed);
  return mixed;
}

/** By position, of which a plan has as many as steps. */
const mixedChanges = memo((_change: ResourceChange) => new Map<string, ResourceChange>());

function mix(change: ResourceChange, position: Mixed): ResourceChange {
  const { before, after } = change;
  if (before === null) {
    return change;
  }
  if (after === null) {
    // Removals come last, when every gate has passed.
    return { ...change, after: before };
  }
  const mixed = mixResource(before, after, position);
  return { ...change, after: sameResource(mixed, after) ? after : mixed };
}

function mixResource(before: Resource, after: Resource, position: Mixed): Resource {
  if (before.kind === 'VirtualRouter' && after.kind === 'VirtualRouter') {
    return mixRouter(before, after, position);
  }
  if (before.kind === 'VirtualNode' && after.kind === 'VirtualNode') {
    return keepBackends(before, after);
  }
  return after;
}

function mixRouter(before: VirtualRouter, after: VirtualRouter, position: Mixed): VirtualRouter {
  return {
    ...after,
    routes: after.routes.flatMap((route): readonly Route[] => {
      const previous = before.routes.find((candidate) => candidate.name === route.name);
      return previous === undefined || !targetsDiffer(previous, route)
        ? [route]
        : mixRoute(previous, route, position);
    }),
  };
}

/** Targets keep a place at weight 0, so that a proxy has their clusters for the way back. */
function mixRoute(before: Route, after: Route, { progress, traffic }: Mixed): readonly Route[] {
  const targets = moveTargets(before, after, progress).map(({ virtualNode, port, served }) => ({
    virtualNode,
    port,
    weight: served,
  }));
  const route = { ...after, targets };
  return traffic === undefined ? [route] : partsOf(route, { before, after, progress }, traffic);
}

/** A backend that goes is a removal: callers may use it until the rollout completes. */
function keepBackends(before: VirtualNode, after: VirtualNode): VirtualNode {
  const has = new Set(after.backends.map((backend) => backend.virtualService));
  const kept = before.backends.filter((backend) => !has.has(backend.virtualService));
  if (kept.length === 0) {
    return after;
  }
  const backends = [...after.backends, ...kept].sort((left, right) =>
    left.virtualService < right.virtualService ? -1 : 1,
  );
  return { ...after, backends };
}
