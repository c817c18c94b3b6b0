/**
 * What a newer commit does to the rollouts under way whose resources it wants otherwise: they end at once,
 * and the newer wish starts from the last good state or from where they were; or, where their policy says
 * so, they are finished first. The last good state is never waited for.
 */
import type { ResourceChange } from '../diff/change.js';
import { sameResource } from '../diff/diff-meshes.js';
import { findResource, type Mesh } from '../mesh/model.js';
import type { Rollout } from '../rollout/rollout.js';
import { revisionOf } from './repositories.js';
import { runningRollouts } from './running.js';
import type { DurableState, MeshState } from './state.js';

export interface Superseding {
  readonly durable: DurableState;
  /** As they were when they were superseded. */
  readonly superseded: readonly Rollout[];
  /** Those that the newer commit waits for. */
  readonly finishing: readonly Rollout[];
}

/** A rollout that is going back anyway is left to get there. */
export function supersede(durable: DurableState, mesh: MeshState, nowMs: number): Superseding {
  const rollouts = new Map(durable.rollouts);
  const superseded: Rollout[] = [];
  const finishing: Rollout[] = [];
  for (const rollout of runningRollouts(durable, mesh.desired.name)) {
    const changed = unwanted(rollout, mesh.desired);
    if (rollout.phase === 'RollingBack' || changed.length === 0) {
      rollouts.set(rollout.id, follow(rollout, undefined));
    } else if (isFinished(rollout, mesh.desired)) {
      rollouts.set(rollout.id, follow(rollout, revisionOf(durable, changed)?.id));
      finishing.push(rollout);
    } else {
      rollouts.set(rollout.id, end(rollout, changed, nowMs));
      superseded.push(rollout);
    }
  }
  return { durable: { ...durable, rollouts }, superseded, finishing };
}

/** What `rollout` brings and `desired` wants otherwise. */
function unwanted({ group }: Rollout, desired: Mesh): readonly ResourceChange[] {
  return group.resources.filter(
    ({ ref, after }) => !sameResource(findResource(desired, ref) ?? null, after),
  );
}

function follow(rollout: Rollout, revision: string | undefined): Rollout {
  return rollout.followedBy === revision ? rollout : { ...rollout, followedBy: revision };
}

/** True where the policy says to finish, something of it is served, and no way back is asked for. */
function isFinished({ plan, group, isQueued }: Rollout, desired: Mesh): boolean {
  return plan.onSupersede === 'finish' && isQueued !== true && !isWayBack(group.resources, desired);
}

/** True where all that was there before is wanted as it was; what was only added beside it may stay. */
function isWayBack(resources: readonly ResourceChange[], desired: Mesh): boolean {
  return resources.every(
    ({ ref, before }) =>
      before === null || sameResource(findResource(desired, ref) ?? null, before),
  );
}

function end(rollout: Rollout, changed: readonly ResourceChange[], nowMs: number): Rollout {
  const names = changed.map(({ ref }) => `${ref.kind} ${ref.name}`).join(', ');
  const reason = `a newer commit changes ${names}`.slice(0, 1000);
  return { ...rollout, phase: 'Superseded', reason, endedAtMs: nowMs };
}
