/**
 * One mesh as a graph: who calls what, which way its traffic is split, what proxies measured of it and
 * how they are. What is on its way in or out is in it too. Figures are those of load reports of the last
 * seconds; one that cannot be told apart (a node that two services share) is null and never a guess.
 */
import { diffMeshes } from '../diff/diff-meshes.js';
import type { ProxyStatus } from '../loop/ports.js';
import type { LoopState, MeshState } from '../loop/state.js';
import {
  findResource,
  type Mesh,
  type ResourceKind,
  resourceKey,
  type VirtualNode,
  type VirtualRouter,
} from '../mesh/model.js';
import { normalizeWeights } from '../mesh/weights.js';
import type { LoadTotal } from '../rollout/load-history.js';
import { effectiveMesh } from '../rollout/mix.js';
import { isEnded, type Rollout } from '../rollout/rollout.js';
import { proxyState } from './proxy-view.js';

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

export interface TrafficView {
  readonly requestsPerSecond: number;
  /** Percent without server errors; null without answers. */
  readonly success: number | null;
}

export interface EdgeView {
  readonly from: string;
  readonly to: string;
  /** `route`: a router's split; `call`: a backend or a gateway route; `provider`: a service's own. */
  readonly kind: 'route' | 'call' | 'provider';
  /** Names of the routes or gateway routes behind it. */
  readonly routes: readonly string[];
  /** Percent, of a router with one route; null elsewhere. */
  readonly weight: { readonly served: number; readonly desired: number } | null;
  /** Percent of the router's requests that went this way; null where it cannot be told. */
  readonly actual: number | null;
  readonly traffic: TrafficView | null;
}

/** As `rolloutTargets` looks at actual weights. */
const windowMs = 10_000;

interface Context {
  readonly state: LoopState;
  readonly mesh: MeshState;
  readonly proxies: readonly ProxyStatus[];
  readonly rollouts: readonly Rollout[];
  /** What a proxy that is in every wave is served. */
  readonly served: Mesh;
  readonly nowMs: number;
}

/** Undefined where there is no mesh of that name. */
export function viewMesh(
  name: string,
  {
    state,
    proxies,
    nowMs,
  }: {
    readonly state: LoopState;
    readonly proxies: readonly ProxyStatus[];
    readonly nowMs: number;
  },
): MeshGraphView | undefined {
  const mesh = state.durable.meshes.get(name);
  if (mesh === undefined) {
    return undefined;
  }
  const rollouts = [...state.durable.rollouts.values()].filter(
    (rollout) => rollout.mesh === name && !isEnded(rollout.phase),
  );
  const everywhere = rollouts.map((rollout) => ({ ...rollout, waveShare: 1 }));
  const context: Context = {
    ...{ state, mesh, rollouts, nowMs },
    proxies: proxies.filter(({ identity }) => identity.resource?.mesh === name),
    served: effectiveMesh(mesh.applied, everywhere, ''),
  };
  return { name, vertices: viewVertices(context), edges: viewEdges(context) };
}

const vertexKinds: readonly VertexKind[] = [
  'VirtualGateway',
  'VirtualService',
  'VirtualRouter',
  'VirtualNode',
];

