/** What is served of a state, as the inspector compares it. */
import { sameValue } from '../../controller/base/same-value.js';
import type { DurableState } from '../../controller/loop/state.js';
import type { Mesh } from '../../controller/mesh/model.js';
import { effectiveMesh } from '../../controller/rollout/mix.js';
import { isEnded, type Rollout } from '../../controller/rollout/rollout.js';

export function runningOf({ rollouts }: DurableState): readonly Rollout[] {
  return [...rollouts.values()].filter(({ phase }) => !isEnded(phase));
}

/** The mesh that `instance` is served; undefined before the first revision. */
export function effectiveFor(durable: DurableState, instance: string): Mesh | undefined {
  const mesh = durable.meshes.get('demo');
  return mesh === undefined ? undefined : effectiveMesh(mesh.applied, runningOf(durable), instance);
}

/** True where `instance` is served the same of both. */
export function isServedAlike(left: DurableState, right: DurableState, instance: string): boolean {
  return sameValue(effectiveFor(left, instance), effectiveFor(right, instance));
}

/** `stored`, with the ways back of `present`, which may be served although they are not stored yet. */
export function withRetreats(stored: DurableState, present: DurableState): DurableState {
  const ways = [...present.rollouts].filter(([id, { phase }]) => {
    const rollout = stored.rollouts.get(id);
    return phase === 'RollingBack' && rollout !== undefined && !isEnded(rollout.phase);
  });
  return { ...stored, rollouts: new Map([...stored.rollouts, ...ways]) };
}
