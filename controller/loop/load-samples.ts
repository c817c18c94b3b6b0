/** From a proxy's load report, which speaks of clusters, to samples of virtual nodes. */
import { type ClusterOwner, clusterIndex } from '../envoy/names.js';
import type { Mesh } from '../mesh/model.js';
import type { LoadSample } from '../rollout/load-history.js';
import type { LoadReport } from './ports.js';
import type { LoopState } from './state.js';

/**
 * The samples of `report`, received at `nowMs`. Clusters that belong to no virtual node of the reporter's
 * mesh (the controller's own, pass-through) are left out.
 */
export function loadSamples(
  report: LoadReport,
  state: LoopState,
  nowMs: number,
): readonly LoadSample[] {
  const identity =
    report.proxyId === undefined ? undefined : state.proxies.get(report.proxyId)?.identity;
  const meshes = [...state.durable.meshes.values()].filter(
    ({ applied }) => identity?.resource === undefined || identity.resource.mesh === applied.name,
  );
  return report.clusters.flatMap((load) => {
    const owner = findOwner(load.cluster, meshes);
    return owner === undefined
      ? []
      : [
          {
            mesh: owner.mesh,
            virtualNode: owner.virtualNode,
            direction: owner.direction,
            instance: identity?.instance ?? report.nodeId,
            fromMs: nowMs - load.intervalMs,
            toMs: nowMs,
            successes: load.successes,
            errors: load.errors,
            issued: load.issued,
          },
        ];
  });
}

/** A canary's node may be in the desired mesh alone, one that goes in the applied one. */
function findOwner(
  cluster: string,
  meshes: readonly { readonly applied: Mesh; readonly desired: Mesh }[],
): ClusterOwner | undefined {
  for (const { applied, desired } of meshes) {
    const owner = indexOf(desired).get(cluster) ?? indexOf(applied).get(cluster);
    if (owner !== undefined) {
      return owner;
    }
  }
  return undefined;
}

const indexes = new WeakMap<Mesh, ReadonlyMap<string, ClusterOwner>>();

function indexOf(mesh: Mesh): ReadonlyMap<string, ClusterOwner> {
  const known = indexes.get(mesh) ?? clusterIndex([mesh]);
  indexes.set(mesh, known);
  return known;
}
