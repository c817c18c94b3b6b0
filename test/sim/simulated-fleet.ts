/**
 * Envoys of a simulation: they connect, take what they are served when the simulation lets them, refuse
 * what real ones might refuse, stay silent, count requests and leave. What is served to each is worked
 * out from the loop's state with no help of the translator: the resources that its node reaches.
 */
import { proxyId } from '../../controller/base/brand.js';
import { memo } from '../../controller/base/memo.js';
import type { LoopEvent } from '../../controller/loop/events.js';
import type { ProxyStatus, Publication, Publisher } from '../../controller/loop/ports.js';
import { findResource, type Mesh, type Resource } from '../../controller/mesh/model.js';
import { referencesOf } from '../../controller/mesh/references.js';
import type { LatencySample } from '../../controller/rollout/latency-history.js';
import type { LoadSample } from '../../controller/rollout/load-history.js';
import { refusedTimeoutMs } from './mesh-wish.js';

export interface SimulatedProxy {
  readonly id: string;
  readonly instance: string;
  readonly node: string;
  readonly connectedAtMs: number;
  /** A silent one never answers. */
  isSilent: boolean;
  /** The newest generation that it was served. */
  generation: number;
  ackedGeneration: number;
  /** What it is served, as text; undefined: its node is not known. */
  served: string | undefined;
  acked: string | undefined;
}

export interface FleetDeps {
  /** What is served to `instance` now; undefined before the first revision. */
  readonly effective: (instance: string) => Mesh | undefined;
  readonly send: (event: LoopEvent) => void;
  /** Told of each publication before any proxy has it. */
  readonly onPublish: (publication: Publication) => void;
  readonly nowMs: () => number;
}

export class SimulatedFleet implements Publisher {
  /** By id, in the order in which they connected. */
  readonly byId = new Map<string, SimulatedProxy>();
  /** How often each node was asked for a refusal, and which generation was refused by whom. */
  readonly refusals: { readonly proxy: SimulatedProxy; readonly generation: number }[] = [];
  private readonly deps: FleetDeps;
  /** By what is served, as text: the nodes that it sends requests to. */
  private readonly targets = new Map<string, readonly string[]>();
  private generation = 0;
  private count = 0;

  constructor(deps: FleetDeps) {
    this.deps = deps;
  }

  publish(publication: Publication): void {
    this.deps.onPublish(publication);
    this.generation = publication.generation;
    for (const proxy of this.byId.values()) {
      this.serve(proxy);
    }
  }

  proxies(): readonly ProxyStatus[] {
    return [...this.byId.values()].map(statusOf);
  }

  /** `acked`: what it has from a stream before this one. */
  connect(instance: string, node: string, acked?: string): void {
    this.count += 1;
    const proxy: SimulatedProxy = {
      id: `${instance}#${this.count}`,
      instance,
      node,
      connectedAtMs: this.deps.nowMs(),
      isSilent: false,
      generation: 0,
      ackedGeneration: 0,
      served: undefined,
      acked,
    };
    this.byId.set(proxy.id, proxy);
    this.deps.send({ kind: 'proxyConnected', proxy: statusOf(proxy) });
    this.serve(proxy);
  }

  disconnect(proxy: SimulatedProxy, clean: boolean): void {
    this.byId.delete(proxy.id);
    this.deps.send({ kind: 'proxyDisconnected', id: proxyId(proxy.id), clean });
  }

  /** Every stream ends with the process that served it; nobody hears of it. */
  forgetAll(): void {
    this.byId.clear();
    this.generation = 0;
  }

  /** The proxy takes what it was served last, or refuses it. */
  answer(proxy: SimulatedProxy, mayRefuse: boolean): void {
    if (proxy.isSilent || proxy.served === undefined || isSynced(proxy)) {
      return;
    }
    if (mayRefuse && proxy.served.includes(`"perRequestMs":${refusedTimeoutMs}}`)) {
      this.refusals.push({ proxy: { ...proxy }, generation: proxy.generation });
      this.deps.send({
        kind: 'proxyNacked',
        proxy: statusOf(proxy),
        type: 'route',
        resources: ['rds_egress_http_8080'],
        error: 'Envoy says no',
        generation: proxy.generation,
      });
      return;
    }
    this.accept(proxy);
  }

  /** What each connected proxy counted in the second before `nowMs`: twenty requests a target. */
  countRequests(nowMs: number, isBad: (node: string) => boolean): readonly LoadSample[] {
    return [...this.byId.values()].flatMap((proxy) =>
      this.targetsOf(proxy.acked).map((virtualNode) => {
        const errors = isBad(virtualNode) ? 10 : 0;
        return {
          mesh: 'demo',
          virtualNode,
          direction: 'egress',
          instance: proxy.instance,
          fromMs: nowMs - 1000,
          toMs: nowMs,
          successes: 20 - errors,
          errors,
          issued: 20,
        };
      }),
    );
  }

