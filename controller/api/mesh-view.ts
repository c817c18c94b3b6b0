/**
 * One mesh as a graph: who calls what, which way its traffic is split, what proxies measured of it and
 * how they are. What is on its way in or out is in it too. Figures are those of load reports of the last
 * seconds; one that cannot be told apart (a node that two services share) is null and never a guess.
 */
import { diffMeshes } from '../diff/diff-meshes.js';
import type { ProxyStatus } from '../loop/ports.js';
import type { MeshState } from '../loop/state.js';
import { type Mesh, resourceKey } from '../mesh/model.js';
import { type EdgeView, viewEdges } from './mesh-edges.js';
import { MeshIndex, type TrafficView } from './mesh-index.js';
import { proxyState } from './proxy-view.js';
import type { Moment } from './view.js';

export type { EdgeView } from './mesh-edges.js';
export type { TrafficView } from './mesh-index.js';

export interface MeshGraphView {
  readonly name: string;
  readonly vertices: readonly VertexView[];
  readonly edges: readonly EdgeView[];
}

export type VertexKind = 'VirtualGateway' | 'VirtualService' | 'VirtualRouter' | 'VirtualNode';

export interface VertexView {
  /** `<mesh>/<Kind>/<name>`. */
  readonly id: string;
  readonly kind: VertexKind;
  readonly name: string;
  /** `new` and `removed`: Git asks for it, and it is not (or not yet) so for every proxy. */
  readonly change: 'none' | 'new' | 'changed' | 'removed';
  /** Ids of running rollouts that change it. */
  readonly rollouts: readonly string[];
  /** How many of its proxies are in each state; null for what has no proxies. */
  readonly proxies: ProxyCounts | null;
  /** What its callers sent it; null where no proxy reports. */
  readonly traffic: TrafficView | null;
}

export interface ProxyCounts {
  readonly synced: number;
  readonly stale: number;
  readonly rejected: number;
  readonly notSent: number;
}

/** Undefined where there is no mesh of that name. */
export function viewMesh(name: string, moment: Moment): MeshGraphView | undefined {
  const mesh = moment.state.durable.meshes.get(name);
  if (mesh === undefined) {
    return undefined;
  }
  const index = new MeshIndex(mesh, moment);
  return { name, vertices: viewVertices(mesh, index), edges: viewEdges(index) };
}

const vertexKinds: readonly VertexKind[] = [
  'VirtualGateway',
  'VirtualService',
  'VirtualRouter',
  'VirtualNode',
];

function viewVertices(mesh: MeshState, index: MeshIndex): readonly VertexView[] {
  const changes = new Map(
    diffMeshes(mesh.applied, mesh.desired).map((change) => [resourceKey(change.ref), change]),
  );
  return vertexKinds.flatMap((kind) =>
    namesOf([mesh.applied, index.served, mesh.desired], kind).map((name) => {
      const id = index.keyOf(kind, name);
      const change = changes.get(id);
      const hasProxies = kind === 'VirtualNode' || kind === 'VirtualGateway';
      return {
        id,
        kind,
        name,
        change: change === undefined ? 'none' : changeOf(change),
        rollouts: index.rolloutsOf(id).map((rollout) => rollout.id),
        proxies: hasProxies ? countStates(index.proxiesOf(id)) : null,
        traffic: kind === 'VirtualNode' ? index.trafficOf(name) : null,
      };
    }),
  );
}

function changeOf(change: {
  readonly before: unknown;
  readonly after: unknown;
}): VertexView['change'] {
  if (change.before === null) {
    return 'new';
  }
  return change.after === null ? 'removed' : 'changed';
}

/** Names in any of the meshes, sorted. */
function namesOf(meshes: readonly Mesh[], kind: VertexKind): readonly string[] {
  const names = meshes.flatMap((mesh) => listOf(mesh, kind).map(({ name }) => name));
  return [...new Set(names)].sort();
}

function listOf(mesh: Mesh, kind: VertexKind): readonly { readonly name: string }[] {
  switch (kind) {
    case 'VirtualGateway':
      return mesh.virtualGateways;
    case 'VirtualService':
      return mesh.virtualServices;
    case 'VirtualRouter':
      return mesh.virtualRouters;
    case 'VirtualNode':
      return mesh.virtualNodes;
  }
}

function countStates(proxies: readonly ProxyStatus[]): ProxyCounts {
  const counts = { synced: 0, stale: 0, rejected: 0, notSent: 0 };
  for (const proxy of proxies) {
    counts[proxyState(proxy)] += 1;
  }
  return counts;
}
