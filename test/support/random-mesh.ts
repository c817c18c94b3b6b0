/**
 * Meshes that nobody thought of: documents of a mesh repository drawn from a seed, all of them valid. The
 * same seed draws the same documents; `shuffled` writes them down in another order.
 */
import type { Random } from '../../controller/base/random.js';

export type Plain = Readonly<Record<string, unknown>>;

export interface Document {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Plain;
}

interface Service {
  readonly name: string;
  readonly protocol: 'http' | 'http2' | 'grpc' | 'tcp';
  readonly port: number;
  readonly versions: readonly string[];
}

const protocols = ['http', 'http2', 'grpc', 'tcp'] as const;
const routeKinds = {
  http: 'httpRoute',
  http2: 'http2Route',
  grpc: 'grpcRoute',
  tcp: 'tcpRoute',
} as const;

/** The documents of a mesh `random` in which the node `web` calls every service, of which it has up to `most`. */
export function randomDocuments(random: Random, most = 5): readonly Document[] {
  const services = Array.from({ length: 1 + integer(random, most) }, (_, index): Service => {
    const protocol = pick(random, protocols);
    const versions = Array.from({ length: 1 + integer(random, 3) }, (_, i) => `s${index}-v${i}`);
    // Two TCP services of one caller may not share a port.
    const port = protocol === 'tcp' ? 9000 + index : pick(random, [80, 443, 8080]);
    return { name: `s${index}.local`, protocol, port, versions };
  });
  const calls = (chosen: readonly Service[]) =>
    chosen.map(({ name }) => ({ virtualService: { virtualServiceRef: { name } } }));
  const nodes = services.flatMap((service) =>
    service.versions.map((version) => {
      const backends = calls(services.filter(() => chance(random, 0.3)));
      return document('VirtualNode', version, { ...nodeSpec(random, service), backends });
    }),
  );
  return [
    document('Mesh', 'random', {
      ...(chance(random, 0.5) && {
        egressFilter: { type: pick(random, ['ALLOW_ALL', 'DROP_ALL']) },
      }),
    }),
    document('VirtualNode', 'web', { backends: calls(services) }),
    ...nodes,
    ...services.flatMap((service) => serviceDocuments(random, service)),
  ];
}

/** The same documents in another order, and the lists in them whose order has no meaning. */
export function shuffled(random: Random, documents: readonly Document[]): readonly Document[] {
  return shuffle(
    random,
    documents.map((item) => shuffleLists(random, item) as Document),
  );
}

function document(kind: string, name: string, spec: Plain): Document {
  return { apiVersion: 'headgate/v1', kind, metadata: { name }, spec };
}

function nodeSpec(random: Random, { protocol, port }: Service): Plain {
  const listener = {
    portMapping: { port, protocol },
    ...(chance(random, 0.4) && { healthCheck: healthCheck(random, protocol) }),
    ...(chance(random, 0.4) && {
      outlierDetection: {
        maxServerErrors: 1 + integer(random, 9),
        interval: { unit: 's', value: 1 + integer(random, 9) },
        baseEjectionDuration: { unit: 'ms', value: 1 + integer(random, 9999) },
        maxEjectionPercent: integer(random, 101),
      },
    }),
    ...(chance(random, 0.4) && {
      timeout: { [protocol]: { idle: { unit: 's', value: integer(random, 99) } } },
    }),
  };
  const second = { portMapping: { port: 7000, protocol: pick(random, protocols) } };
  return {
    listeners: chance(random, 0.3) ? [listener, second] : [listener],
    serviceDiscovery: pick(random, [
      {
        dns: { hostname: 'a.internal', responseType: pick(random, ['LOADBALANCER', 'ENDPOINTS']) },
      },
      { announced: {} },
      {
        static: {
          endpoints: [
            { address: '10.0.0.2', port },
            { address: '10.0.0.1', port: 99 },
          ],
        },
      },
    ]),
  };
}

function healthCheck(random: Random, protocol: string): Plain {
  return {
    protocol,
    healthyThreshold: 2 + integer(random, 9),
    unhealthyThreshold: 2 + integer(random, 9),
    intervalMillis: 5000 + integer(random, 1000),
    timeoutMillis: 2000 + integer(random, 1000),
  };
}

function serviceDocuments(random: Random, service: Service): readonly Document[] {
  const { name, protocol, port, versions } = service;
  const router = name.replace('.local', '');
  if (chance(random, 0.3)) {
    const provider = { virtualNode: { virtualNodeRef: { name: versions[0] } } };
    return [document('VirtualService', name, { provider })];
  }
  const count = protocol === 'tcp' ? 1 : 1 + integer(random, 3);
  const routes = Array.from({ length: count }, (_, index) => ({
    name: `r${index}`,
    priority: index,
    [routeKinds[protocol]]: routeSpec(random, service, index === count - 1),
  }));
  const provider = { virtualRouter: { virtualRouterRef: { name: router } } };
  return [
    document('VirtualService', name, { provider }),
    document('VirtualRouter', router, { listeners: [{ portMapping: { port, protocol } }], routes }),
  ];
}

/** The last route matches everything, so that none before it is for nothing. */
function routeSpec(random: Random, { protocol, versions, port }: Service, isLast: boolean): Plain {
  const weights = versions.map(() => integer(random, 30));
  const weightedTargets = versions.map((version, index) => ({
    virtualNodeRef: { name: version },
    weight: (weights[index] ?? 0) + (index === 0 ? 1 : 0),
    port,
  }));
  const action = { weightedTargets };
  if (protocol === 'tcp') {
    return { action };
  }
  return {
    action,
    match: isLast ? lastMatch(protocol) : someMatch(random, protocol),
    ...(chance(random, 0.5) && {
      timeout: { perRequest: { unit: 'ms', value: integer(random, 9999) } },
    }),
    ...(chance(random, 0.5) && {
      retryPolicy: {
        maxRetries: integer(random, 4),
        perRetryTimeout: { unit: 'ms', value: integer(random, 999) },
        httpRetryEvents: ['server-error', 'stream-error'],
      },
    }),
  };
}

function lastMatch(protocol: string): Plain {
  return protocol === 'grpc' ? {} : { prefix: '/' };
}

function someMatch(random: Random, protocol: string): Plain {
  const headers = [
    { name: `x-${integer(random, 9)}`, match: { exact: 'a' } },
    { name: 'y', invert: chance(random, 0.5), match: { regex: 'b+' } },
  ];
  return protocol === 'grpc'
    ? { serviceName: 'a.B', metadata: headers }
    : { prefix: `/p${integer(random, 99)}`, headers };
}

/** Lists of listeners keep their order, which says where explicit proxies serve them. */
function shuffleLists(random: Random, value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => shuffleLists(random, item));
    return key === 'listeners' ? items : shuffle(random, items);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const entries = Object.entries(value).map(([name, item]) => [
    name,
    shuffleLists(random, item, name),
  ]);
  return Object.fromEntries(shuffle(random, entries));
}

function shuffle<T>(random: Random, items: readonly T[]): readonly T[] {
  const keyed = items.map((item) => ({ item, key: random() }));
  return keyed.sort((left, right) => left.key - right.key).map(({ item }) => item);
}

export function integer(random: Random, end: number): number {
  return Math.floor(random() * end);
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[integer(random, items.length)] as T;
}

function chance(random: Random, share: number): boolean {
  return random() < share;
}