  /** How long the answers took that are counted in `samples`: every second one of a slow node a second. */
  measureLatencies(
    samples: readonly LoadSample[],
    isSlow: (node: string) => boolean,
  ): readonly LatencySample[] {
    return samples.map(({ mesh, virtualNode, direction, instance, fromMs, toMs, issued }) => {
      const slow = isSlow(virtualNode) ? issued / 2 : 0;
      const buckets = [
        [10, issued - slow],
        [1000, slow],
      ] as const;
      return {
        ...{ mesh, virtualNode, direction, instance, fromMs, toMs },
        buckets: buckets.filter(([, count]) => count > 0),
      };
    });
  }

  private targetsOf(served = '[]'): readonly string[] {
    const targets = this.targets.get(served) ?? trafficTargets(served);
    this.targets.set(served, targets);
    return targets;
  }

  private serve(proxy: SimulatedProxy): void {
    const mesh = this.deps.effective(proxy.instance);
    const reached = mesh === undefined ? undefined : reachedText(mesh, proxy.node);
    proxy.generation = this.generation;
    // A proxy whose node is gone keeps what it has.
    proxy.served = reached ?? proxy.served;
    if (proxy.served !== undefined && proxy.served === proxy.acked) {
      this.accept(proxy);
    }
  }

  private accept(proxy: SimulatedProxy): void {
    proxy.acked = proxy.served;
    if (proxy.ackedGeneration !== proxy.generation) {
      proxy.ackedGeneration = proxy.generation;
      this.deps.send({ kind: 'proxyAcked', proxy: statusOf(proxy) });
    }
  }
}

export function isSynced(proxy: SimulatedProxy): boolean {
  return proxy.ackedGeneration === proxy.generation;
}

/** What a proxy of `node` is served of `mesh`: its node, and what that reaches. */
export function reachedResources(mesh: Mesh, node: string): readonly Resource[] | undefined {
  const known = reachedIn(mesh);
  if (!known.has(node)) {
    known.set(node, findReached(mesh, node));
  }
  return known.get(node);
}

/** By node. */
const reachedIn = memo((_mesh: Mesh) => new Map<string, readonly Resource[] | undefined>());

/** The same as text. */
export function reachedText(mesh: Mesh, node: string): string | undefined {
  const reached = reachedResources(mesh, node);
  return reached && textOf(reached);
}

const textOf = memo((resources: readonly Resource[]) => JSON.stringify(resources));

function findReached(mesh: Mesh, node: string): readonly Resource[] | undefined {
  const own = findResource(mesh, { kind: 'VirtualNode', name: node });
  if (own === undefined) {
    return undefined;
  }
  const reached = new Set<Resource>([mesh.settings, own]);
  const queue: Resource[] = [own];
  for (let resource = queue.pop(); resource !== undefined; resource = queue.pop()) {
    // What a called node calls is no business of its caller.
    const references =
      resource.kind === 'VirtualNode' && resource !== own ? [] : referencesOf(mesh.name, resource);
    for (const ref of references) {
      const next = findResource(mesh, ref);
      if (next !== undefined && !reached.has(next)) {
        reached.add(next);
        queue.push(next);
      }
    }
  }
  return [...reached].sort((left, right) =>
    `${left.kind} ${left.name}` < `${right.kind} ${right.name}` ? -1 : 1,
  );
}

/** Nodes to which the routes and services in `served` send requests. */
function trafficTargets(served: string): readonly string[] {
  const resources = JSON.parse(served) as readonly Resource[];
  const nodes = resources.flatMap((resource) => {
    if (resource.kind === 'VirtualRouter') {
      const targets = resource.routes.flatMap((route) => route.targets);
      const asked = targets.filter(({ weight, copies = 0 }) => weight + copies > 0);
      return asked.map(({ virtualNode }) => virtualNode);
    }
    const isDirect =
      resource.kind === 'VirtualService' && resource.provider?.kind === 'virtualNode';
    return isDirect ? [resource.provider.virtualNode] : [];
  });
  return [...new Set(nodes)];
}

function statusOf(proxy: SimulatedProxy): ProxyStatus {
  return {
    id: proxyId(proxy.id),
    identity: {
      nodeId: `mesh/demo/virtualNode/${proxy.node}`,
      resource: { mesh: 'demo', kind: 'VirtualNode', name: proxy.node },
      instance: proxy.instance,
      kind: 'envoy',
      egress: { address: '127.0.0.1', port: 15001 },
      ...(proxy.node === 'web' ? {} : { announce: `10.0.0.${proxy.instance.split('/')[1]}` }),
    },
    address: '127.0.0.1:1',
    connectedAtMs: proxy.connectedAtMs,
    ackedGeneration: proxy.ackedGeneration,
    types: {},
    userAgent: 'envoy 1.40.0',
  };
}
