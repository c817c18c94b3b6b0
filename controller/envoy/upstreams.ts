/**
 * The clusters of a proxy, encoded, each with its endpoints: what its node's backends may lead to, its own
 * application, and where traffic is let through to. Shared by all proxies that have them.
 */
import { memo } from '../base/memo.js';
import type { ClientPolicy, ConnectionPool, MeshSettings, VirtualNode } from '../mesh/model.js';
import {
  type Caller,
  type ClusterParts,
  egressCluster,
  ingressCluster,
  passThroughCluster,
} from './clusters.js';
import { endpointsOf, loadAssignment } from './endpoints.js';
import { identityMemo } from './memo.js';
import { targetClusterName } from './names.js';
import { mapPatched, type PatchedList } from './patched-list.js';
import type { ReachedService, Target } from './reach.js';
import { encodeResource } from './resource.js';
import { listedSet } from './resource-set.js';
import type { EncodedResource, ProxyIdentity, Snapshot } from './snapshot.js';

/** A cluster, and its endpoints where they do not come by DNS. */
export interface Upstream {
  readonly cluster: EncodedResource;
  readonly endpoint?: EncodedResource;
}

const reached = identityMemo<Upstream>();
const own = identityMemo<Upstream>();
const passThrough = identityMemo<Upstream>();
/** Stands for "no client policy" among the objects of a memo. */
const noPolicy: ClientPolicy = {};

/** The application beside the proxy, by listener. */
export function ownUpstreams(mesh: MeshSettings, node: VirtualNode): readonly Upstream[] {
  return node.listeners.map((listener) =>
    own([mesh, node], String(listener.port), () =>
      encodeUpstream(ingressCluster(mesh, { node, listener })),
    ),
  );
}

export function passThroughUpstream(mesh: MeshSettings, name: string): Upstream {
  return passThrough([mesh], name, () => encodeUpstream(passThroughCluster(mesh, name)));
}

/**
 * By reached service, one upstream for each listener of a node that any route may choose, at weight 0 too:
 * a change of weights must find its clusters warm. Where several backends lead to one listener, their
 * policies are the same (`mesh/check-client-policies.ts`).
 */
export function reachedUpstreams(
  mesh: MeshSettings,
  reach: PatchedList<ReachedService>,
  proxyKind: ProxyIdentity['kind'],
): PatchedList<readonly Upstream[]> {
  return byReached([mesh], proxyKind, () =>
    mapPatched((service) => serviceUpstreams(mesh, service, proxyKind, noPools)),
  )(reach);
}

type UpstreamsByReached = (reach: PatchedList<ReachedService>) => PatchedList<readonly Upstream[]>;

const byReached = identityMemo<UpstreamsByReached>();
const noPools: ReadonlyMap<string, ConnectionPool> = new Map();

/** Those of one service: the same list for the same upstreams. `pools` limits the clusters that it names. */
export function serviceUpstreams(
  mesh: MeshSettings,
  { ports, clientPolicy }: ReachedService,
  proxyKind: ProxyIdentity['kind'],
  pools: ReadonlyMap<string, ConnectionPool>,
): readonly Upstream[] {
  const byName = new Map<string, Upstream>();
  for (const target of ports.flatMap(({ routes }) => routes.flatMap(({ targets }) => targets))) {
    const name = targetClusterName(mesh.name, target);
    if (!byName.has(name)) {
      const madeFrom = [mesh, target.node, clientPolicy ?? noPolicy];
      const pool = pools.get(name) ?? {};
      const key = `${proxyKind} ${name} ${JSON.stringify(pool)}`;
      const caller = { policy: clientPolicy, pool, proxyKind };
      const make = () => reachedUpstream(mesh, target, caller);
      byName.set(name, reached(madeFrom, key, make));
    }
  }
  const list = [...byName.values()];
  return lists(list, '', () => list);
}

const lists = identityMemo<readonly Upstream[]>();

/** The clusters and endpoints of all of these. */
export function upstreamSets(
  reachedLists: readonly PatchedList<readonly Upstream[]>[],
  others: readonly Upstream[],
): Pick<Snapshot, 'cluster' | 'endpoint'> {
  return {
    cluster: listedSet(
      reachedLists.map(clustersOf),
      others.map(({ cluster }) => cluster),
    ),
    endpoint: listedSet(
      reachedLists.map(endpointsIn),
      others.flatMap(({ endpoint }) => endpoint ?? []),
    ),
  };
}

const clustersOf = mapPatched(
  memo((list: readonly Upstream[]) => list.map(({ cluster }) => cluster)),
);
const endpointsIn = mapPatched(
  memo((list: readonly Upstream[]) => list.flatMap(({ endpoint }) => endpoint ?? [])),
);

function reachedUpstream(mesh: MeshSettings, target: Target, caller: Caller): Upstream {
  const parts = egressCluster(mesh, target, caller);
  if (target.node.serviceDiscovery?.kind === 'dns') {
    return encodeUpstream(parts);
  }
  const assignment = loadAssignment(parts.name, endpointsOf(target));
  return {
    ...encodeUpstream(parts),
    endpoint: encodeResource('endpoint', parts.name, assignment, []),
  };
}

function encodeUpstream({ name, message, references }: ClusterParts): Upstream {
  return { cluster: encodeResource('cluster', name, message, references) };
}
