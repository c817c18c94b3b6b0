/**
 * Where each resource's file goes: a folder a kind, a file a resource, and with several meshes a folder a
 * mesh around them. Names that differ in case alone would be one file on some disks, so the second gets a
 * number.
 */
import type { ImportedKind, Resource } from './resource.js';

const folders: Readonly<Record<ImportedKind, string>> = {
  Mesh: '',
  VirtualNode: 'virtual-nodes/',
  VirtualService: 'virtual-services/',
  VirtualRouter: 'virtual-routers/',
  VirtualGateway: 'virtual-gateways/',
  GatewayRoute: 'gateway-routes/',
};

/** The path of each resource, in the order of `resources`; `/` as separator. */
export function layOut(resources: readonly Resource[]): readonly string[] {
  const hasSeveralMeshes = new Set(resources.map((one) => one.mesh)).size > 1;
  const taken = new Set<string>();
  return resources.map(({ kind, name, mesh }) => {
    const folder = `${hasSeveralMeshes ? `${fileName(mesh)}/` : ''}${folders[kind]}`;
    const base = kind === 'Mesh' ? 'mesh' : fileName(name);
    let path = `${folder}${base}.yaml`;
    for (let number = 2; taken.has(path.toLowerCase()); number += 1) {
      path = `${folder}${base}-${number}.yaml`;
    }
    taken.add(path.toLowerCase());
    return path;
  });
}

/** Names that begin with a dot, or hold what a path cannot, belong to no mesh repository. */
function fileName(name: string): string {
  return (
    name
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[.-]+/, '')
      .slice(0, 200) || 'unnamed'
  );
}
