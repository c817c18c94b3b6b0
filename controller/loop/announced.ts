/**
 * Announced endpoints: a proxy that says its address when it connects is an endpoint of its virtual node
 * for as long as its stream lives, so that ECS tasks, VMs and allocations need no registry. It comes once
 * it has acknowledged all that it was given: before that nobody listens at its address. It leaves at
 * once when it says goodbye and after a grace when its stream breaks. When most streams break together
 * the fault is the controller's own network, not half the fleet: then everybody stays. A stock Envoy says
 * goodbye by its load reports (`serveStream`), so one without them always has the grace.
 */
import { memo, pairMemo } from '../base/memo.js';
import { compareText } from '../base/problem.js';
import { type Mesh, resourceKey, type StaticEndpoint, type VirtualNode } from '../mesh/model.js';
import type { ProxyStatus } from './ports.js';

/** One proxy's announcement, kept in the store so that a restart empties no cluster. */
export interface AnnouncedEndpoint {
  /** `ProxyIdentity.instance`. */
  readonly instance: string;
  /** An IP address. */
  readonly address: string;
  /** Of an explicit proxy's first ingress listener; undefined: connections are redirected to it. */
  readonly port?: number;
  /** Since when no stream of the instance lives; undefined while one does. */
  readonly lostAtMs?: number;
}

/** By key of the virtual node. */
export type Announced = ReadonlyMap<string, readonly AnnouncedEndpoint[]>;

/** A broken stream is usually back within a second or two; Envoy's own backoff goes up to 30 s. */
export const lostGraceMs = 15_000;

/**
 * A proxy that refuses something, or waits for a secret, may never have acknowledged everything, and serves
 * all the same. By now it does: a missing secret holds a listener up for 15 s.
 */
export const unreadyMaxMs = 20_000;

/** Below this share of living announcements nobody is taken out. */
const livingShareMin = 0.5;

/** `announced` with what `proxy` says of itself, if it is ready to be called. */
export function announce(announced: Announced, proxy: ProxyStatus, nowMs: number): Announced {
  const { resource, announce: address, ingress, instance } = proxy.identity;
  if (resource === undefined || address === undefined) {
    return announced;
  }
  const key = resourceKey(resource);
  const known = announced.get(key) ?? [];
  const entry: AnnouncedEndpoint = { instance, address, port: ingress?.port };
  const served = known.find((one) => isSameEntry(one, entry));
  const isNews = served === undefined ? isReady(proxy, nowMs) : !isLiving(served);
  return isNews ? replace(announced, key, [...without(known, instance), entry]) : announced;
}

function isReady({ ackedGeneration, connectedAtMs }: ProxyStatus, nowMs: number): boolean {
  return ackedGeneration > 0 || nowMs - connectedAtMs >= unreadyMaxMs;
}

/** True where a proxy is to become an endpoint, by time alone if it does not acknowledge. */
export function hasUnready(announced: Announced, proxies: Iterable<ProxyStatus>): boolean {
  const known = new Set([...announced.values()].flat().map(nameOf));
  return [...proxies].some(
    ({ identity }) =>
      identity.resource !== undefined &&
      identity.announce !== undefined &&
      !known.has(identity.instance),
  );
}

function isSameEntry(left: AnnouncedEndpoint, right: AnnouncedEndpoint): boolean {
  return (
    left.instance === right.instance && left.address === right.address && left.port === right.port
  );
}

/**
 * `announced` after the last stream of `proxy`'s instance ended: `clean` by its own will, else it broke
 * at `nowMs`.
 */
export function withdraw(
  announced: Announced,
  proxy: ProxyStatus,
  clean: boolean,
  nowMs: number,
): Announced {
  const { resource, instance } = proxy.identity;
  const key = resource === undefined ? '' : resourceKey(resource);
  const known = announced.get(key) ?? [];
  const entry = known.find((one) => one.instance === instance);
  if (entry === undefined) {
    return announced;
  }
  const rest = without(known, instance);
  return replace(announced, key, clean ? rest : [...rest, { ...entry, lostAtMs: nowMs }]);
}

/** `announced` as the streams that live say: whoever has none is lost since now, whoever has one is not. */
export function compareWith(
  announced: Announced,
  proxies: Iterable<ProxyStatus>,
  nowMs: number,
): Announced {
  const living = new Set([...announced.values()].flat().filter(isLiving).map(nameOf));
  const connected = new Set<string>();
  let next = announced;
  for (const proxy of proxies) {
    const { resource, announce: address, instance } = proxy.identity;
    if (resource !== undefined && address !== undefined) {
      connected.add(instance);
      next = living.has(instance) ? next : announce(next, proxy, nowMs);
    }
  }
  if ([...living].every((instance) => connected.has(instance))) {
    return next;
  }
  const isGone = (entry: AnnouncedEndpoint) => isLiving(entry) && !connected.has(entry.instance);
  const lose = (entry: AnnouncedEndpoint) =>
    isGone(entry) ? { ...entry, lostAtMs: nowMs } : entry;
  return new Map(
    [...next].map(([key, list]) => [key, list.some(isGone) ? list.map(lose) : list] as const),
  );
}

