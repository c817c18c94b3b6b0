/**
 * A mesh to look things up in, by name and against the direction of references. Of a patched mesh it says
 * what the patch touches: which services lead elsewhere than in its base, and which proxies see that.
 * Both follow from the base's references and the patch alone, so they cost what is patched.
 */
import { groupBy } from '../base/group-by.js';
import { memo } from '../base/memo.js';
import {
  findResource,
  type GatewayRoute,
  type Mesh,
  type MeshSettings,
  type Resource,
  type ResourceKind,
  type ResourceRef,
  resourceKey,
} from '../mesh/model.js';
import { compareGatewayRoutes } from '../mesh/order.js';
import { type PatchedMesh, wholeMesh } from '../mesh/patched-mesh.js';

export interface MeshView {
  readonly settings: MeshSettings;
  /** The resource of that kind and name. */
  find<K extends ResourceKind>(kind: K, name: string): ResourceOf<K> | undefined;
  /** A gateway's routes, in the order in which they are tried. */
  gatewayRoutes(gateway: string): readonly GatewayRoute[];
  /** What this one is a patch of, and what the patch touches; undefined: it is whole. */
  readonly patched?: Patched;
}

type ResourceOf<K extends ResourceKind> = Extract<Resource, { readonly kind: K }>;

export interface Patched {
  readonly base: MeshView;
  /** Names of services that do not lead to the same resources as in the base. */
  readonly services: ReadonlySet<string>;
  /** Whether the proxies of that virtual node or gateway may be served something else than in the base. */
  concerns(ref: Pick<ResourceRef, 'kind' | 'name'>): boolean;
}

/** The view of `mesh`, the same object for the same one. */
export const viewOf = memo((mesh: PatchedMesh): MeshView => {
  return mesh.patch.size === 0 ? wholeView(mesh.base) : patchedView(mesh);
});

// Whole meshes

/** What a mesh says about itself when it is read against the direction of its references. */
interface MeshIndex {
  /** By gateway, in the order in which they are tried. */
  readonly gatewayRoutes: ReadonlyMap<string, readonly GatewayRoute[]>;
  /** By virtual router and virtual node, the names of the services whose requests it may get. */
  readonly servicesOf: ReadonlyMap<string, ReadonlySet<string>>;
  /** By name of a service, the virtual nodes and gateways that call it. */
  readonly callersOf: ReadonlyMap<string, ReadonlySet<string>>;
}

function wholeView(mesh: Mesh): MeshView {
  const { gatewayRoutes } = indexOf(mesh);
  return {
    settings: mesh.settings,
    find: <K extends ResourceKind>(kind: K, name: string) =>
      findResource(mesh, { kind, name }) as ResourceOf<K> | undefined,
    gatewayRoutes: (gateway) => gatewayRoutes.get(gateway) ?? [],
  };
}

const indexOf = memo(
  (mesh: Mesh): MeshIndex => ({
    gatewayRoutes: routesByGateway(mesh),
    servicesOf: servicesOf(mesh),
    callersOf: callersOf(mesh),
  }),
);

function routesByGateway(mesh: Mesh): ReadonlyMap<string, readonly GatewayRoute[]> {
  const sorted = mesh.gatewayRoutes.toSorted(compareGatewayRoutes);
  return groupBy(sorted, ({ virtualGateway }) => [virtualGateway]);
}

function servicesOf(mesh: Mesh): ReadonlyMap<string, ReadonlySet<string>> {
  const services = new Map<string, Set<string>>();
  for (const { name, provider } of mesh.virtualServices) {
    if (provider?.kind === 'virtualNode') {
      addTo(services, keyOf({ kind: 'VirtualNode', name: provider.virtualNode }), name);
    } else if (provider !== undefined) {
      addTo(services, keyOf({ kind: 'VirtualRouter', name: provider.virtualRouter }), name);
    }
  }
  for (const router of mesh.virtualRouters) {
    const behind = services.get(keyOf(router)) ?? [];
    for (const { virtualNode } of router.routes.flatMap(({ targets }) => targets)) {
      for (const name of behind) {
        addTo(services, keyOf({ kind: 'VirtualNode', name: virtualNode }), name);
      }
    }
  }
  return services;
}

