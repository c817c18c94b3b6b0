/**
 * The first request of a type: what a client that reconnects says to have is noted, and is sent again only
 * where it differs. The state of the world tells of one version, delta of each resource's.
 */
import type { ResourceType, Snapshot } from '../envoy/snapshot.js';
import { askForAll, hasNothing, reconsiderAll } from './desire.js';
import { isDoubted } from './doubts.js';
import { hold, holdAll, shorten } from './possession.js';
import { desiredResource } from './snapshot-changes.js';
import type { StreamState } from './stream-state.js';
import { type Held, isFresh, type TypeState, wants } from './type-state.js';

/** Takes up the first request of a type, once there is a snapshot to answer it from. */
export function openType(stream: StreamState, state: TypeState): void {
  if (stream.snapshot === undefined) {
    return;
  }
  state.isOpen = true;
  if (stream.options.variant === 'sotw') {
    openStateOfTheWorld(stream, stream.snapshot, state);
  } else {
    openDelta(stream, stream.snapshot, state);
  }
}

/**
 * A client that reconnects says which version it has. For a pure wildcard that tells all that it has,
 * and what is the same is not sent again; for named resources it tells nothing, since the client may
 * want others than before.
 */
function openStateOfTheWorld(stream: StreamState, snapshot: Snapshot, state: TypeState): void {
  const { type, subscription, initialVersion } = state;
  const isPureWildcard = subscription.isWildcard && subscription.names.size === 0;
  const known =
    state.isFullState && isPureWildcard && initialVersion !== ''
      ? knownSet(stream, snapshot, type, initialVersion)
      : undefined;
  const isProved = known !== undefined && !stream.doubts.has(type);
  if (isProved) {
    holdAll(stream, state, known);
  } else {
    for (const resource of known?.byName.values() ?? []) {
      believe(stream, state, resource);
    }
  }
  state.owesAnswer = state.isFullState && !isProved;
  if (!state.isFullState) {
    // A client that comes back has what it asks for, in some version: what that may refer to must stay.
    for (const name of initialVersion === '' ? [] : subscription.names) {
      state.uncertain.set(name, [{ name, version: '' }]);
    }
    askForAll(stream, state);
  }
  reconsiderAll(stream, state);
}

/** Notes what a client says to have. */
function believe(stream: StreamState, state: TypeState, held: Held): void {
  if (isDoubted(stream.doubts, state.type, held.name)) {
    state.uncertain.set(held.name, [held]);
  } else {
    hold(stream, state, held);
  }
}

function knownSet(stream: StreamState, snapshot: Snapshot, type: ResourceType, version: string) {
  return snapshot[type].version === version
    ? snapshot[type]
    : stream.options.findSet(type, version);
}

/** What a reconnecting client has is sent again only where it differs, and removed where it is gone. */
function openDelta(stream: StreamState, snapshot: Snapshot, state: TypeState): void {
  for (const [name, version] of state.initialVersions) {
    if (wants(state, name)) {
      const desired = desiredResource(snapshot, state.type, name);
      const known = desired?.version === version ? desired : undefined;
      believe(stream, state, known ?? { name, version });
    }
  }
  if (hasNothing(state)) {
    askForAllNamed(stream, state);
  } else {
    askForNamed(snapshot, state);
  }
  // An empty answer tells a client that there is nothing; one that already has something knows better.
  state.owesAnswer = state.subscription.isWildcard && state.initialVersions.size === 0;
  state.initialVersions = noVersions;
  reconsiderAll(stream, state);
  shorten(stream, state);
}

const noVersions: ReadonlyMap<string, string> = new Map();

function askForNamed(snapshot: Snapshot, state: TypeState): void {
  for (const name of state.subscription.names) {
    const desired = desiredResource(snapshot, state.type, name);
    if (desired === undefined || isFresh(state, desired)) {
      state.asked.add(name);
    } else {
      state.assumed.add(name);
    }
  }
}

function askForAllNamed(stream: StreamState, state: TypeState): void {
  if (state.subscription.isWildcard) {
    for (const name of state.subscription.names) {
      state.asked.add(name);
    }
  } else {
    askForAll(stream, state);
  }
}
