/**
 * `reconcile(durable, nowMs)`: compares what is applied with what is desired, and starts, supersedes and
 * releases rollouts until the two agree or everything between them is under way, held or waiting for
 * something that is. Level-based: it looks at the whole state and may be called at any time.
 */
import { canonicalJson, contentHash } from '../base/hash.js';
import type { ChangeGroup, ResourceChange } from '../diff/change.js';
import { diffMeshes, sameResource } from '../diff/diff-meshes.js';
import { makeGroup } from '../diff/group.js';
import { missingFor } from '../diff/stands-alone.js';
import { findResource, type Mesh, resourceKey } from '../mesh/model.js';
import { groupsOf, isOperational } from '../rollout/groups.js';
import { isAddition } from '../rollout/mix.js';
import { planRollout } from '../rollout/plan.js';
import { type HeldChange, isEnded, type RevisionInfo, type Rollout } from '../rollout/rollout.js';
import type { DurableState, MeshState } from './state.js';

/** `durable` with every rollout started or superseded that the desired meshes ask for. */
export function reconcile(durable: DurableState, nowMs: number): DurableState {
  const { desired } = durable.revision;
  if (desired === undefined) {
    return durable;
  }
  let next = durable;
  for (const [name, mesh] of durable.meshes) {
    next = reconcileMesh(next, name, mesh, desired, nowMs);
  }
  return markApplied(next);
}

function reconcileMesh(
  durable: DurableState,
  name: string,
  mesh: MeshState,
  revision: RevisionInfo,
  nowMs: number,
): DurableState {
  const superseded = supersede(durable, name, mesh, nowMs);
  const changes = diffMeshes(mesh.applied, mesh.desired);
  const running = runningRollouts(superseded, name);
  const runningKeys = new Set(running.flatMap((rollout) => keysOf(rollout.group.resources)));
  const free = changes.filter((change) => !runningKeys.has(resourceKey(change.ref)));
  const { held, waiting } = releaseHeld(superseded.held, name, free);
  const heldKeys = new Set([...waiting.values()].flat().map(({ ref }) => resourceKey(ref)));
  const startable = free.filter((change) => !heldKeys.has(resourceKey(change.ref)));
  const next = { ...superseded, held };
  return groupsOf(mesh.desired, startable).reduce(
    (state, group) => startGroup(state, mesh, group, waiting, revision, nowMs),
    next,
  );
}

/** Rollouts of the mesh that have not ended, oldest first. */
export function runningRollouts(durable: DurableState, mesh: string): readonly Rollout[] {
  return [...durable.rollouts.values()].filter(
    (rollout) => rollout.mesh === mesh && !isEnded(rollout.phase),
  );
}

function keysOf(changes: readonly ResourceChange[]): readonly string[] {
  return changes.map((change) => resourceKey(change.ref));
}

/**
 * A rollout whose resources are no longer wanted as it brings them ends at once: what is served is the
 * last good state again, and the newer wish starts from there. One that is going back anyway is left to
 * get there.
 */
function supersede(
  durable: DurableState,
  name: string,
  mesh: MeshState,
  nowMs: number,
): DurableState {
  const rollouts = new Map(durable.rollouts);
  for (const rollout of runningRollouts(durable, name)) {
    const changed = rollout.group.resources.filter(
      ({ ref, after }) => !sameResource(findResource(mesh.desired, ref) ?? null, after),
    );
    if (changed.length > 0 && rollout.phase !== 'RollingBack') {
      const names = changed.map(({ ref }) => `${ref.kind} ${ref.name}`).join(', ');
      rollouts.set(rollout.id, {
        ...rollout,
        phase: 'Superseded',
        reason: `a newer commit changes ${names}`,
        endedAtMs: nowMs,
      });
    }
  }
  return { ...durable, rollouts };
}

/** What is held and still wanted, by the id of the rollout that failed. */
type Waiting = ReadonlyMap<string, readonly ResourceChange[]>;

/**
 * Which held changes stay held. Held is content, not a commit: as long as exactly what failed is wanted
 * again, nothing is tried; another wish for any of its resources, or none, releases it.
 */
function releaseHeld(
  held: ReadonlyMap<string, HeldChange>,
  mesh: string,
  changes: readonly ResourceChange[],
): { held: ReadonlyMap<string, HeldChange>; waiting: Waiting } {
  const kept = new Map<string, HeldChange>();
  const waiting = new Map<string, readonly ResourceChange[]>();
  for (const [id, change] of held) {
    const asked = changes.filter(({ ref }) => resourceKey(ref) in change.wanted);
    const isSame =
      asked.length === Object.keys(change.wanted).length &&
      asked.every(({ ref, after }) => change.wanted[resourceKey(ref)] === hashOf(after));
    if (change.mesh !== mesh) {
      kept.set(id, change);
    } else if (isSame) {
      kept.set(id, change);
      waiting.set(id, asked);
    }
  }
  return { held: kept, waiting };
}

