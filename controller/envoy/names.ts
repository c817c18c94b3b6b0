/**
 * The names of Envoy's resources. They are App Mesh's, as its Envoys' config dumps show them, since
 * dashboards and alerts are built on them.
 */
import type { Listener, Mesh, Protocol, VirtualNode } from '../mesh/model.js';
import type { Target } from './reach.js';
import type { SocketAddress } from './snapshot.js';

export type Direction = 'ingress' | 'egress';

/** `lds_ingress_0.0.0.0_15000` */
export function listenerName(direction: Direction, { address, port }: SocketAddress): string {
  return `lds_${direction}_${address}_${port}`;
}

/** `rds_egress_http_9080` */
export function routeName(direction: Direction, protocol: Protocol, port: number): string {
  return `rds_${direction}_${protocol}_${port}`;
}

/** `cds_egress_books_reviews-v2_http_9080`: what a listener of `node` is to its clients, or to itself. */
export function clusterName(
  direction: Direction,
  meshName: string,
  node: Pick<VirtualNode, 'name'>,
  listener: Pick<Listener, 'protocol' | 'port'>,
): string {
  return `cds_${direction}_${meshName}_${node.name}_${listener.protocol}_${listener.port}`;
}

/** The cluster of `target` as its callers see it; a baseline has one of its own. */
export function targetClusterName(
  meshName: string,
  { node, listener, role }: Pick<Target, 'node' | 'listener' | 'role'>,
): string {
  const name = clusterName('egress', meshName, node, listener);
  return role === 'baseline' ? `${name}_baseline` : name;
}

/** Everything that an `ALLOW_ALL` mesh lets through to where it was going. */
export function allowAllClusterName(meshName: string): string {
  return `cds_egress_${meshName}_mesh-allow-all`;
}

/** AWS's own APIs, which App Mesh lets through in every mesh. */
export function amazonClusterName(meshName: string): string {
  return `cds_egress_${meshName}_amazonaws`;
}

/** Whose traffic a cluster's figures are. */
export interface ClusterOwner {
  readonly mesh: string;
  readonly virtualNode: string;
  readonly port: number;
  readonly direction: Direction;
  /** Undefined: the node itself. */
  readonly role?: 'baseline';
}

/**
 * The owner of each cluster of `meshes`, by the cluster's name: names have underscores inside, so that
 * a name cannot be taken apart. A name that two meshes share is left out, as nobody could say whose it
 * is.
 */
export function clusterIndex(meshes: readonly Mesh[]): ReadonlyMap<string, ClusterOwner> {
  const index = new Map<string, ClusterOwner>();
  const shared = new Set<string>();
  for (const mesh of meshes) {
    for (const [name, owner] of clustersOf(mesh)) {
      if (index.has(name)) {
        shared.add(name);
      }
      index.set(name, owner);
    }
  }
  for (const name of shared) {
    index.delete(name);
  }
  return index;
}

function clustersOf(mesh: Mesh): readonly (readonly [string, ClusterOwner])[] {
  return mesh.virtualNodes.flatMap((node) =>
    node.listeners.flatMap((listener) => {
      const owner = { mesh: mesh.name, virtualNode: node.name, port: listener.port };
      const role = 'baseline';
      return [
        [clusterName('ingress', mesh.name, node, listener), { ...owner, direction: 'ingress' }],
        [clusterName('egress', mesh.name, node, listener), { ...owner, direction: 'egress' }],
        [
          targetClusterName(mesh.name, { node, listener, role }),
          { ...owner, direction: 'egress', role },
        ],
      ] as const;
    }),
  );
}
