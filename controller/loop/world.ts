/** The world as one rollout sees it: who must acknowledge it, who has, and the figures that judge it. */
import { pairMemo } from '../base/memo.js';
import type { ChangeGroup } from '../diff/change.js';
import { applyChanges } from '../diff/diff-meshes.js';
import { type Mesh, resourceKey } from '../mesh/model.js';
import { orderId } from '../rollout/gates/orders.js';
import type { Rollout } from '../rollout/rollout.js';
import { concernedNodes } from '../rollout/scope.js';
import type { World } from '../rollout/world.js';
import type { ProxyStatus } from './ports.js';
import { workBefore } from './queue.js';
import type { LoopState, MeshState } from './state.js';

export function worldOf(
  state: LoopState,
  rollout: Rollout,
  settings: { readonly ackDeadlineMs: number },
  nowMs: number,
): World {
  const mesh = state.durable.meshes.get(rollout.mesh);
  if (mesh === undefined) {
    throw new Error(`assertion failed: rollout ${rollout.id} is of no mesh that is served`);
  }
  return {
    load: state.load,
    mesh: wantedMesh(mesh, rollout),
    measured: (one, gate) => state.measured.get(orderId(one, gate)),
    nowMs,
    ackDeadlineMs: settings.ackDeadlineMs,
    owing: (one) => owingProxies(state, one),
    before: (one) => workBefore(state.durable, one),
    instancesOf: (one) => concernedProxies(state, one).map((proxy) => proxy.identity.instance),
  };
}

/** Proxies that `rollout` concerns and that have not acknowledged what it serves. */
function owingProxies(state: LoopState, rollout: Rollout): readonly ProxyStatus[] {
  const generation = state.servedGeneration.get(rollout.id) ?? 0;
  return concernedProxies(state, rollout).filter((proxy) => proxy.ackedGeneration < generation);
}

function concernedProxies(state: LoopState, rollout: Rollout): readonly ProxyStatus[] {
  return [...state.proxies.values()].filter((proxy) => concerns(state, rollout, proxy));
}

/** True where `rollout` changes, or may change, what `proxy` is given. */
function concerns(state: LoopState, rollout: Rollout, proxy: ProxyStatus): boolean {
  const { resource } = proxy.identity;
  const mesh = state.durable.meshes.get(rollout.mesh);
  if (resource === undefined || mesh === undefined) {
    return false;
  }
  const key = resourceKey(resource);
  return (
    concernedOf(rollout.group, mesh.applied).has(key) ||
    concernedOf(rollout.group, wantedMesh(mesh, rollout)).has(key)
  );
}

/** What the rollout leads to: where a newer commit waits for its end, that is not what is desired. */
function wantedMesh({ applied, desired }: MeshState, { group, followedBy }: Rollout): Mesh {
  return followedBy === undefined ? desired : withGroup(applied, group);
}

const withGroup = pairMemo((applied: Mesh, { resources }: ChangeGroup) =>
  applyChanges(applied, resources),
);

/** Groups and meshes are immutable: who is concerned is found once for each pair. */
const concernedOf = pairMemo(concernedNodes);