function hashOf(resource: ResourceChange['after']): string | null {
  return resource === null ? null : contentHash(canonicalJson(resource));
}

/** What is remembered of `rollout`, which failed. */
export function holdRollout(rollout: Rollout, nowMs: number): HeldChange {
  return {
    rollout: rollout.id,
    mesh: rollout.mesh,
    name: rollout.name,
    reason: rollout.reason,
    sinceMs: nowMs,
    revision: rollout.revision,
    wanted: Object.fromEntries(
      rollout.group.resources.map(({ ref, after }) => [resourceKey(ref), hashOf(after)]),
    ),
  };
}

/**
 * Starts a rollout for `group`, unless it cannot stand without something that is still under way: then
 * it waits, and the end of that rollout reconciles again. A group that needs what is held has changed
 * the held group: both are tried together.
 */
function startGroup(
  durable: DurableState,
  mesh: MeshState,
  group: ChangeGroup,
  waiting: Waiting,
  revision: RevisionInfo,
  nowMs: number,
): DurableState {
  // Another group of this commit may have taken some of it with it already.
  const isHeld = ([id]: readonly [string, unknown]) => durable.held.has(id);
  const needed = neededOf(mesh.applied, group.resources, new Map([...waiting].filter(isHeld)));
  if (needed === undefined) {
    return durable;
  }
  if (needed.length === 0) {
    return start(durable, mesh, group, revision, nowMs);
  }
  const held = new Map([...durable.held].filter(([id]) => !needed.includes(id)));
  const joined = needed.flatMap((id) => waiting.get(id) ?? []);
  const whole = makeGroup(group.mesh, [...group.resources, ...joined]);
  return start({ ...durable, held }, mesh, whole, revision, nowMs);
}

/**
 * Which of what is held `changes` cannot stand without, and nothing more of it: no failed change is tried
 * again for one that has nothing to do with it. Undefined where even all of it would not do.
 */
function neededOf(
  applied: Mesh,
  changes: readonly ResourceChange[],
  waiting: Waiting,
): readonly string[] | undefined {
  const needed = new Set<string>();
  let joined = changes;
  for (;;) {
    const missing = new Set(missingFor(applied, joined));
    if (missing.size === 0) {
      return [...needed];
    }
    const found = [...waiting].find(
      ([id, held]) => !needed.has(id) && held.some((change) => brings(change, missing)),
    );
    if (found === undefined) {
      return undefined;
    }
    needed.add(found[0]);
    joined = [...joined, ...found[1]];
  }
}

function brings({ ref, after }: ResourceChange, missing: ReadonlySet<string>): boolean {
  return after !== null && missing.has(resourceKey(ref));
}

function start(
  durable: DurableState,
  mesh: MeshState,
  group: ChangeGroup,
  revision: RevisionInfo,
  nowMs: number,
): DurableState {
  const plan = planRollout(group, mesh.desired);
  const isAddedFirst = plan.steps.length > 0 && group.resources.some(isAddition);
  const rollout: Rollout = {
    id: `${group.name}-${durable.nextRollout}`,
    mesh: group.mesh,
    name: group.name,
    revision,
    group,
    plan,
    phase: 'Pending',
    isQueued: (plan.after ?? []).length > 0 && !isOperational(group) ? true : undefined,
    reason: isAddedFirst ? 'what it adds is being acknowledged first' : 'accepted',
    step: -1,
    waveShare: plan.steps[0]?.stage === 'config' ? 0 : 1,
    startedAtMs: nowMs,
    stepEnteredAtMs: nowMs,
    approvals: [],
    gates: [],
    evidence: [],
  };
  const rollouts = new Map(durable.rollouts).set(rollout.id, rollout);
  return { ...durable, rollouts, nextRollout: durable.nextRollout + 1 };
}

/** The desired revision is applied once nothing of it is left to do. */
function markApplied(durable: DurableState): DurableState {
  const { desired, applied } = durable.revision;
  const isApplied = [...durable.meshes.values()].every(
    (mesh) => diffMeshes(mesh.applied, mesh.desired).length === 0,
  );
  return isApplied && desired?.id !== applied?.id
    ? { ...durable, revision: { ...durable.revision, applied: desired } }
    : durable;
}
