/**
 * What must hold of rollouts beside one another: what is after others, what moves together, what takes
 * another one's place, and what comes back without steps. Worked out from meshes and proxies alone.
 */
import { canonicalJson } from '../../controller/base/hash.js';
import type { LoopState } from '../../controller/loop/state.js';
import { findResource, type Mesh, type RolloutPolicy } from '../../controller/mesh/model.js';
import { isInWave } from '../../controller/rollout/mix.js';
import { isEnded, type Rollout } from '../../controller/rollout/rollout.js';
import { revisionIn } from '../support/reading.js';
import { runningOf, servedMesh } from './served.js';
import { concernedProxies, type Moment, movingTargets, type ServedSince } from './transitions.js';

function policyOf(rollout: Rollout, { durable }: LoopState): RolloutPolicy | undefined {
  const policies = durable.meshes.get(rollout.mesh)?.desired.rolloutPolicies ?? [];
  return policies.find(({ name }) => name === rollout.plan.policy);
}

/** It was its turn: nothing that its policy is after, by the newest commit, is under way or held. */
export function turnProblems(from: Rollout, { before, after }: Moment): readonly string[] {
  const names = policyOf(from, after)?.after ?? [];
  const open = [...after.durable.rollouts.values()].filter(
    ({ id, phase, plan }) =>
      names.includes(plan.policy ?? '') &&
      before.durable.rollouts.has(id) &&
      (!isEnded(phase) || (after.durable.held.has(id) && before.durable.held.has(id))),
  );
  return open.length > 0 ? [`was started before ${open.map(({ id }) => id).join(', ')}`] : [];
}

/** Enough of the proxies that the step reaches have taken it, by the plan's own word. */
export function quorumProblems(
  from: Rollout,
  since: ServedSince,
  moment: Moment,
): readonly string[] {
  const isWave = from.plan.steps[from.step]?.stage === 'config';
  const reached = concernedProxies(from, moment).filter(
    ({ identity }) => !isWave || isInWave(from, identity.instance),
  );
  const taken = reached.filter(({ ackedGeneration }) => ackedGeneration >= since.generation);
  const quorum = from.plan.proxies.quorum;
  return taken.length * 100 < quorum * reached.length
    ? [`bakes on ${taken.length} of ${reached.length} proxies, the quorum is ${quorum} %`]
    : [];
}

/** What an atomic policy governs of one commit, and moves traffic, starts as one. */
export function togetherProblems({ before, after }: Moment): readonly string[] {
  const started = [...after.durable.rollouts.values()].filter(
    ({ id, plan, group }) =>
      !before.durable.rollouts.has(id) &&
      plan.policy !== undefined &&
      group.changes.some((change) => change.class !== 'operational'),
  );
  const apart = started.filter(
    (one) =>
      policyOf(one, after)?.atomic === true &&
      started.some((other) => other.id !== one.id && other.plan.policy === one.plan.policy),
  );
  // What is tried again, or had to wait, starts for itself.
  const isNews = desiredIn(before) !== desiredIn(after);
  return isNews && apart.length > 0
    ? [`${apart.map(({ id }) => id).join(', ')} start apart, their policy is atomic`]
    : [];
}

function desiredIn({ durable }: LoopState): string | undefined {
  return revisionIn(durable).desired?.id;
}

/** What is to be finished ends by itself, unless what was there before is wanted again. */
export function supersedeProblems({ before, after }: Moment): readonly string[] {
  return [...after.durable.rollouts.values()].flatMap((rollout) => {
    const previous = before.durable.rollouts.get(rollout.id);
    const isNews = rollout.phase === 'Superseded' && previous?.phase !== 'Superseded';
    const mesh = after.durable.meshes.get(rollout.mesh);
    if (!isNews || mesh === undefined || rollout.plan.onSupersede !== 'finish') {
      return [];
    }
    // The record of what has ended does not have its resources any more.
    const isBack = (previous ?? rollout).group.resources.every(
      ({ ref, before: was }) => was === null || contentOf(mesh.desired, ref) === canonicalJson(was),
    );
    return isBack || rollout.isQueued === true
      ? []
      : [`${rollout.id} is superseded, its policy says to finish`];
  });
}

/** Without steps comes only what was served in full before. */
export function wayBackProblems(rollout: Rollout, { applied }: Moment): readonly string[] {
  const { returnsTo, rollbackWindow } = rollout.plan;
  if (returnsTo === undefined) {
    return [];
  }
  const { resources } = rollout.group;
  const wasServed = applied.some((mesh) =>
    resources.every(({ ref, after }) => contentOf(mesh, ref) === canonicalJson(after)),
  );
  const isWithin = returnsTo.back <= (rollbackWindow?.revisions ?? Number.POSITIVE_INFINITY);
  return wasServed && isWithin ? [] : [`${rollout.id} takes no steps and brings back nothing`];
}

function contentOf(mesh: Mesh, ref: Parameters<typeof findResource>[1]): string {
  return canonicalJson(findResource(mesh, ref) ?? null);
}

/**
 * Of sums of shares, for what floating point makes of them: not one ten-thousandth more is allowed, since
 * the newer rollout rounds down. (Clients that stay are cut into pieces, which are off by a unit each only
 * where several targets gain and several lose; three versions never do both.)
 */
const tolerance = 1e-6;

/** A rollout that begins in a step gives no target that gains more than it had. */
export function continueProblems(rollout: Rollout, { before, after }: Moment): readonly string[] {
  const mesh = before.durable.meshes.get(rollout.mesh);
  const next = after.durable.meshes.get(rollout.mesh);
  if (rollout.step < 0 || mesh === undefined || next === undefined) {
    return [];
  }
  const had = sharesIn(servedMesh(mesh.applied, runningOf(before.durable), 'stranger'));
  const has = sharesIn(servedMesh(next.applied, runningOf(after.durable), 'stranger'));
  return movingTargets(rollout).flatMap(({ virtualNode, applied, desired }) => {
    const [left = 0, right = 0] = [had.get(virtualNode), has.get(virtualNode)];
    return desired > applied && right > left + tolerance
      ? [`${rollout.id} begins with ${right} for ${virtualNode}, which had ${left}`]
      : [];
  });
}

/** Of all routes together, each counted once: requests that are told apart are none that weights are for. */
function sharesIn(mesh: Mesh): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  const routes = mesh.virtualRouters.flatMap((router) => router.routes);
  for (const { targets } of routes.filter(({ part }) => part === undefined)) {
    const total = targets.reduce((sum, { weight }) => sum + weight, 0);
    for (const { virtualNode, weight } of targets) {
      shares.set(virtualNode, (shares.get(virtualNode) ?? 0) + weight / total);
    }
  }
  return shares;
}
