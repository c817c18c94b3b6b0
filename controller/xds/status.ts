/**
 * How far a client is, as operators and rollouts see it: for each type whether it has what it is to have,
 * and the newest publication of which it has everything.
 */

import { refersTo } from '../envoy/references.js';
import { missingSecrets } from '../envoy/secrets.js';
import type { ResourceReference, ResourceSet, ResourceType } from '../envoy/snapshot.js';
import type { ProxyTypeStatus, TypeState as ServedState } from '../loop/ports.js';
import { isLater } from './make-before-break.js';
import type { Overlay } from './overlay.js';
import { desiredResource } from './snapshot-changes.js';
import type { StreamState } from './stream-state.js';
import { type Held, isEncoded, type TypeState, wants } from './type-state.js';
import { containsAll, referencesOf } from './whole-sets.js';

/** Brings the statuses and the acknowledged generation up to date; call it after every event. */
export function updateStatus(stream: StreamState, nowMs: number): void {
  for (const state of stream.types.values()) {
    if (state.isRequested) {
      state.status = nextStatus(stream, state, nowMs);
    }
  }
  if (stream.ackedGeneration !== stream.generation && hasEverything(stream)) {
    stream.ackedGeneration = stream.generation;
  }
}

/** The status of each type that the client has asked for. */
export function statusByType({
  types,
}: StreamState): Readonly<Partial<Record<ResourceType, ProxyTypeStatus>>> {
  const statuses: Partial<Record<ResourceType, ProxyTypeStatus>> = {};
  for (const { type, isRequested, status } of types.values()) {
    if (isRequested) {
      statuses[type] = status;
    }
  }
  return statuses;
}

function nextStatus(stream: StreamState, state: TypeState, nowMs: number): ProxyTypeStatus {
  const before = state.status;
  const error = refusalOf(stream, state);
  const served = servedState(stream, state, error);
  const version = stream.snapshot?.[state.type].version ?? '';
  const ackedVersion = served === 'synced' ? version : before.ackedVersion;
  const isSame =
    served === before.state &&
    version === before.version &&
    ackedVersion === before.ackedVersion &&
    error === before.error;
  if (isSame) {
    return before;
  }
  const sinceMs = served === before.state ? before.sinceMs : nowMs;
  return {
    state: served,
    version,
    ackedVersion,
    sinceMs,
    ...(error === undefined ? {} : { error }),
  };
}

function servedState(
  stream: StreamState,
  state: TypeState,
  error: string | undefined,
): ServedState {
  if (error !== undefined) {
    return 'rejected';
  }
  if (state.isOpen && isSettled(state) && !awaitsSecret(stream, state)) {
    return 'synced';
  }
  const hasNothing = state.lastNonce === '' && state.acked.size === 0;
  return hasNothing ? 'notSent' : 'stale';
}

function isSettled(state: TypeState): boolean {
  return (
    state.changed.size === 0 &&
    state.asked.size === 0 &&
    state.inFlight.length === 0 &&
    !state.owesAnswer
  );
}

/** A secret that the client needs and has asked for by name is yet to come. */
function awaitsSecret({ snapshot }: StreamState, { type, subscription }: TypeState): boolean {
  return (
    type === 'secret' &&
    snapshot !== undefined &&
    missingSecrets(snapshot).some(({ name }) => subscription.names.has(name))
  );
}

/** The client's words on a resource that it is to have and has refused. */
function refusalOf({ snapshot }: StreamState, state: TypeState): string | undefined {
  if (snapshot === undefined || state.refused.size === 0) {
    return undefined;
  }
  for (const [name, versions] of state.refused) {
    const desired = wants(state, name) ? desiredResource(snapshot, state.type, name) : undefined;
    const error = desired && versions.get(desired.version);
    if (error !== undefined) {
      return error;
    }
  }
  return undefined;
}

/**
 * True where the client has all that the snapshot has for it: every type that it asked for is in sync,
 * and nothing is left that it has yet to ask for. Envoy asks for listeners only once its clusters are
 * warm, and for endpoints and routes once something refers to them.
 */
function hasEverything(stream: StreamState): boolean {
  const { snapshot, types } = stream;
  if (snapshot === undefined) {
    return false;
  }
  for (const state of types.values()) {
    if (state.isRequested) {
      if (state.status.state !== 'synced') {
        return false;
      }
    } else if (isRoot(stream, state) && snapshot[state.type].byName.size > 0) {
      return false;
    }
  }
  return !isAwaitingRequest(stream);
}

/** Nothing refers to clusters and listeners as the first thing that a client asks for. */
function isRoot(stream: StreamState, { type }: TypeState): boolean {
  return stream.types.size === 1 || type === 'cluster' || type === 'listener';
}

function isAwaitingRequest(stream: StreamState): boolean {
  stream.awaitedBy = stream.awaitedBy.filter(({ type, set }) => isAnyAwaited(stream, type, set));
  if (stream.awaitedBy.length > 0) {
    return true;
  }
  for (const [type, names] of stream.awaited) {
    for (const name of names) {
      if (isAwaited(stream, { type, name })) {
        return true;
      }
      names.delete(name);
    }
  }
  return false;
}

/** The same of the names that any resource of `set`, which is of `type`, refers to. */
function isAnyAwaited(stream: StreamState, type: ResourceType, set: ResourceSet): boolean {
  return referencesOf(set).some((references) => {
    const state = stream.types.get(references.type);
    if (state === undefined || !isLater(references.type, type)) {
      return false;
    }
    const { isWildcard, names } = state.subscription;
    const isAskedFor =
      isWildcard || (names.whole !== undefined && containsAll(names.whole, references.names));
    return (
      !isAskedFor &&
      [...references.names].some((name) => isAwaited(stream, { type: references.type, name }))
    );
  });
}

function isAwaited({ snapshot, types }: StreamState, { type, name }: ResourceReference): boolean {
  const state = types.get(type);
  if (snapshot === undefined || state === undefined || wants(state, name)) {
    return false;
  }
  if (desiredResource(snapshot, type, name) === undefined) {
    return false;
  }
  for (const { acked } of types.values()) {
    if (isReferredBy(acked, { type, name })) {
      return true;
    }
  }
  return false;
}

/** Of a whole set it is known what all of it refers to, and only of a part it has to be looked for. */
function isReferredBy(acked: Overlay<Held>, reference: ResourceReference): boolean {
  const sets = acked.wholeSets.filter((set) =>
    referencesOf(set).some(
      ({ type, names }) => type === reference.type && names.has(reference.name),
    ),
  );
  if (sets.some((set) => acked.hasWhole(set))) {
    return true;
  }
  for (const held of sets.length > 0 ? acked.values() : acked.ownValues()) {
    if (isEncoded(held) && refersTo(held.references, reference)) {
      return true;
    }
  }
  return false;
}
