/**
 * From the node that a proxy sends when it connects to what we know of the proxy. Node ids are App Mesh's,
 * `mesh/<mesh>[@<owner>]/virtualNode/<name>` or the whole ARN, so that an App Mesh Envoy only changes its
 * xDS address. Where its listeners go stands in its metadata, as `headgate bootstrap` writes it.
 */
import { isAnyAddress, isIpAddress, isLoopback } from '../base/socket-address.js';
import type { envoy_config_core_v3_Node as Node } from '../generated/envoy-types.js';
import type { ProxyIdentity, SocketAddress } from './snapshot.js';
import { plainStruct } from './values.js';

/** Metadata keys of a proxy's listener addresses, each `{ address, port }`. */
export const ingressKey = 'headgate.ingress';
export const egressKey = 'headgate.egress';

/** Metadata key of the IP address that a proxy announces, where its ingress address does not say it. */
export const announceKey = 'headgate.announce';

/** What App Mesh's agent writes of a task's network interfaces. */
const taskInterfacesKey = 'aws.appmesh.task.interfaces';

const resourceId =
  /^(?:arn:[^:/]*:appmesh:[^:/]*:[^:/]*:)?mesh\/([^/@]+)(?:@[^/]+)?\/(virtualNode|virtualGateway)\/([^/]+)$/;

/** `peer` is the address that the proxy connects from, without its port. */
export function parseNode(node: Node, peer: string): ProxyIdentity {
  const nodeId = node.id ?? '';
  const metadata = plainStruct(node.metadata);
  const ingress = parseAddress(metadata[ingressKey]);
  const egress = parseAddress(metadata[egressKey]);
  const announced = parseAnnounced(metadata[announceKey]);
  const machine = announced ?? peer;
  return {
    nodeId,
    resource: parseNodeId(nodeId),
    instance: `${nodeId} ${instanceOf(ingress ?? egress, metadata[taskInterfacesKey], machine)}`,
    ingress,
    egress,
    announce: announced ?? parseAnnounced(ingress?.address),
    kind: /^grpc/i.test(node.user_agent_name ?? '') ? 'grpc' : 'envoy',
  };
}

/** The resource that a node id names; undefined where it has not App Mesh's form. */
export function parseNodeId(nodeId: string): ProxyIdentity['resource'] {
  const [, mesh, kind, name] = resourceId.exec(nodeId) ?? [];
  if (mesh === undefined || name === undefined) {
    return undefined;
  }
  return { mesh, kind: kind === 'virtualGateway' ? 'VirtualGateway' : 'VirtualNode', name };
}

/**
 * What tells a proxy from others of its node, and stays when it reconnects. `machine` counts only where the
 * proxy's own listener does not name one: it is what the proxy announces, else the peer's address, which
 * may be that of a gateway on the way.
 */
function instanceOf(own: SocketAddress | undefined, interfaces: unknown, machine: string): string {
  if (own !== undefined) {
    const isShared = isLoopback(own.address) || isAnyAddress(own.address);
    return [...(isShared ? [machine] : []), own.address, own.port].join(' ');
  }
  return interfaces === undefined ? machine : JSON.stringify(interfaces);
}

/** Undefined where nobody can be called at `value`. */
function parseAnnounced(value: unknown): string | undefined {
  const isAddress = typeof value === 'string' && isIpAddress(value) && !isAnyAddress(value);
  return isAddress ? value : undefined;
}

/** Undefined where `value` is no IP address and port: the listeners then go where App Mesh's would. */
function parseAddress(value: unknown): SocketAddress | undefined {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  const { address, port } = value as { readonly address?: unknown; readonly port?: unknown };
  const isPort = typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536;
  const isAddress = typeof address === 'string' && isIpAddress(address);
  return isAddress && isPort ? { address, port } : undefined;
}
