/**
 * Egress of a sidecar whose application calls it by address: one port for all HTTP services, told apart by
 * host name, and a port for each TCP service (`localPorts`). What is no backend cannot be called here;
 * an application that may call other things does so without the proxy.
 */
import { compareText } from '../base/problem.js';
import type { MeshSettings, VirtualNode } from '../mesh/model.js';
import { httpFilter } from './connection.js';
import { localPorts, type ReachedPort, tcpRouting } from './egress-tcp.js';
import { type ListenerParts, listenerParts } from './listener.js';
import { identityMemo } from './memo.js';
import { routeName } from './names.js';
import { mapPatched, type PatchedList } from './patched-list.js';
import type { Reach, ReachedService } from './reach.js';
import type { EncodedResource, SocketAddress } from './snapshot.js';
import { encodeEntries, type HostEntry, routeConfiguration } from './virtual-hosts.js';

/** `taken` are ports of the egress address that the proxy uses otherwise. */
export function explicitListeners(options: {
  readonly mesh: MeshSettings;
  readonly node: VirtualNode;
  readonly reach: readonly ReachedService[];
  readonly at: SocketAddress;
  readonly taken: readonly number[];
}): readonly ListenerParts[] {
  const { mesh, node, reach, at, taken } = options;
  const { accessLog } = node;
  const routes = explicitRouteName(at);
  const filter = httpFilter({ statPrefix: 'egress', routeName: routes, accessLog });
  const http = listenerParts({
    direction: 'egress',
    binding: at,
    provenance: { mesh: mesh.name, kind: 'VirtualNode', name: node.name },
    content: { filter_chains: [{ name: 'egress_http', filters: [filter] }] },
    references: [{ type: 'route', name: routes }],
  });
  const tcp = tcpPorts(reach);
  const ports = localPorts(at, tcp, taken);
  const tcpListeners = tcp.flatMap((service, index) =>
    tcpListener(mesh, node, service, { address: at.address, port: ports[index] ?? 0 }),
  );
  return [http, ...tcpListeners];
}

/** The routes of all HTTP services that the proxy reaches. */
export function explicitRoutes(
  mesh: MeshSettings,
  reach: Reach,
  at: SocketAddress,
): EncodedResource {
  const entriesOf = entriesByPort([], String(at.port), () =>
    mapPatched((reached) => hostEntries(reached, at.port)),
  );
  return routeConfiguration(explicitRouteName(at), encodeEntries(mesh, entriesOf(reach), 'envoy'));
}

const entriesByPort = identityMemo<(reach: Reach) => PatchedList<readonly HostEntry[]>>();

function explicitRouteName(at: SocketAddress): string {
  return routeName('egress', 'http', at.port);
}

/** The service's own name means its first HTTP port, as does its name with the egress port. */
function hostEntries(reached: ReachedService, egressPort: number): readonly HostEntry[] {
  const { name } = reached.service;
  const anyPort = [name, `${name}:${egressPort}`];
  if (reached.ports.length === 0) {
    return [{ reached, domains: anyPort }];
  }
  return reached.ports
    .filter(({ protocol }) => protocol !== 'tcp')
    .map((port, index) => {
      const exact = `${name}:${port.port}`;
      return { reached, port, domains: index === 0 ? [...anyPort, exact] : [exact] };
    });
}

function tcpPorts(reach: readonly ReachedService[]): readonly ReachedPort[] {
  return reach
    .flatMap((reached) => reached.ports.map((port) => ({ reached, port })))
    .filter(({ port }) => port.protocol === 'tcp')
    .sort(
      (left, right) =>
        left.port.port - right.port.port ||
        compareText(left.reached.service.name, right.reached.service.name),
    );
}

/** Empty where no route takes traffic: nobody listens then. */
function tcpListener(
  mesh: MeshSettings,
  node: VirtualNode,
  service: ReachedPort,
  binding: SocketAddress,
): readonly ListenerParts[] {
  const routing = tcpRouting(mesh.name, service, node.accessLog);
  if (routing === undefined) {
    return [];
  }
  const { name } = service.reached.service;
  return [
    listenerParts({
      direction: 'egress',
      binding,
      provenance: { mesh: mesh.name, kind: 'VirtualService', name },
      content: { filter_chains: [{ name: 'egress_tcp', filters: [routing.filter] }] },
      references: routing.references,
    }),
  ];
}