function isLiving({ lostAtMs }: AnnouncedEndpoint): boolean {
  return lostAtMs === undefined;
}

function nameOf({ instance }: AnnouncedEndpoint): string {
  return instance;
}

/** `announced` without those that were lost for longer than the grace, unless most are lost. */
export function expire(announced: Announced, nowMs: number): Announced {
  const all = [...announced.values()].flat();
  const living = all.filter((one) => one.lostAtMs === undefined).length;
  const isDue = (one: AnnouncedEndpoint) =>
    one.lostAtMs !== undefined && nowMs - one.lostAtMs >= lostGraceMs;
  if (!all.some(isDue) || living < all.length * livingShareMin) {
    return announced;
  }
  const kept = [...announced].map(([key, entries]) => {
    const rest = entries.filter((one) => !isDue(one));
    return [key, rest.length === entries.length ? entries : rest] as const;
  });
  return new Map(kept.filter(([, entries]) => entries.length > 0));
}

/** After a restart nobody has a stream yet: all count as lost from now on. */
export function allLost(announced: Announced, nowMs: number): Announced {
  return new Map(
    [...announced].map(([key, entries]) => [
      key,
      entries.map((entry) => ({ ...entry, lostAtMs: nowMs })),
    ]),
  );
}

/** Those that are lost are lost since `nowMs`: times from before it say nothing any more. */
export function lostSince(announced: Announced, nowMs: number): Announced {
  return new Map(
    [...announced].map(([key, entries]) => [
      key,
      entries.map((entry) => (isLiving(entry) ? entry : { ...entry, lostAtMs: nowMs })),
    ]),
  );
}

/** True where time alone may take an endpoint out. */
export function hasLost(announced: Announced): boolean {
  return [...announced.values()].some((list) => list.some((one) => one.lostAtMs !== undefined));
}

/** What proxies are told; two with the same text are served the same. */
export function servedKey(announced: Announced): string {
  const entries = [...announced].map(([key, list]) => [
    key,
    [...list].sort(byInstance).map(({ address, port }) => [address, port]),
  ]);
  return JSON.stringify(
    entries.sort(([left], [right]) => compareText(String(left), String(right))),
  );
}

/**
 * `mesh` with the endpoints of its announced nodes filled in. They are served as static ones are; to
 * Envoy there is no difference.
 */
export function withAnnounced(mesh: Mesh, announced: Announced): Mesh {
  if (!hasAnnounced(mesh)) {
    return mesh;
  }
  const virtualNodes = mesh.virtualNodes.map((node) => withEndpoints(mesh.name, node, announced));
  return { ...mesh, virtualNodes };
}

/** True where a node of `mesh` gets its endpoints from proxies that announce themselves. */
export const hasAnnounced = memo(({ virtualNodes }: Mesh) =>
  virtualNodes.some(({ serviceDiscovery }) => serviceDiscovery?.kind === 'announced'),
);

/** `node` of `mesh` with its announced endpoints, the same object for the same announcements of it. */
export function withEndpoints(mesh: string, node: VirtualNode, announced: Announced): VirtualNode {
  if (node.serviceDiscovery?.kind !== 'announced') {
    return node;
  }
  const key = resourceKey({ mesh, kind: 'VirtualNode', name: node.name });
  return filled(node, announced.get(key) ?? nobody);
}

const nobody: readonly AnnouncedEndpoint[] = [];

const filled = pairMemo((node: VirtualNode, entries: readonly AnnouncedEndpoint[]): VirtualNode => {
  const endpoints = [...entries].sort(byInstance).flatMap((entry) => endpointsOf(entry, node));
  return { ...node, serviceDiscovery: { kind: 'static', endpoints: distinct(endpoints) } };
});

function endpointsOf(entry: AnnouncedEndpoint, node: VirtualNode): readonly StaticEndpoint[] {
  const { address, port } = entry;
  return port === undefined
    ? node.listeners.map((listener) => ({ address, port: listener.port }))
    : [{ address, port }];
}

/** Two Envoys of one task announce one address; Envoy refuses an endpoint that is listed twice. */
function distinct(endpoints: readonly StaticEndpoint[]): readonly StaticEndpoint[] {
  return [...new Map(endpoints.map((one) => [`${one.address} ${one.port}`, one])).values()];
}

function without(entries: readonly AnnouncedEndpoint[], instance: string) {
  return entries.filter((entry) => entry.instance !== instance);
}

function replace(
  announced: Announced,
  key: string,
  entries: readonly AnnouncedEndpoint[],
): Announced {
  const next = new Map(announced);
  if (entries.length === 0) {
    next.delete(key);
  } else {
    next.set(key, entries);
  }
  return next;
}

function byInstance(left: AnnouncedEndpoint, right: AnnouncedEndpoint): number {
  return compareText(left.instance, right.instance);
}
