/**
 * `reconcile(durable, nowMs)`: compares what is applied with what is desired, and starts, supersedes and
 * releases rollouts until the two agree or everything between them is under way, held or waiting for
 * something that is. Level-based: it looks at the whole state and may be called at any time.
 */
import type { ChangeGroup, ResourceChange } from '../diff/change.js';
import { applyChanges, diffMeshes } from '../diff/diff-meshes.js';
import { makeGroup } from '../diff/group.js';
import { missingFor } from '../diff/stands-alone.js';
import { resourceKey } from '../mesh/model.js';
import { continueFrom } from '../rollout/continue.js';
import { groupsOf, isOperational } from '../rollout/groups.js';
import { isAddition } from '../rollout/mix.js';
import { planRollout } from '../rollout/plan.js';
import type { HeldChange, Rollout } from '../rollout/rollout.js';
import { neededOf, releaseHeld, type Waiting } from './hold.js';
import { goodStateOf } from './past.js';
import { markApplied, revisionOf } from './repositories.js';
import { runningRollouts } from './running.js';
import type { DurableState, MeshState } from './state.js';
import { type Superseding, supersede } from './supersede.js';

/** `durable` with every rollout started or superseded that the desired meshes ask for. */
export function reconcile(durable: DurableState, nowMs: number): DurableState {
  let next = durable;
  for (const [name, mesh] of durable.meshes) {
    next = reconcileMesh(next, name, mesh, nowMs);
  }
  return markApplied(next);
}

function reconcileMesh(
  before: DurableState,
  name: string,
  mesh: MeshState,
  nowMs: number,
): DurableState {
  const { durable, superseded, finishing } = supersede(before, mesh, nowMs);
  const changes = diffMeshes(mesh.applied, mesh.desired);
  const running = runningRollouts(durable, name);
  const runningKeys = new Set(running.flatMap((rollout) => keysOf(rollout.group.resources)));
  const free = changes.filter((change) => !runningKeys.has(resourceKey(change.ref)));
  const { held, waiting } = releaseHeld(durable.held, name, free);
  const heldKeys = new Set([...waiting.values()].flatMap(keysOf));
  const startable = free.filter((change) => !heldKeys.has(resourceKey(change.ref)));
  const work: Work = {
    ...{ durable, mesh, superseded, finishing, waiting, nowMs },
    rollouts: new Map(durable.rollouts),
    held: new Map(held),
    nextRollout: durable.nextRollout,
  };
  for (const group of groupsOf(mesh, startable)) {
    startGroup(work, group);
  }
  const { rollouts, nextRollout } = work;
  return { ...durable, rollouts, nextRollout, held: work.held };
}

function keysOf(changes: readonly ResourceChange[]): readonly string[] {
  return changes.map((change) => resourceKey(change.ref));
}

/** One mesh while its rollouts are started: a commit may start thousands, so they are added in place. */
interface Work extends Omit<Superseding, 'durable'> {
  readonly durable: DurableState;
  readonly mesh: MeshState;
  readonly waiting: Waiting;
  readonly nowMs: number;
  readonly rollouts: Map<string, Rollout>;
  readonly held: Map<string, HeldChange>;
  nextRollout: number;
}

/**
 * Starts a rollout for `group`, unless it cannot stand without something that is still under way: then
 * it waits, and the end of that rollout reconciles again. A group that needs what is held has changed
 * the held group: both are tried together.
 */
function startGroup(work: Work, group: ChangeGroup): void {
  // Another group of this commit may have taken some of it with it already.
  const waiting = new Map([...work.waiting].filter(([id]) => work.held.has(id)));
  const needed = neededOf(work.mesh.applied, group.resources, waiting);
  if (needed === undefined || isInTheWay(work, group)) {
    return;
  }
  const joined = needed.flatMap((id) => waiting.get(id) ?? []);
  for (const id of needed) {
    work.held.delete(id);
  }
  start(work, needed.length === 0 ? group : makeGroup(work.mesh, [...group.resources, ...joined]));
}

/** True where a rollout that is finished although a newer commit wants otherwise could not stand with it. */
function isInTheWay({ mesh, finishing }: Work, { resources }: ChangeGroup): boolean {
  const brought = finishing.flatMap(({ group }) => group.resources);
  return (
    brought.length > 0 && missingFor(applyChanges(mesh.applied, brought), resources).length > 0
  );
}

function start(work: Work, group: ChangeGroup): void {
  const { durable, mesh, superseded, nowMs } = work;
  const revision = revisionOf(durable, group.resources);
  if (revision === undefined) {
    return;
  }
  const asked = planRollout(group, mesh.desired);
  const good = goodStateOf(durable, mesh.desired, group, asked, nowMs);
  const plan = good === undefined ? asked : { ...asked, steps: [], returnsTo: good };
  const isQueued = good === undefined && plan.after.length > 0 && !isOperational(group);
  const movesTraffic = asked.steps.length > 0;
  const isAddedFirst = movesTraffic && group.resources.some(isAddition);
  const rollout: Rollout = {
    id: `${group.name}-${work.nextRollout}`,
    mesh: group.mesh,
    name: group.name,
    revision,
    group,
    plan,
    phase: 'Pending',
    ...(isQueued ? { isQueued } : {}),
    reason: isAddedFirst ? 'what it adds is being acknowledged first' : 'accepted',
    step: -1,
    waveShare: plan.steps[0]?.stage === 'config' ? 0 : 1,
    startedAtMs: nowMs,
    stepEnteredAtMs: nowMs,
    approvals: [],
    gates: [],
    evidence: [],
  };
  work.rollouts.set(rollout.id, good === undefined ? goOn(rollout, superseded) : rollout);
  work.nextRollout += 1;
}

/** `rollout` from where one that it supersedes was, where that is asked for and possible; else from its start. */
function goOn(rollout: Rollout, superseded: readonly Rollout[]): Rollout {
  const { group, plan } = rollout;
  for (const previous of superseded) {
    const next = continueFrom(previous, group, plan);
    if (next !== undefined) {
      return {
        ...rollout,
        plan: { ...plan, steps: next.steps },
        phase: 'Progressing',
        isQueued: undefined,
        circle: previous.circle ?? previous.id,
        reason: `step ${next.step + 1} of ${next.steps.length}: continues ${previous.id} from the weights that it served`,
        step: next.step,
        waveShare: 1,
      };
    }
  }
  return rollout;
}
