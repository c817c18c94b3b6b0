/**
 * What a commit of a simulation asks for, small enough to draw at random: a few services with versions,
 * weights and settings, and the mesh that follows from it. Every wish is a mesh that `decode` would
 * accept. The node `web` calls every service; services may call one another.
 */
import { present } from '../../controller/base/assert.js';
import type { Random } from '../../controller/base/random.js';
import type { Gate } from '../../controller/mesh/gates.js';
import type {
  Mesh,
  RolloutPolicy,
  VirtualNode,
  VirtualRouter,
  VirtualService,
} from '../../controller/mesh/model.js';
import { compareDefaults } from '../../controller/mesh/policy-defaults.js';
import { policyOf } from '../support/mesh.js';

export interface ServiceWish {
  /** By version; at least one is above 0. */
  readonly weights: Readonly<Record<string, number>>;
  readonly provider: 'router' | 'node';
  /** The route's name: another one is another route. */
  readonly route: string;
  readonly timeoutMs?: number;
  /** Of the versions' listeners: a change of configuration of the nodes themselves. */
  readonly idleMs?: number;
  readonly endpointPort: number;
  /** Services that its versions call. */
  readonly calls: readonly string[];
}

export interface Wish {
  readonly services: Readonly<Record<string, ServiceWish>>;
  readonly policy: Partial<RolloutPolicy>;
  /** Policies beside it: `pair` is atomic for a and b, `front` lets c and d be after it. */
  readonly also: readonly ('pair' | 'front')[];
}

/** Envoys of a simulation refuse a route with this timeout, as if they could not know it. */
export const refusedTimeoutMs = 13;

const serviceNames = ['a', 'b', 'c', 'd'];
const versions = ['v1', 'v2', 'v3'];

/** An element of `list`, which is not empty. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

function randomService(random: Random, names: readonly string[]): ServiceWish {
  return {
    weights: randomWeights(random),
    provider: 'router',
    route: 'main',
    endpointPort: 9000,
    calls: names.filter(() => random() < 0.2),
  };
}

function randomWeights(random: Random): Readonly<Record<string, number>> {
  const chosen = versions.filter(() => random() < 0.6);
  const used = chosen.length === 0 ? ['v1'] : chosen;
  const weights = used.map((version) => [version, pick(random, [0, 1, 10, 50, 100])] as const);
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  return Object.fromEntries(total === 0 ? used.map((version) => [version, 1]) : weights);
}

export function firstWish(random: Random): Wish {
  const names = serviceNames.filter((name) => name === 'a' || random() < 0.5);
  const services = names.map((name) => [name, randomService(random, [])] as const);
  return {
    services: Object.fromEntries(services),
    policy: randomPolicy(random),
    also: randomAlso(random),
  };
}

function randomAlso(random: Random): Wish['also'] {
  return pick(random, [[], [], ['pair'], ['pair', 'front']] as const);
}

/** Half minutes of the first minutes in which no step may be entered; seconds are all that a seed lasts. */
function randomFreeze(random: Random): RolloutPolicy['windows'] {
  const minute = Math.floor(random() * 3);
  const time = (at: number) => `2026-01-01T00:0${at}`;
  const freeze = { from: time(minute), to: time(minute + 1), timeZone: 'UTC' };
  return random() < 0.3 ? { allow: [], freeze: [freeze] } : undefined;
}

const worse: Gate = { kind: 'compare', name: 'worse', metric: 'errorRate', ...compareDefaults };

function randomGates(random: Random): readonly Gate[] {
  const counted: Gate = {
    kind: 'successRate',
    name: 'errors',
    min: 90,
    windowMs: 5000,
    minRequests: 20,
  };
  const asked: Gate = {
    kind: 'query',
    name: 'asked',
    provider: 'somebody',
    query: 'up',
    max: 1,
    windowMs: 1000,
    intervalMs: 1000,
  };
  const slow: Gate = { kind: 'latency', name: 'slow', ...latencyLimit, windowMs: 5000 };
  return pick(random, [[counted], [counted, slow], [counted, asked, slow], [asked], [worse]]);
}

/** Nine of ten answers are to be faster; the slow nodes of a simulation take longer for every second one. */
export const latencyLimit = { quantile: 0.9, maxMs: 100, minRequests: 20 } as const;