function viewVertices(context: Context): readonly VertexView[] {
  const { mesh } = context;
  const changes = new Map(
    diffMeshes(mesh.applied, mesh.desired).map((change) => [resourceKey(change.ref), change]),
  );
  return vertexKinds.flatMap((kind) =>
    namesOf(context, kind).map((name) => {
      const id = keyOf(context, kind, name);
      const change = changes.get(id);
      return {
        ...{ id, kind, name },
        change: change === undefined ? 'none' : changeOf(change),
        rollouts: context.rollouts
          .filter(({ group }) => group.resources.some(({ ref }) => resourceKey(ref) === id))
          .map((rollout) => rollout.id),
        proxies:
          kind === 'VirtualNode' || kind === 'VirtualGateway' ? countProxies(context, id) : null,
        traffic: kind === 'VirtualNode' ? nodeTraffic(context, [name]) : null,
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

/** Names in either of the meshes, sorted. */
function namesOf({ mesh, served }: Context, kind: VertexKind): readonly string[] {
  const names = [mesh.applied, served, mesh.desired].flatMap((one) =>
    listOf(one, kind).map(({ name }) => name),
  );
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

function keyOf({ served }: Context, kind: ResourceKind, name: string): string {
  return resourceKey({ mesh: served.name, kind, name });
}

function countProxies({ proxies }: Context, id: string): ProxyCounts {
  const states = proxies
    .filter(({ identity }) => identity.resource && resourceKey(identity.resource) === id)
    .map(proxyState);
  const count = (state: keyof ProxyCounts) => states.filter((one) => one === state).length;
  return {
    synced: count('synced'),
    stale: count('stale'),
    rejected: count('rejected'),
    notSent: count('notSent'),
  };
}

function viewEdges(context: Context): readonly EdgeView[] {
  const { served } = context;
  const calls = [
    ...served.virtualNodes.flatMap((node) => callsOf(context, 'VirtualNode', node.name)),
    ...served.virtualGateways.flatMap(({ name }) => callsOf(context, 'VirtualGateway', name)),
  ];
  const provided = served.virtualServices.flatMap(({ name, provider }) => {
    const from = keyOf(context, 'VirtualService', name);
    if (provider === undefined) {
      return [];
    }
    const to =
      provider.kind === 'virtualRouter'
        ? keyOf(context, 'VirtualRouter', provider.virtualRouter)
        : keyOf(context, 'VirtualNode', provider.virtualNode);
    const traffic = nodeTraffic(context, nodesBehind(served, name));
    return [
      { from, to, kind: 'provider', routes: [], weight: null, actual: null, traffic },
    ] as const;
  });
  return [...calls, ...provided, ...served.virtualRouters.flatMap((one) => splits(context, one))];
}

/** What a node's backends, or a gateway's routes, lead to. */
function callsOf(
  context: Context,
  kind: 'VirtualNode' | 'VirtualGateway',
  name: string,
): readonly EdgeView[] {
  const { served } = context;
  const from = keyOf(context, kind, name);
  const routesByService = new Map<string, string[]>();
  if (kind === 'VirtualNode') {
    const node = findResource(served, { kind, name }) as VirtualNode;
    for (const { virtualService } of node.backends) {
      routesByService.set(virtualService, []);
    }
  }
  for (const route of kind === 'VirtualGateway' ? served.gatewayRoutes : []) {
    if (route.virtualGateway === name) {
      const { virtualService } = route.target;
      routesByService.set(virtualService, [
        ...(routesByService.get(virtualService) ?? []),
        route.name,
      ]);
    }
  }
  const services = [...routesByService.keys()];
  const instances = new Set(
    context.proxies
      .filter(({ identity }) => identity.resource && resourceKey(identity.resource) === from)
      .map(({ identity }) => identity.instance),
  );
  return services.map((service) => {
    const nodes = nodesBehind(served, service);
    const others = services.filter((one) => one !== service);
    const isShared = others.some((one) =>
      nodesBehind(served, one).some((node) => nodes.includes(node)),
    );
    return {
      from,
      to: keyOf(context, 'VirtualService', service),
      kind: 'call',
      routes: routesByService.get(service) ?? [],
      weight: null,
      actual: null,
      traffic: isShared ? null : nodeTraffic(context, nodes, (instance) => instances.has(instance)),
    };
  });
}

/** A router's edges, one for each node that any of its routes leads to. */
function splits(context: Context, router: VirtualRouter): readonly EdgeView[] {
  const { served, mesh } = context;
  const nodes = [
    ...new Set(router.routes.flatMap((route) => route.targets.map((one) => one.virtualNode))),
  ];
  const isOnlyWay = nodes.every(
    (node) => !served.virtualRouters.some((other) => other !== router && leadsTo(other, node)),
  );
  const sinceMs = settledAtMs(context, router.name);
  const issued = nodes.map((node) => totalOf(context, [node], { sinceMs }).issued);
  const all = issued.reduce((sum, count) => sum + count, 0);
  const desired = findResource(mesh.desired, router);
  return nodes.map((node, index) => {
    const routes = router.routes.filter((route) =>
      route.targets.some((target) => target.virtualNode === node),
    );
    return {
      from: keyOf(context, 'VirtualRouter', router.name),
      to: keyOf(context, 'VirtualNode', node),
      kind: 'route',
      routes: routes.map(({ name }) => name),
      weight:
        router.routes.length === 1
          ? {
              served: shareOf(router, node),
              desired: desired?.kind === 'VirtualRouter' ? shareOf(desired, node) : 0,
            }
          : null,
      actual: isOnlyWay && all > 0 ? toHundredths(((issued[index] ?? 0) / all) * 100) : null,
      traffic: isOnlyWay ? nodeTraffic(context, [node]) : null,
    };
  });
}

/** When the present weights of `router` had come to its callers: what was sent before went by others. */
function settledAtMs({ rollouts }: Context, router: string): number {
  const times = rollouts
    .filter(({ group }) =>
      group.resources.some(({ ref }) => ref.kind === 'VirtualRouter' && ref.name === router),
    )
    .map((rollout) => rollout.ackedAtMs ?? rollout.stepEnteredAtMs);
  return Math.max(0, ...times);
}

function leadsTo(router: VirtualRouter, node: string): boolean {
  return router.routes.some((route) => route.targets.some((one) => one.virtualNode === node));
}

/** Percent of the first route's requests that `node` is to get. */
function shareOf({ routes }: VirtualRouter, node: string): number {
  const targets = routes[0]?.targets ?? [];
  const shares = normalizeWeights(targets.map(({ weight }) => weight));
  const units = targets.reduce(
    (sum, target, index) => sum + (target.virtualNode === node ? (shares[index] ?? 0) : 0),
    0,
  );
  return units / 100;
}

/** Names of the nodes that requests for `service` end at. */
function nodesBehind(mesh: Mesh, service: string): readonly string[] {
  const found = mesh.virtualServices.find(({ name }) => name === service);
  if (found?.provider === undefined) {
    return [];
  }
  const { provider } = found;
  if (provider.kind === 'virtualNode') {
    return [provider.virtualNode];
  }
  const router = mesh.virtualRouters.find(({ name }) => name === provider.virtualRouter);
  return [
    ...new Set(router?.routes.flatMap((route) => route.targets.map((one) => one.virtualNode))),
  ];
}

function nodeTraffic(
  context: Context,
  nodes: readonly string[],
  includes?: (instance: string) => boolean,
): TrafficView | null {
  const { issued, successes, errors } = totalOf(context, nodes, { includes });
  if (issued === 0) {
    return null;
  }
  const answered = successes + errors;
  return {
    requestsPerSecond: Math.round((issued / windowMs) * 10_000) / 10,
    success: answered === 0 ? null : toHundredths((successes / answered) * 100),
  };
}

interface LoadFilter {
  /** Only reports of these proxies; undefined: all. */
  readonly includes?: (instance: string) => boolean;
  readonly sinceMs?: number;
}

function totalOf(
  { state, served, nowMs }: Context,
  nodes: readonly string[],
  { includes, sinceMs = 0 }: LoadFilter,
): LoadTotal {
  const totals = nodes.map((virtualNode) =>
    state.load.total({
      ...{ mesh: served.name, virtualNode, includes },
      direction: 'egress',
      fromMs: Math.max(nowMs - windowMs, sinceMs),
    }),
  );
  const sum = (key: keyof LoadTotal) => totals.reduce((all, total) => all + total[key], 0);
  return { issued: sum('issued'), successes: sum('successes'), errors: sum('errors') };
}

function toHundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
