/** Endpoints of a virtual node's listener, as Envoy's load assignments. */
import type { envoy_config_endpoint_v3_ClusterLoadAssignment as ClusterLoadAssignment } from '../generated/envoy-types.js';
import type { StaticEndpoint } from '../mesh/model.js';
import { portAbove } from './listener.js';
import type { Target } from './reach.js';
import { socketAddress, wrapped } from './values.js';

/** `endpoints` under the cluster's name, all alike. An empty list is an answer too: there are none. */
export function loadAssignment(
  clusterName: string,
  endpoints: readonly StaticEndpoint[],
): ClusterLoadAssignment {
  const lb_endpoints = endpoints.map((item) => ({ endpoint: { address: socketAddress(item) } }));
  // gRPC's own clients refuse a locality without a name, even an empty one, and skip one without weight.
  const locality = { locality: {}, load_balancing_weight: wrapped(1), lb_endpoints };
  return {
    cluster_name: clusterName,
    endpoints: endpoints.length > 0 ? [locality] : undefined,
  };
}

/**
 * Where `target` is found, in the model's order; empty where its addresses come by DNS. A node with one
 * listener has it at every endpoint. With several, an endpoint whose port is a listener's is that
 * listener's alone; any other is an explicit proxy, whose ports follow one another in the listeners'
 * order from the endpoint's on (`ingressAddress`).
 */
export function endpointsOf({ node, listener }: Target): readonly StaticEndpoint[] {
  if (node.serviceDiscovery?.kind !== 'static') {
    return [];
  }
  const ports = node.listeners.map(({ port }) => port);
  const place = ports.indexOf(listener.port);
  return node.serviceDiscovery.endpoints.flatMap((endpoint) => {
    const isListenersOwn = ports.length > 1 && ports.includes(endpoint.port);
    if (!isListenersOwn) {
      return [{ address: endpoint.address, port: portAbove(endpoint.port, place) }];
    }
    return endpoint.port === listener.port ? [endpoint] : [];
  });
}