const matching = {
  match: {
    headers: [{ name: 'x-canary', invert: false, match: { kind: 'present' } }],
    cookies: [],
  },
} as const;
const mirroring = { mirror: { percent: 10, methods: ['GET'] } } as const;
const byCookie = { kind: 'cookie', name: 'version', ttlMs: 3_600_000 } as const;
const byHeader = { kind: 'header', name: 'x-user' } as const;

function randomPolicy(random: Random): Partial<RolloutPolicy> {
  const bakeMs = pick(random, [0, 2000, 4000]);
  const shares = pick(random, [[10, 50, 100], [30, 100], [100]]);
  const first = pick(random, [[], [], [], [matching], [mirroring], [{}], [matching, mirroring]]);
  const steps = [
    ...first.map((traffic) => ({ progress: 0, ...traffic })),
    ...shares.map((progress) => ({ progress })),
  ];
  return {
    steps: steps.map((step) => ({ ...step, bakeMs, approval: random() < 0.1 })),
    sticky: pick(random, [undefined, undefined, byCookie, byHeader]),
    gates: randomGates(random),
    windows: randomFreeze(random),
    onSupersede: pick(random, ['restart', 'restart', 'continue', 'continue', 'finish']),
    rollbackWindow: pick(random, [undefined, { revisions: 2 }, { withinMs: 60_000 }]),
    proxies: { quorum: pick(random, [50, 50, 0, 100]) },
    failureLimit: pick(random, [1, 1, 2]),
    noData: pick(random, ['wait', 'wait', 'pass', 'fail']),
    stepDeadlineMs: pick(random, [20_000, 60_000]),
    onStepDeadline: pick(random, ['pause', 'rollback', 'promote']),
    onFailure: pick(random, ['rollback', 'rollback', 'pause']),
    // Drawn from no number of its own: what else is drawn stays what it is.
    ...(bakeMs === 4000 ? { maxDurationMs: 45_000, onMaxDuration: 'rollback' } : {}),
  };
}

/** `wish`, whose rollouts the sequential judge sees for as long as it needs. */
export function judged(wish: Wish): Wish {
  const steps = wish.policy.steps?.map((step) => ({ ...step, bakeMs: 4000 }));
  return { ...wish, policy: { ...wish.policy, steps, gates: [worse] } };
}

/** The same, for as long as it needs to prove harm: no step is over before. */
export function judgedForLong(wish: Wish): Wish {
  const steps = [50, 100].map((progress) => ({ progress, bakeMs: 4000, approval: false }));
  const times = { stepDeadlineMs: 120_000, maxDurationMs: undefined, windows: undefined };
  return { ...wish, policy: { ...judged(wish).policy, ...times, steps } };
}

/** `wish` with traffic for version v3 of service a, as a release of it gives; without it where it has some. */
export function releasedOrReverted(wish: Wish): Wish {
  const service = wish.services.a;
  if (service === undefined) {
    return wish;
  }
  const v3 = service.weights.v3 ? 0 : 50;
  const a: ServiceWish = { ...service, provider: 'router', weights: { v1: 100, v3 } };
  return { ...wish, services: { ...wish.services, a } };
}

/** `wish` after one commit: one to three edits. */
export function edited(random: Random, wish: Wish): Wish {
  let next = wish;
  for (let edits = 1 + Math.floor(random() * 3); edits > 0; edits -= 1) {
    next = editOnce(random, next);
  }
  return next;
}

function editOnce(random: Random, wish: Wish): Wish {
  const names = Object.keys(wish.services);
  const name = pick(random, names);
  const service = present(wish.services[name], 'a service of the wish');
  const withService = (change: Partial<ServiceWish>): Wish => ({
    ...wish,
    services: { ...wish.services, [name]: { ...service, ...change } },
  });
  const kind = random();
  if (kind < 0.4) {
    return withService({ weights: randomWeights(random) });
  }
  if (kind < 0.55) {
    return withService({ timeoutMs: pick(random, [undefined, 1000, 2000, refusedTimeoutMs]) });
  }
  if (kind < 0.6) {
    return withService({ provider: service.provider === 'router' ? 'node' : 'router' });
  }
  if (kind < 0.65) {
    return withService({ route: service.route === 'main' ? 'all' : 'main' });
  }
  if (kind < 0.7) {
    return withService({ endpointPort: pick(random, [9000, 9001]) });
  }
  if (kind < 0.75) {
    return withService({ idleMs: pick(random, [undefined, 5000, 6000]) });
  }
  if (kind < 0.8) {
    return withService({ calls: names.filter((other) => other !== name && random() < 0.4) });
  }
  if (kind < 0.85) {
    return { ...wish, policy: randomPolicy(random), also: randomAlso(random) };
  }
  if (kind < 0.93 || names.length === 1) {
    const added = pick(random, serviceNames);
    const services = { [added]: randomService(random, names), ...wish.services };
    return { ...wish, services };
  }
  return without(wish, name);
}

