/** From what a proxy tells of clusters, its load and its statistics, to samples of virtual nodes. */
import { type ClusterOwner, clusterIndex } from '../envoy/names.js';
import type { Mesh } from '../mesh/model.js';
import type { HealthSample } from '../rollout/health-history.js';
import type { LatencySample } from '../rollout/latency-history.js';
import type { LoadSample } from '../rollout/load-history.js';
import type { Histogram, LoadReport, StatsReport } from './ports.js';
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
  const ownerOf = owners(report, state);
  return report.clusters.flatMap((load) => {
    const owner = ownerOf(load.cluster);
    return owner === undefined
      ? []
      : [
          {
            ...owner,
            fromMs: nowMs - load.intervalMs,
            toMs: nowMs,
            successes: load.successes,
            errors: load.errors,
            issued: load.issued,
          },
        ];
  });
}

/** The same of a proxy's statistics. */
export function statsSamples(
  report: StatsReport,
  state: LoopState,
  nowMs: number,
): { readonly latencies: readonly LatencySample[]; readonly health: readonly HealthSample[] } {
  const ownerOf = owners(report, state);
  const latencies: LatencySample[] = [];
  const health: HealthSample[] = [];
  for (const { cluster, latency, members } of report.clusters) {
    const owner = ownerOf(cluster);
    if (owner !== undefined && latency !== undefined) {
      const buckets = bucketsOf(latency);
      latencies.push({ ...owner, fromMs: nowMs - report.intervalMs, toMs: nowMs, buckets });
    }
    if (owner !== undefined && members !== undefined) {
      health.push({ ...owner, atMs: nowMs, ...members });
    }
  }
  return { latencies, health };
}

/** Without the empty ones, which most are; with what is above all bounds. */
function bucketsOf({ boundsMs, counts, total }: Histogram): LatencySample['buckets'] {
  const above = total - counts.reduce((sum, count) => sum + count, 0);
  return [
    ...boundsMs.map((boundMs, index) => [boundMs, counts[index] ?? 0] as const),
    [Infinity, above] as const,
  ].filter(([, count]) => count > 0);
}

/** Whose figures a cluster's are, and who tells them. */
type Owner = Omit<ClusterOwner, 'port'> & { readonly instance: string };

function owners(
  { proxyId, nodeId }: Pick<LoadReport, 'proxyId' | 'nodeId'>,
  state: LoopState,
): (cluster: string) => Owner | undefined {
  const identity = proxyId === undefined ? undefined : state.proxies.get(proxyId)?.identity;
  const meshes = [...state.durable.meshes.values()].filter(
    ({ applied }) => identity?.resource === undefined || identity.resource.mesh === applied.name,
  );
  const instance = identity?.instance ?? nodeId;
  return (cluster) => {
    const owner = findOwner(cluster, meshes);
    return owner === undefined
      ? undefined
      : {
          mesh: owner.mesh,
          virtualNode: owner.virtualNode,
          direction: owner.direction,
          role: owner.role,
          instance,
        };
  };
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
