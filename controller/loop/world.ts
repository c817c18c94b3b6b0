/** The world as one rollout sees it: who must acknowledge it, who has, and the figures that judge it. */
import { concernedProxies, wantedMesh, wayOf } from '../rollout/concerned.js';
import { orderId } from '../rollout/gates/orders.js';
import type { Rollout } from '../rollout/rollout.js';
import type { World } from '../rollout/world.js';
import { workBefore } from './queue.js';
import type { LoopState } from './state.js';

export function worldOf(
  state: LoopState,
  rollout: Rollout,
  settings: { readonly ackDeadlineMs: number },
  nowMs: number,
): World {
  const mesh = state.durable.meshes.get(rollout.mesh);
  const way = wayOf(state.durable, rollout.mesh);
  if (mesh === undefined || way === undefined) {
    throw new Error(`assertion failed: rollout ${rollout.id} is of no mesh that is served`);
  }
  return {
    load: state.load,
    mesh: wantedMesh(mesh, rollout),
    measured: (one, gate) => state.measured.get(orderId(one, gate)),
    nowMs,
    ackDeadlineMs: settings.ackDeadlineMs,
    proxies: (one) =>
      concernedProxies(one, way, state.proxies, state.servedGeneration.get(one.id) ?? 0),
    before: (one) => workBefore(state.durable, one),
  };
}
