/**
 * TCP services on the egress side. A TCP connection names no host, so in explicit mode each service has a
 * local port of its own: the egress port plus the service's port. That can be worked out on paper and
 * stays when other services come and go; only where two services of one node share a port (or the sum
 * is taken) does the later by name move up to the next free one.
 */
import type { envoy_config_listener_v3_Filter as Filter } from '../generated/envoy-types.js';
import type { AccessLog } from '../mesh/model.js';
import { normalizeWeights } from '../mesh/weights.js';
import { tcpFilter } from './connection.js';
import { portAbove } from './listener.js';
import { targetClusterName } from './names.js';
import type { ReachedService, ServicePort } from './reach.js';
import type { ResourceReference, SocketAddress } from './snapshot.js';

/** A service at one of its ports. */
export interface ReachedPort {
  readonly reached: ReachedService;
  readonly port: ServicePort;
}

/**
 * The local port of each of `services`, which are in order of port and name. None is in `taken`.
 */
export function localPorts(
  egress: SocketAddress,
  services: readonly ReachedPort[],
  taken: readonly number[],
): readonly number[] {
  const used = new Set([egress.port, ...taken]);
  return services.map(({ port }) => {
    let local = portAbove(egress.port, port.port);
    while (used.has(local)) {
      local = portAbove(local, 1);
    }
    used.add(local);
    return local;
  });
}

/** The filter of the service's first route, and what it names; undefined where nothing takes traffic. */
export function tcpRouting(
  mesh: string,
  { port }: ReachedPort,
  accessLog: AccessLog | undefined,
): { readonly filter: Filter; readonly references: readonly ResourceReference[] } | undefined {
  const [served] = port.routes;
  if (served === undefined) {
    return undefined;
  }
  const weights = normalizeWeights(served.route.targets.map((target) => target.weight));
  const clusters = served.targets.flatMap((target, index) => {
    const weight = weights[index] ?? 0;
    return weight > 0 ? [{ name: targetClusterName(mesh, target), weight }] : [];
  });
  if (clusters.length === 0) {
    return undefined;
  }
  const idleMs = served.route.timeout?.idleMs;
  return {
    filter: tcpFilter({ statPrefix: 'egress', clusters, idleMs, accessLog }),
    references: clusters.map(({ name }) => ({ type: 'cluster', name })),
  };
}
