/**
 * One mesh at one moment, by what is looked up in it again and again: whoever asks for a graph of thousands
 * of services must not hold up the proxies meanwhile, so each list is gone through once. Traffic is what
 * load reports of the last seconds say.
 */
import { groupBy } from '../base/group-by.js';
import type { ProxyStatus } from '../loop/ports.js';
import type { LoopState, MeshState } from '../loop/state.js';
import { findByName } from '../mesh/by-name.js';
import { type Mesh, type ResourceKind, resourceKey, type VirtualRouter } from '../mesh/model.js';
import { addLoads, type LoadTotal } from '../rollout/load-history.js';
import { effectiveMesh } from '../rollout/mix.js';
import { isEnded, type Rollout } from '../rollout/rollout.js';
import type { Moment } from './view.js';

/** As `rolloutTargets` looks at actual weights. */
const windowMs = 10_000;

export interface TrafficView {
  readonly requestsPerSecond: number;
  /** Percent without server errors; null without answers. */
  readonly success: number | null;
}

export interface LoadFilter {
  /** Only reports of these proxies; undefined: all. */
  readonly includes?: (instance: string) => boolean;
  readonly sinceMs?: number;
}

export class MeshIndex {
  /** What a proxy that is in every wave is served. */
  readonly served: Mesh;
  private readonly state: LoopState;
  private readonly nowMs: number;
  /** By the key of a resource: what runs and changes it. */
  private readonly rollouts: ReadonlyMap<string, readonly Rollout[]>;
  /** By the key of the node or gateway that they are of. */
  private readonly proxies: ReadonlyMap<string, readonly ProxyStatus[]>;
  /** By service: the nodes that requests for it end at. */
  private readonly nodes: ReadonlyMap<string, readonly string[]>;
  /** By node: how many routers lead to it. */
  private readonly ways: ReadonlyMap<string, number>;
  private readonly desired: Mesh;
  /** By node, as far as it was asked for: a node is at the end of several edges. */
  private readonly knownTraffic = new Map<string, TrafficView | null>();

  constructor(mesh: MeshState, { state, proxies, nowMs }: Moment) {
    const { name } = mesh.applied;
    const running = [...state.durable.rollouts.values()].filter(
      (rollout) => rollout.mesh === name && !isEnded(rollout.phase),
    );
    const everywhere = running.map((rollout) => ({ ...rollout, waveShare: 1 }));
    this.state = state;
    this.nowMs = nowMs;
    this.served = effectiveMesh(mesh.applied, everywhere, '');
    this.rollouts = groupBy(running, ({ group }) =>
      group.resources.map(({ ref }) => resourceKey(ref)),
    );
    this.proxies = groupBy(proxies, ({ identity }) =>
      identity.resource?.mesh === name ? [resourceKey(identity.resource)] : [],
    );
    this.nodes = nodesByService(this.served);
    this.ways = new Map(
      [...groupBy(this.served.virtualRouters, nodesOfRouter)].map(([node, routers]) => [
        node,
        routers.length,
      ]),
    );
    this.desired = mesh.desired;
  }

  keyOf(kind: ResourceKind, name: string): string {
    return resourceKey({ mesh: this.served.name, kind, name });
  }

  rolloutsOf(key: string): readonly Rollout[] {
    return this.rollouts.get(key) ?? [];
  }

  proxiesOf(key: string): readonly ProxyStatus[] {
    return this.proxies.get(key) ?? [];
  }

  nodesBehind(service: string): readonly string[] {
    return this.nodes.get(service) ?? [];
  }

  /** Whether no more than one router leads to `node`. */
  hasOneWay(node: string): boolean {
    return (this.ways.get(node) ?? 0) < 2;
  }

  desiredRouter(name: string): VirtualRouter | undefined {
    return findByName(this.desired.virtualRouters, name);
  }

  /** What all callers sent to `node`; null where no proxy reports any. */
  trafficOf(node: string): TrafficView | null {
    const known = this.knownTraffic.get(node);
    if (known !== undefined) {
      return known;
    }
    const traffic = this.traffic([node]);
    this.knownTraffic.set(node, traffic);
    return traffic;
  }

  /** What callers sent to `nodes`; null where no proxy reports any. */
  traffic(nodes: readonly string[], filter: LoadFilter = {}): TrafficView | null {
    const { issued, successes, errors } = this.total(nodes, filter);
    if (issued === 0) {
      return null;
    }
    const answered = successes + errors;
    return {
      requestsPerSecond: Math.round((issued / windowMs) * 10_000) / 10,
      success: answered === 0 ? null : toHundredths((successes / answered) * 100),
    };
  }

  total(nodes: readonly string[], { includes, sinceMs = 0 }: LoadFilter): LoadTotal {
    const fromMs = Math.max(this.nowMs - windowMs, sinceMs);
    const mesh = this.served.name;
    return addLoads(
      nodes.map((virtualNode) =>
        this.state.load.total({ mesh, virtualNode, includes, direction: 'egress', fromMs }),
      ),
    );
  }
}

/** Each node once, in the order of the routes. */
export function nodesOfRouter({ routes }: VirtualRouter): readonly string[] {
  return [...new Set(routes.flatMap((route) => route.targets.map((one) => one.virtualNode)))];
}

export function toHundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

function nodesByService(mesh: Mesh): ReadonlyMap<string, readonly string[]> {
  return new Map(
    mesh.virtualServices.map(({ name, provider }) => {
      if (provider?.kind === 'virtualNode') {
        return [name, [provider.virtualNode]];
      }
      const router = provider && findByName(mesh.virtualRouters, provider.virtualRouter);
      return [name, router === undefined ? [] : nodesOfRouter(router)];
    }),
  );
}
