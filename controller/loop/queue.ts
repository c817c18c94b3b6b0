/**
 * The order of policies: what a rollout that is `after` others waits for. Level-based: whatever a policy
 * named there governs and is not done yet, be it under way, held, or waiting for something itself, and of
 * whichever commit. Whom a policy is after is the newest commit's word, not that of the plan: of two
 * commits each rollout could wait for the other's, and one commit's policies name no circle.
 */
import { memo, pairMemo } from '../base/memo.js';
import { diffMeshes } from '../diff/diff-meshes.js';
import { missingFor } from '../diff/stands-alone.js';
import { resourceKey } from '../mesh/model.js';
import { groupsOf } from '../rollout/groups.js';
import { selectPolicy } from '../rollout/plan.js';
import { isEnded, type Rollout } from '../rollout/rollout.js';
import type { DurableState } from './state.js';

/** What must be done before `rollout` starts, one sentence each; empty: it may. */
export function workBefore(durable: DurableState, rollout: Rollout): readonly string[] {
  const policies = durable.meshes.get(rollout.mesh)?.desired.rolloutPolicies ?? [];
  const after = policies.find(({ name }) => name === rollout.plan.policy)?.after ?? [];
  return after.flatMap((name) => openWork(durable).get(`${rollout.mesh}/${name}`) ?? []);
}

/** By mesh and policy what is left to do. Found once for a state, whoever asks. */
const openWork = memo((durable: DurableState): ReadonlyMap<string, readonly string[]> => {
  const open = new Map<string, string[]>();
  const add = (mesh: string, policy: string | undefined, text: string): void => {
    const key = `${mesh}/${policy}`;
    const texts = open.get(key) ?? [];
    texts.push(`${text} (policy ${policy})`);
    open.set(key, texts);
  };
  const known = new Set<string>();
  const queued = new Set<string>();
  for (const { id, mesh, plan, phase, group, isQueued } of durable.rollouts.values()) {
    const held = durable.held.get(id);
    if (held !== undefined) {
      add(mesh, plan.policy, `${id}, which failed: ${held.reason}`);
    } else if (!isEnded(phase)) {
      add(mesh, plan.policy, `${id}, which is ${phase}`);
    }
    if (held !== undefined || !isEnded(phase)) {
      for (const key of group.resources.map(({ ref }) => resourceKey(ref))) {
        known.add(key);
        if (isQueued) {
          queued.add(key);
        }
      }
    }
  }
  for (const [name, { applied, desired }] of durable.meshes) {
    const rest = differences(applied, desired).filter(({ ref }) => !known.has(resourceKey(ref)));
    const startable = groupsOf({ applied, desired }, rest).filter(
      // Who needs what a queued rollout brings comes behind it, or both would wait for ever.
      ({ resources }) => !missingFor(applied, resources).some((key) => queued.has(key)),
    );
    for (const group of startable) {
      const policy = selectPolicy(group, desired.rolloutPolicies);
      add(name, policy?.name, `${group.name}, which waits to be started`);
    }
  }
  return open;
});

const differences = pairMemo(diffMeshes);
