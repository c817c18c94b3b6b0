/** The undo log of what rollouts replaced (`rollout/good-states.ts`): kept in the state, by group and bounded. */
import { forgetOldest } from '../base/forget-oldest.js';
import { memo } from '../base/memo.js';
import type { ChangeGroup } from '../diff/change.js';
import { hashOf } from '../mesh/content.js';
import { findResource, type Mesh, resourceKey } from '../mesh/model.js';
import { rollbackRevisionsMax } from '../mesh/policy-defaults.js';
import { findGoodState, type PastState } from '../rollout/good-states.js';
import type { GoodState, Rollout, RolloutPlan } from '../rollout/rollout.js';
import { gainingNodes } from '../rollout/targets.js';
import type { DurableState } from './state.js';

/** By mesh and name of the group, oldest first. */
export type Past = ReadonlyMap<string, readonly PastState[]>;

/** The farthest that a policy may look back, and one more, which says how that state was reached. */
const statesMax = rollbackRevisionsMax + 1;

/** Names of groups that are remembered: more than a large mesh has routers. */
const namesMax = 10_000;

/** `past` with `succeeded`, which have now. */
export function withPast(past: Past, succeeded: readonly Rollout[], nowMs: number): Past {
  const next = new Map(past);
  for (const rollout of succeeded) {
    const key = `${rollout.mesh}/${rollout.name}`;
    const states = [...(next.get(key) ?? []), stateBefore(rollout, nowMs)].slice(-statesMax);
    // Last in the order of names: who is forgotten first has not changed for longest.
    next.delete(key);
    next.set(key, states);
    forgetOldest(next, namesMax);
  }
  return next;
}

function stateBefore(rollout: Rollout, nowMs: number): PastState {
  return {
    rollout: rollout.id,
    revision: rollout.revision.id,
    atMs: nowMs,
    how: howReached(rollout),
    hasSteps: rollout.plan.steps.length > 0 || rollout.plan.returnsTo !== undefined,
    was: contentOf(rollout.group, 'before'),
  };
}

function howReached({ plan, isForced }: Rollout): PastState['how'] {
  if (plan.returnsTo !== undefined) {
    return 'returned';
  }
  return isForced === true ? 'forced' : 'passed';
}

function contentOf(
  group: ChangeGroup,
  side: 'before' | 'after',
): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    group.resources.map((change) => [resourceKey(change.ref), hashOf(change[side])]),
  );
}

/** The good state that `group` brings back, if `plan` allows it to be served at once. */
export function goodStateOf(
  durable: DurableState,
  desired: Mesh,
  group: ChangeGroup,
  { rollbackWindow, steps }: RolloutPlan,
  nowMs: number,
): GoodState | undefined {
  if (
    rollbackWindow === undefined ||
    steps.length === 0 ||
    !hasEndpoints(durable, group, desired)
  ) {
    return undefined;
  }
  const byKey = pastByKey(durable.past);
  const states = new Set(group.resources.flatMap(({ ref }) => byKey.get(resourceKey(ref)) ?? []));
  const newestFirst = [...states].sort(
    (left, right) => right.atMs - left.atMs || numberOf(right) - numberOf(left),
  );
  const [wanted, present] = [contentOf(group, 'after'), contentOf(group, 'before')];
  return findGoodState(wanted, present, newestFirst, rollbackWindow, nowMs);
}

const pastByKey = memo((past: Past): ReadonlyMap<string, readonly PastState[]> => {
  const byKey = new Map<string, PastState[]>();
  for (const state of [...past.values()].flat()) {
    for (const key of Object.keys(state.was)) {
      byKey.set(key, [...(byKey.get(key) ?? []), state]);
    }
  }
  return byKey;
});

function numberOf({ rollout }: PastState): number {
  return Number(rollout.slice(rollout.lastIndexOf('-') + 1));
}

/** What announces its endpoints and has none left would be given traffic that nobody answers. */
function hasEndpoints({ announced }: DurableState, group: ChangeGroup, desired: Mesh): boolean {
  return gainingNodes(group).every((name) => {
    const ref = { kind: 'VirtualNode', name } as const;
    const node = findResource(desired, ref);
    const isAnnounced = node?.kind === 'VirtualNode' && node.serviceDiscovery?.kind === 'announced';
    const entries = announced.get(resourceKey({ mesh: desired.name, ...ref })) ?? [];
    return !isAnnounced || entries.some(({ lostAtMs }) => lostAtMs === undefined);
  });
}