function callersOf(mesh: Mesh): ReadonlyMap<string, ReadonlySet<string>> {
  const callers = new Map<string, Set<string>>();
  for (const node of mesh.virtualNodes) {
    for (const { virtualService } of node.backends) {
      addTo(callers, virtualService, keyOf(node));
    }
  }
  for (const { virtualGateway, target } of mesh.gatewayRoutes) {
    const gateway = keyOf({ kind: 'VirtualGateway', name: virtualGateway });
    addTo(callers, target.virtualService, gateway);
  }
  return callers;
}

// Patched meshes

function patchedView(mesh: PatchedMesh): MeshView {
  const { base, patch } = mesh;
  const whole = viewOf(wholeMesh(base));
  const there = (kind: ResourceKind, name: string) =>
    patch.get(resourceKey({ mesh: base.name, kind, name }));
  const settings = there('Mesh', base.name)?.after;
  return {
    settings: settings?.kind === 'Mesh' ? settings : base.settings,
    find: <K extends ResourceKind>(kind: K, name: string) => {
      const replaced = there(kind, name);
      return replaced === undefined
        ? whole.find(kind, name)
        : ((replaced.after ?? undefined) as ResourceOf<K> | undefined);
    },
    gatewayRoutes: (gateway) => gatewayRoutesIn(mesh, gateway),
    patched: { base: whole, ...touchedBy(mesh) },
  };
}

/** The base's own list where the patch has no part in it. */
function gatewayRoutesIn({ base, patch }: PatchedMesh, gateway: string): readonly GatewayRoute[] {
  const routes = indexOf(base).gatewayRoutes.get(gateway) ?? [];
  const replaced = new Set<string>();
  const come: GatewayRoute[] = [];
  for (const { ref, after } of patch.values()) {
    if (ref.kind === 'GatewayRoute') {
      replaced.add(ref.name);
      if (after?.kind === 'GatewayRoute' && after.virtualGateway === gateway) {
        come.push(after);
      }
    }
  }
  if (come.length === 0 && !routes.some(({ name }) => replaced.has(name))) {
    return routes;
  }
  const kept = routes.filter(({ name }) => !replaced.has(name));
  return [...kept, ...come].sort(compareGatewayRoutes);
}

/**
 * What is new in a patch is in the patch itself: a router that leads to other nodes, a service with another
 * provider, a node with more backends. So the base's references are enough for all that is not.
 */
function touchedBy({ base, patch }: PatchedMesh): Pick<Patched, 'services' | 'concerns'> {
  const index = indexOf(base);
  const services = new Set<string>();
  const callers = new Set<string>();
  let isEverybody = false;
  for (const { ref, after } of patch.values()) {
    const key = keyOf(ref);
    callers.add(key);
    if (ref.kind === 'Mesh') {
      isEverybody = true;
    } else if (ref.kind === 'VirtualService') {
      services.add(ref.name);
    } else if (ref.kind === 'GatewayRoute') {
      for (const route of [after, findResource(base, ref)]) {
        if (route?.kind === 'GatewayRoute') {
          callers.add(keyOf({ kind: 'VirtualGateway', name: route.virtualGateway }));
        }
      }
    }
    for (const service of index.servicesOf.get(key) ?? []) {
      services.add(service);
    }
  }
  for (const service of services) {
    for (const caller of index.callersOf.get(service) ?? []) {
      callers.add(caller);
    }
  }
  return { services, concerns: (ref) => isEverybody || callers.has(keyOf(ref)) };
}

/** `VirtualNode/web` */
function keyOf({ kind, name }: Pick<ResourceRef, 'kind' | 'name'>): string {
  return `${kind}/${name}`;
}

function addTo(sets: Map<string, Set<string>>, key: string, name: string): void {
  const known = sets.get(key);
  if (known === undefined) {
    sets.set(key, new Set([name]));
  } else {
    known.add(name);
  }
}
