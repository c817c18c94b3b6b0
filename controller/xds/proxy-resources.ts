/**
 * What one proxy is to have beside what it has acknowledged, resource by resource: the source of client
 * status (CSDS) and of the API. The bytes are those that were sent; whoever shows them leaves out secrets.
 */
import type { ProxyResource, TypeState as ServedState } from '../loop/ports.js';
import type { DiscoveryStream } from './discovery-stream.js';
import { desiredResource } from './snapshot-changes.js';
import { type Held, heldNames, isEncoded, type TypeState, wants } from './type-state.js';

/** Every resource that the proxy of `stream` asks for and is to have, or still has. */
export function proxyResources(stream: DiscoveryStream): readonly ProxyResource[] {
  return [...stream.state.types.values()].flatMap((state) =>
    resourceNames(stream, state).flatMap((name) => resourceOf(stream, state, name) ?? []),
  );
}

/** Names of one type that the proxy wants and is to have, or still has. */
export function resourceNames(
  { state: { snapshot } }: DiscoveryStream,
  state: TypeState,
): readonly string[] {
  const desired = snapshot?.[state.type].byName.keys() ?? [];
  const names = new Set([...desired, ...state.subscription.names, ...heldNames(state)]);
  return [...names].filter((name) => wants(state, name));
}

/** How far the proxy is with one resource of which it refused nothing. */
export function deliveryState(
  state: TypeState,
  name: string,
  desired: Held | undefined,
): Exclude<ServedState, 'rejected'> {
  const isOnItsWay = state.pending.has(name);
  if (!isOnItsWay && state.acked.get(name)?.version === desired?.version) {
    return 'synced';
  }
  return isOnItsWay || state.acked.has(name) ? 'stale' : 'notSent';
}

function resourceOf(
  { state: { snapshot } }: DiscoveryStream,
  state: TypeState,
  name: string,
): ProxyResource | undefined {
  const desired = snapshot && desiredResource(snapshot, state.type, name);
  const running = state.acked.get(name);
  if (desired === undefined && running === undefined) {
    return undefined;
  }
  const error = desired && state.refused.get(name)?.get(desired.version);
  return {
    type: state.type,
    name,
    state: error === undefined ? deliveryState(state, name, desired) : 'rejected',
    desired: desired && { version: desired.version, any: desired.any },
    running: running && {
      version: running.version,
      any: isEncoded(running) ? running.any : undefined,
    },
    error,
  };
}
