/**
 * A NACK: which rollouts it fails. A refused response may hold what several rollouts changed, and Envoy
 * does not say what it minded; so those fail whose share of it this proxy was given for the first time.
 */

import { resourceKey } from '../mesh/model.js';
import { effectiveMesh, isAddition, positionOf } from '../rollout/mix.js';
import { isEnded, type Rollout } from '../rollout/rollout.js';
import { concernedNodes } from '../rollout/scope.js';
import { rollBack } from '../rollout/turns.js';
import type { LoopEvent, Taken } from './events.js';
import type { ProxyStatus } from './ports.js';
import { runningRollouts } from './running.js';
import type { LoopState } from './state.js';
import { withProxies } from './take-proxy.js';

/** A refusal fails every rollout that the refused response served to this proxy for the first time. */
export function takeRefusal(
  state: LoopState,
  event: Extract<LoopEvent, { kind: 'proxyNacked' }>,
  nowMs: number,
): Taken {
  const { proxy } = event;
  const seen = withProxies(state, (proxies) => proxies.set(proxy.id, proxy));
  const rollouts = new Map(seen.durable.rollouts);
  for (const rollout of rollouts.values()) {
    const served = seen.servedGeneration.get(rollout.id) ?? Number.POSITIVE_INFINITY;
    const isOurs =
      !isEnded(rollout.phase) &&
      rollout.phase !== 'RollingBack' &&
      served <= event.generation &&
      served > proxy.ackedGeneration &&
      changesServed(seen, rollout, proxy);
    if (isOurs) {
      const reason = `proxy ${proxy.id} refused ${event.type} ${event.resources.join(', ')}: ${event.error}`;
      rollouts.set(rollout.id, rollBack(rollout, reason.slice(0, 1000), nowMs));
    }
  }
  const history = [
    {
      atMs: nowMs,
      kind: 'proxy',
      json: JSON.stringify({
        proxy: proxy.id,
        refused: event.type,
        resources: event.resources,
        error: event.error,
      }),
    },
  ];
  return { state: { ...seen, durable: { ...seen.durable, rollouts } }, history };
}

/** True where what `proxy` is given is not what it would be given without `rollout`. */
function changesServed(state: LoopState, rollout: Rollout, proxy: ProxyStatus): boolean {
  const { resource, instance } = proxy.identity;
  const mesh = state.durable.meshes.get(rollout.mesh);
  const { kind } = positionOf(rollout, instance);
  if (resource === undefined || mesh === undefined || kind === 'applied') {
    return false;
  }
  const { group } = rollout;
  const served =
    kind === 'added' ? { ...group, resources: group.resources.filter(isAddition) } : group;
  const running = runningRollouts(state.durable, rollout.mesh);
  const others = running.filter(({ id }) => id !== rollout.id);
  return [running, others].some((rollouts) =>
    concernedNodes(served, effectiveMesh(mesh.applied, rollouts, instance)).has(
      resourceKey(resource),
    ),
  );
}
