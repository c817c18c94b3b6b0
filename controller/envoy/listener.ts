/**
 * What ingress and egress listeners have in common. App Mesh's redirected listeners take every connection
 * that iptables sends them, on IPv4 alone unless the mesh prefers IPv6; explicit ones stand where the
 * proxy's node metadata says.
 */
import type { envoy_config_listener_v3_Listener as EnvoyListener } from '../generated/envoy-types.js';
import type { MeshSettings } from '../mesh/model.js';
import { type Provenance, provenanceMetadata } from './metadata.js';
import { type Direction, listenerName } from './names.js';
import type { ResourceReference, SocketAddress } from './snapshot.js';
import { socketAddress } from './values.js';

/** A message, its name and the names that it needs beside it. */
export interface ListenerParts {
  readonly name: string;
  readonly message: EnvoyListener;
  readonly references: readonly ResourceReference[];
}

/** Where a listener is bound. */
export interface Binding extends SocketAddress {
  /** True: an IPv6 address that takes IPv4 connections too. */
  readonly acceptsIpv4?: boolean;
}

/** App Mesh's address for redirected connections to `port`. */
export function redirectedBinding({ ipPreference }: MeshSettings, port: number): Binding {
  if (ipPreference === 'IPv6_ONLY' || ipPreference === 'IPv6_PREFERRED') {
    return { address: '::', port, acceptsIpv4: ipPreference === 'IPv6_PREFERRED' };
  }
  return { address: '0.0.0.0', port };
}

/** A listener at `binding` with the rest of its message from `content`. */
export function listenerParts(options: {
  readonly direction: Direction;
  readonly binding: Binding;
  readonly provenance: Provenance;
  readonly content: EnvoyListener;
  readonly references: readonly ResourceReference[];
}): ListenerParts {
  const { direction, binding, provenance, content, references } = options;
  const name = listenerName(direction, binding);
  const message: EnvoyListener = {
    name,
    address: socketAddress(binding, binding.acceptsIpv4),
    traffic_direction: direction === 'ingress' ? 'INBOUND' : 'OUTBOUND',
    ...content,
    metadata: provenanceMetadata(provenance),
  };
  return { name, message, references };
}

/** The port `steps` above `port`; past the last one it goes on after the privileged ones. */
export function portAbove(port: number, steps: number): number {
  const portsEnd = 65_536;
  const firstPort = 1024;
  const sum = port + steps;
  return sum < portsEnd ? sum : firstPort + ((sum - portsEnd) % (portsEnd - firstPort));
}