function without(wish: Wish, name: string): Wish {
  const rest = Object.entries(wish.services).filter(([other]) => other !== name);
  const services = rest.map(([other, service]) => {
    const calls = service.calls.filter((called) => called !== name);
    return [other, { ...service, calls }] as const;
  });
  return { ...wish, services: Object.fromEntries(services) };
}

export function meshOfWish(wish: Wish): Mesh {
  const services = Object.entries(wish.services).sort(([left], [right]) => (left < right ? -1 : 1));
  const nodes = services.flatMap(([name, service]) =>
    Object.keys(service.weights).map((version) => nodeOf(`${name}-${version}`, service)),
  );
  const web = { ...nodeOf('web', undefined), backends: backendsTo(services.map(([name]) => name)) };
  return {
    name: 'demo',
    settings: { kind: 'Mesh', name: 'demo', labels: {}, egressFilter: 'DROP_ALL' },
    virtualNodes: [...nodes, web].sort((left, right) => (left.name < right.name ? -1 : 1)),
    virtualServices: services.map(serviceOf),
    virtualRouters: services.flatMap(([name, service]) =>
      service.provider === 'router' ? [routerOf(name, service)] : [],
    ),
    virtualGateways: [],
    gatewayRoutes: [],
    rolloutPolicies: policiesOf(wish),
  };
}

function policiesOf({ policy, also }: Wish): readonly RolloutPolicy[] {
  const selecting = (name: string, virtualRouters: readonly string[]): RolloutPolicy => {
    const base = policyOf(policy);
    return { ...base, name, selector: { ...base.selector, isDefault: false, virtualRouters } };
  };
  const named = also.map((name) =>
    name === 'pair'
      ? { ...selecting('pair', ['a', 'b']), atomic: true }
      : { ...selecting('front', ['c', 'd']), after: ['pair'] },
  );
  return [policyOf(policy), ...named].sort((left, right) => (left.name < right.name ? -1 : 1));
}

function nodeOf(name: string, service: ServiceWish | undefined): VirtualNode {
  const timeout = service?.idleMs === undefined ? {} : { timeout: { idleMs: service.idleMs } };
  const port = service?.endpointPort ?? 9000;
  return {
    kind: 'VirtualNode',
    name,
    labels: {},
    listeners: [{ port: 8080, protocol: 'http', ...timeout }],
    serviceDiscovery: { kind: 'static', endpoints: [{ address: '127.0.0.1', port }] },
    backends: backendsTo(service?.calls ?? []),
  };
}

function backendsTo(names: readonly string[]): VirtualNode['backends'] {
  return [...names].sort().map((name) => ({ virtualService: `${name}.demo.local` }));
}

function serviceOf([name, service]: readonly [string, ServiceWish]): VirtualService {
  const [version = 'v1'] = Object.keys(service.weights);
  return {
    kind: 'VirtualService',
    name: `${name}.demo.local`,
    labels: {},
    provider:
      service.provider === 'router'
        ? { kind: 'virtualRouter', virtualRouter: name }
        : { kind: 'virtualNode', virtualNode: `${name}-${version}` },
  };
}

function routerOf(name: string, service: ServiceWish): VirtualRouter {
  const { timeoutMs } = service;
  return {
    kind: 'VirtualRouter',
    name,
    labels: {},
    listeners: [{ port: 8080, protocol: 'http' }],
    routes: [
      {
        name: service.route,
        priority: 1000,
        protocol: 'http',
        match: { path: { kind: 'prefix', prefix: '/' }, headers: [], queryParameters: [] },
        targets: Object.entries(service.weights).map(([version, weight]) => ({
          virtualNode: `${name}-${version}`,
          port: 8080,
          weight,
        })),
        ...(timeoutMs === undefined ? {} : { timeout: { perRequestMs: timeoutMs } }),
      },
    ],
  };
}
