/**
 * What a listener looks at before it chooses a filter chain: where a redirected connection was going, and
 * whether its first bytes are TLS and for whom.
 */
import type {
  envoy_config_listener_v3_ListenerFilter as ListenerFilter,
  envoy_config_listener_v3_ListenerFilterChainMatchPredicate as Predicate,
} from '../generated/envoy-types.js';
import { packed } from './encode.js';

/** Restores the address that the application called, which iptables replaced by the listener's. */
export const originalDestination: ListenerFilter = {
  name: 'envoy.filters.listener.original_dst',
  typed_config: packed('envoy.extensions.filters.listener.original_dst.v3.OriginalDst', {}),
};

/**
 * Reads the TLS client hello. It waits for the caller to speak first, so it must only look at ports where
 * callers do: `onlyAt` names them, in ascending order; undefined: everywhere.
 */
export function tlsInspector(onlyAt?: readonly number[]): ListenerFilter {
  return {
    name: 'envoy.filters.listener.tls_inspector',
    typed_config: packed('envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector', {}),
    filter_disabled: onlyAt && { not_match: anyOfPorts(onlyAt) },
  };
}

function anyOfPorts(ports: readonly number[]): Predicate {
  const rules = ports.map((port) => ({ destination_port_range: { start: port, end: port + 1 } }));
  const [first] = rules;
  return first !== undefined && rules.length === 1 ? first : { or_match: { rules } };
}
