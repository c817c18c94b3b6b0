/**
 * Numbers publications: each change of what is served is one, and each rollout remembers the one that
 * first served its present position, since only what was acknowledged from then on counts for it. Numbers
 * of a later term are higher than all of an earlier one, so replicas can compare them. Secrets have no
 * part in it: each replica has its own, and no rollout waits for one.
 */
import { hasAdditions } from '../rollout/mix.js';
import { isEnded, type Rollout } from '../rollout/rollout.js';
import { type Announced, servedKey as announcedKey } from './announced.js';
import type { LoopState } from './state.js';

/** Publications of one term: at a thousand a second, some weeks. */
const generationsPerTerm = 2 ** 32;

/** The number after `generation` in the term `epoch`. */
export function nextGeneration({
  epoch,
  generation,
}: Pick<LoopState, 'epoch' | 'generation'>): number {
  return Math.max(generation, epoch * generationsPerTerm) + 1;
}

/** `after`, with a number of its own where it serves something else than `before`. */
export function withGeneration(before: LoopState, after: LoopState): LoopState {
  if (after.durable === before.durable) {
    return after;
  }
  const moved = [...after.durable.rollouts.values()].filter(
    (rollout) => servedKey(rollout) !== servedKey(before.durable.rollouts.get(rollout.id)),
  );
  const isSame =
    moved.length === 0 &&
    hasSameEndpoints(before.durable.announced, after.durable.announced) &&
    [...after.durable.meshes].every(
      ([name, mesh]) => before.durable.meshes.get(name)?.applied === mesh.applied,
    );
  if (isSame) {
    return after;
  }
  const generation = nextGeneration(before);
  const servedGeneration = new Map(
    [...before.servedGeneration].filter(([id]) => after.durable.rollouts.has(id)),
  );
  for (const rollout of moved) {
    servedGeneration.set(rollout.id, generation);
  }
  return { ...after, generation, servedGeneration };
}

function hasSameEndpoints(before: Announced, after: Announced): boolean {
  return before === after || announcedKey(before) === announcedKey(after);
}

/** Two rollouts with the same key serve the same. */
export function servedKey(rollout: Rollout | undefined): string {
  if (rollout === undefined || isEnded(rollout.phase)) {
    return 'none';
  }
  if (rollout.phase === 'Completing' || rollout.phase === 'RollingBack') {
    return rollout.phase;
  }
  if (rollout.step < 0) {
    return hasAdditions(rollout) ? 'added' : 'none';
  }
  return `${rollout.step}/${rollout.waveShare}`;
}
