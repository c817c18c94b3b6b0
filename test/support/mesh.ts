/** Meshes of the model for tests: services with weighted versions and one caller, without any YAML. */
import type {
  GatewayRoute,
  Mesh,
  RolloutPolicy,
  Route,
  VirtualGateway,
  VirtualNode,
  VirtualRouter,
  VirtualService,
} from '../../controller/mesh/model.js';

/** One service: its versions' weights and what else of its route a test changes. */
export interface ServiceSpec {
  readonly name: string;
  /** By version, as `{ v1: 90, v2: 10 }`. */
  readonly weights: Readonly<Record<string, number>>;
  readonly timeoutMs?: number;
  /** Port of the versions' static endpoints. */
  readonly endpointPort?: number;
  /** The gateway `edge` hands it requests below this path. */
  readonly gatewayPrefix?: string;
  /** Services that its versions call. */
  readonly calls?: readonly string[];
}

/**
 * A mesh `demo` in which the node `web` calls every one of `services`, and where one is reached from
 * outside a gateway `edge`.
 */
export function meshOf(
  services: readonly ServiceSpec[],
  rolloutPolicies: readonly RolloutPolicy[] = [],
): Mesh {
  const sorted = [...services].sort(byName);
  const gatewayRoutes = sorted.flatMap(gatewayRoutesOf);
  return {
    name: 'demo',
    settings: { kind: 'Mesh', name: 'demo', labels: {}, egressFilter: 'DROP_ALL' },
    virtualNodes: [...sorted.flatMap(nodesOf), caller(sorted)].sort(byName),
    virtualServices: sorted.map(serviceOf).sort(byName),
    virtualRouters: sorted.map(routerOf),
    virtualGateways: gatewayRoutes.length === 0 ? [] : [edge],
    gatewayRoutes,
    rolloutPolicies: rolloutPolicies.toSorted(byName),
  };
}

function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : 1;
}

function caller(services: readonly ServiceSpec[]): VirtualNode {
  return {
    kind: 'VirtualNode',
    name: 'web',
    labels: {},
    listeners: [],
    backends: backendsTo(services.map(({ name }) => name)),
  };
}

function nodesOf(service: ServiceSpec): readonly VirtualNode[] {
  return Object.keys(service.weights).map((version) => ({
    kind: 'VirtualNode',
    name: `${service.name}-${version}`,
    labels: {},
    listeners: [{ port: 8080, protocol: 'http' }],
    serviceDiscovery: {
      kind: 'static',
      endpoints: [{ address: '127.0.0.1', port: service.endpointPort ?? 9000 }],
    },
    backends: backendsTo(service.calls ?? []),
  }));
}

function backendsTo(services: readonly string[]): VirtualNode['backends'] {
  return services.map((name) => ({ virtualService: `${name}.demo.local` }));
}

function serviceOf(service: ServiceSpec): VirtualService {
  return {
    kind: 'VirtualService',
    name: `${service.name}.demo.local`,
    labels: {},
    provider: { kind: 'virtualRouter', virtualRouter: service.name },
  };
}

function routerOf(service: ServiceSpec): VirtualRouter {
  const route: Route = {
    name: 'main',
    priority: 1000,
    protocol: 'http',
    match: { path: { kind: 'prefix', prefix: '/' }, headers: [], queryParameters: [] },
    targets: Object.entries(service.weights).map(([version, weight]) => ({
      virtualNode: `${service.name}-${version}`,
      port: 8080,
      weight,
    })),
    ...(service.timeoutMs === undefined ? {} : { timeout: { perRequestMs: service.timeoutMs } }),
  };
  return {
    kind: 'VirtualRouter',
    name: service.name,
    labels: {},
    listeners: [{ port: 8080, protocol: 'http' }],
    routes: [route],
  };
}

const edge: VirtualGateway = {
  kind: 'VirtualGateway',
  name: 'edge',
  labels: {},
  listeners: [{ port: 80, protocol: 'http' }],
};

function gatewayRoutesOf({ name, gatewayPrefix }: ServiceSpec): readonly GatewayRoute[] {
  if (gatewayPrefix === undefined) {
    return [];
  }
  const path = { kind: 'prefix', prefix: gatewayPrefix } as const;
  const route: GatewayRoute = {
    kind: 'GatewayRoute',
    name,
    labels: {},
    virtualGateway: edge.name,
    protocol: 'http',
    priority: 1000,
    match: { path, headers: [], queryParameters: [] },
    target: { virtualService: `${name}.demo.local` },
    rewrite: { hostnameToTarget: true, path: { kind: 'none' } },
  };
  return [route];
}

/** A policy for the whole mesh, with short times. */
export function policyOf(overrides: Partial<RolloutPolicy> = {}): RolloutPolicy {
  return {
    kind: 'RolloutPolicy',
    name: 'default',
    labels: {},
    selector: {
      isDefault: true,
      virtualRouters: [],
      virtualNodes: [],
      virtualGateways: [],
      matchLabels: {},
    },
    steps: [
      { progress: 10, bakeMs: 10_000, approval: false },
      { progress: 50, bakeMs: 10_000, approval: false },
      { progress: 100, bakeMs: 10_000, approval: false },
    ],
    gates: [{ kind: 'successRate', name: 'errors', min: 99, windowMs: 10_000, minRequests: 20 }],
    failureLimit: 1,
    onError: 'pause',
    onMaxDuration: 'pause',
    noData: 'wait',
    stepDeadlineMs: 120_000,
    onStepDeadline: 'pause',
    onFailure: 'rollback',
    atomic: false,
    after: [],
    onSupersede: 'restart',
    proxies: { quorum: 50 },
    ...overrides,
  };
}
