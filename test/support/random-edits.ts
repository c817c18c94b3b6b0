/** Edits of a mesh, drawn from a seed: what commits and rollouts do to one, a resource or two at a time. */
import type { Random } from '../../controller/base/random.js';
import type { ResourceChange } from '../../controller/diff/change.js';
import type {
  GatewayRoute,
  Mesh,
  Resource,
  VirtualNode,
  VirtualRouter,
} from '../../controller/mesh/model.js';
import { integer } from './random-mesh.js';

type Edit = Pick<ResourceChange, 'ref' | 'after'>;

/** One edit of `mesh`, after which every reference still resolves; may change nothing. */
export function randomEdit(random: Random, mesh: Mesh): readonly Edit[] {
  const edits = [moveWeights, dropTarget, dropRoute, moveEndpoint, setTimeoutOf, dropBackend].map(
    (edit) => () => edit(random, mesh),
  );
  const rare = [
    flipEgress,
    provideByNode,
    dropService,
    editGatewayRoute,
    addGatewayRoute,
    poolGateway,
  ];
  const all = [...edits, ...edits, ...rare.map((edit) => () => edit(random, mesh))];
  return (all[integer(random, all.length)]?.() ?? []).map((after) => editOf(mesh, after));
}

function editOf(mesh: Mesh, change: Resource | { readonly gone: Resource }): Edit {
  const resource = 'gone' in change ? change.gone : change;
  const ref = { mesh: mesh.name, kind: resource.kind, name: resource.name };
  return { ref, after: 'gone' in change ? null : change };
}

type Changes = readonly (Resource | { readonly gone: Resource })[];

function some<T>(random: Random, list: readonly T[]): T | undefined {
  return list[integer(random, list.length)];
}

function onRouter(
  random: Random,
  mesh: Mesh,
  change: (router: VirtualRouter) => VirtualRouter['routes'],
): Changes {
  const router = some(random, mesh.virtualRouters);
  return router === undefined ? [] : [{ ...router, routes: change(router) }];
}

function onNode(
  random: Random,
  mesh: Mesh,
  change: (node: VirtualNode) => Partial<VirtualNode>,
): Changes {
  const node = some(random, mesh.virtualNodes);
  return node === undefined ? [] : [{ ...node, ...change(node) }];
}

function moveWeights(random: Random, mesh: Mesh): Changes {
  return onRouter(random, mesh, ({ routes }) =>
    routes.map((route) => ({
      ...route,
      targets: route.targets.map((target) => ({ ...target, weight: integer(random, 100) })),
    })),
  );
}

function dropTarget(random: Random, mesh: Mesh): Changes {
  return onRouter(random, mesh, ({ routes }) =>
    routes.map((route) => ({ ...route, targets: route.targets.slice(0, 1) })),
  );
}

function dropRoute(random: Random, mesh: Mesh): Changes {
  return onRouter(random, mesh, ({ routes }) => (routes.length > 1 ? routes.slice(1) : routes));
}

function moveEndpoint(random: Random, mesh: Mesh): Changes {
  const endpoints = [{ address: `10.1.0.${integer(random, 250)}`, port: 80 }];
  return onNode(random, mesh, ({ serviceDiscovery }) =>
    serviceDiscovery === undefined ? {} : { serviceDiscovery: { kind: 'static', endpoints } },
  );
}

function setTimeoutOf(random: Random, mesh: Mesh): Changes {
  const timeout = { idleMs: integer(random, 9) * 1000 };
  return onNode(random, mesh, ({ listeners }) => ({
    listeners: listeners.map((listener) => ({ ...listener, timeout })),
  }));
}

function dropBackend(random: Random, mesh: Mesh): Changes {
  return onNode(random, mesh, ({ backends }) => ({ backends: backends.slice(1) }));
}

function flipEgress(_: Random, { settings }: Mesh): Changes {
  const egressFilter = settings.egressFilter === 'ALLOW_ALL' ? 'DROP_ALL' : 'ALLOW_ALL';
  return [{ ...settings, egressFilter }];
}

function provideByNode(random: Random, mesh: Mesh): Changes {
  const service = some(random, mesh.virtualServices);
  const node = some(
    random,
    mesh.virtualNodes.filter(({ listeners }) => listeners.length > 0),
  );
  return service === undefined || node === undefined
    ? []
    : [{ ...service, provider: { kind: 'virtualNode', virtualNode: node.name } }];
}

/** A service goes, and with it whatever names it. */
function dropService(random: Random, mesh: Mesh): Changes {
  const service = some(random, mesh.virtualServices);
  if (service === undefined || mesh.virtualServices.length < 4) {
    return [];
  }
  const isCalled = ({ virtualService }: { readonly virtualService: string }) =>
    virtualService === service.name;
  const callers = mesh.virtualNodes.filter(({ backends }) => backends.some(isCalled));
  const routes = mesh.gatewayRoutes.filter(({ target }) => isCalled(target));
  return [
    { gone: service },
    ...routes.map((route) => ({ gone: route })),
    ...callers.map((node) => ({
      ...node,
      backends: node.backends.filter((backend) => !isCalled(backend)),
    })),
  ];
}

function editGatewayRoute(random: Random, mesh: Mesh): Changes {
  const route = some(random, mesh.gatewayRoutes);
  return route === undefined ? [] : [drawnAnew(random, route)];
}

function addGatewayRoute(random: Random, mesh: Mesh): Changes {
  const route = some(random, mesh.gatewayRoutes);
  return route === undefined
    ? []
    : [drawnAnew(random, { ...route, name: `more-${integer(random, 99)}` })];
}

function drawnAnew(random: Random, route: GatewayRoute): GatewayRoute {
  const hostname = some(random, [
    undefined,
    { kind: 'exact', exact: 'a.example.com' } as const,
    { kind: 'exact', exact: `h${integer(random, 9)}.example.com` } as const,
    { kind: 'suffix', suffix: '.example.com' } as const,
  ]);
  return { ...route, priority: integer(random, 999), match: { ...route.match, hostname } };
}

function poolGateway(random: Random, mesh: Mesh): Changes {
  const gateway = some(random, mesh.virtualGateways);
  const connectionPool = some(random, [undefined, { maxRequests: 1 + integer(random, 99) }]);
  return gateway === undefined
    ? []
    : [
        {
          ...gateway,
          listeners: gateway.listeners.map((listener) => ({ ...listener, connectionPool })),
        },
      ];
}
