/**
 * A mesh that changes at random: services come and go, get versions and lose them, move to other addresses,
 * change their routes and weights. Every state is a valid one, and the same seed gives the same states.
 */
import { present } from '../../controller/base/assert.js';
import type { Random } from '../../controller/base/random.js';

interface Version {
  readonly name: string;
  /** Indexes of the applications that it is at; at least one. */
  readonly apps: readonly number[];
  readonly weight: number;
}

interface Service {
  readonly name: string;
  readonly versions: readonly Version[];
  /** Answered by its first version itself, without a router. */
  readonly isDirect: boolean;
  /** Milliseconds that a request may take; undefined: Envoy's default. */
  readonly timeoutMs?: number;
  /** A second route, of a prefix of its own. */
  readonly hasSpecial: boolean;
}

export interface World {
  readonly services: readonly Service[];
}

export const emptyWorld: World = { services: [] };

const servicesMax = 12;
const namesMax = 20;
/** Six versions together stay below 100. */
const weightMax = 16;

/** `world` after one random change. `apps`: how many applications there are to be at. */
export function changed(world: World, random: Random, apps: number): World {
  const { services } = world;
  const draw = random();
  if (services.length < 3 || (draw < 0.2 && services.length < servicesMax)) {
    const names = Array.from({ length: namesMax }, (_, index) => `s${index}`);
    const free = names.filter((name) => services.every((service) => service.name !== name));
    return { services: [...services, newService(pick(random, free), random, apps)] };
  }
  const one = pick(random, services);
  if (draw < 0.35 && services.length > 3) {
    return { services: services.filter((service) => service !== one) };
  }
  const other = changedService(one, random, apps);
  return { services: services.map((service) => (service === one ? other : service)) };
}

function newService(name: string, random: Random, apps: number): Service {
  const versions = Array.from({ length: 1 + below(random, 3) }, (_, index) =>
    newVersion(`${name}-v${index}`, random, apps),
  );
  return { name, versions, isDirect: random() < 0.3, hasSpecial: random() < 0.3 };
}

function newVersion(name: string, random: Random, apps: number): Version {
  return { name, apps: somewhere(random, apps), weight: 1 + below(random, weightMax) };
}

function changedService(service: Service, random: Random, apps: number): Service {
  const { versions } = service;
  const one = pick(random, versions);
  switch (below(random, 7)) {
    case 0: {
      const number = below(random, 6);
      const name = `${service.name}-v${number}`;
      return versions.some((version) => version.name === name)
        ? { ...service, isDirect: !service.isDirect }
        : { ...service, versions: [...versions, newVersion(name, random, apps)] };
    }
    case 1:
      return versions.length === 1
        ? { ...service, hasSpecial: !service.hasSpecial }
        : { ...service, versions: versions.filter((version) => version !== one) };
    case 2:
      return { ...service, isDirect: !service.isDirect };
    case 3:
      return { ...service, hasSpecial: !service.hasSpecial };
    case 4:
      return { ...service, timeoutMs: 10_000 + below(random, 10_000) };
    case 5: {
      const moved = { ...one, apps: somewhere(random, apps) };
      return { ...service, versions: versions.map((each) => (each === one ? moved : each)) };
    }
    default: {
      const weighed = versions.map((each) => ({ ...each, weight: 1 + below(random, weightMax) }));
      return { ...service, versions: weighed };
    }
  }
}

function somewhere(random: Random, apps: number): readonly number[] {
  const chosen = Array.from({ length: apps }, (_, index) => index).filter(() => random() < 0.3);
  return chosen.length > 0 ? chosen : [below(random, apps)];
}

function below(random: Random, count: number): number {
  return Math.floor(random() * count);
}

function pick<T>(random: Random, list: readonly T[]): T {
  return present(list[below(random, list.length)], 'an element');
}

/** The mesh repository of `world`; `callers` are nodes that may call every service. */
export function yamlOf(world: World, callers: readonly string[], ports: readonly number[]): string {
  const { services } = world;
  const backends = services.map(({ name }) => ({
    virtualService: { virtualServiceRef: { name: hostOf(name) } },
  }));
  const documents = [
    document('Mesh', 'churn', {}),
    ...callers.map((name) => document('VirtualNode', name, { backends })),
    ...services.flatMap((service) => serviceDocuments(service, ports)),
  ];
  return documents.map((each) => JSON.stringify(each)).join('\n---\n');
}

export function hostOf(service: string): string {
  return `${service}.local`;
}

function serviceDocuments(service: Service, ports: readonly number[]): readonly object[] {
  const { name, versions, isDirect } = service;
  const [first] = versions;
  const provider = isDirect
    ? { virtualNode: { virtualNodeRef: { name: present(first, 'a version').name } } }
    : { virtualRouter: { virtualRouterRef: { name } } };
  return [
    ...versions.map((version) => nodeDocument(version, ports)),
    document('VirtualService', hostOf(name), { provider }),
    ...(isDirect ? [] : [routerDocument(service)]),
  ];
}

function nodeDocument({ name, apps }: Version, ports: readonly number[]): object {
  const endpoints = apps.map((app) => ({ address: '127.0.0.1', port: ports[app] }));
  return document('VirtualNode', name, {
    listeners: [{ portMapping: { port: 8080, protocol: 'http' } }],
    serviceDiscovery: { static: { endpoints } },
  });
}

function routerDocument({ name, versions, timeoutMs, hasSpecial }: Service): object {
  const weightedTargets = versions.map((version) => ({
    virtualNodeRef: { name: version.name },
    weight: version.weight,
  }));
  const timeout = timeoutMs && { perRequest: { unit: 'ms', value: timeoutMs } };
  const route = (routeName: string, prefix: string) => ({
    name: routeName,
    httpRoute: {
      match: { prefix },
      action: { weightedTargets },
      ...(timeout && { timeout }),
    },
  });
  return document('VirtualRouter', name, {
    listeners: [{ portMapping: { port: 8080, protocol: 'http' } }],
    routes: [...(hasSpecial ? [route('special', '/special')] : []), route('main', '/')],
  });
}

function document(kind: string, name: string, spec: object): object {
  return { apiVersion: 'headgate/v1', kind, metadata: { name }, spec };
}
