/**
 * Brings what a stream has still to send in line with what is desired: after a publication, after the
 * first request of a type, and for single names whenever what is known of the client changes.
 */
import { refersToType } from '../envoy/references.js';
import { missingSecrets } from '../envoy/secrets.js';
import type { ResourceSet, ResourceType, Snapshot } from '../envoy/snapshot.js';
import { isDoubted } from './doubts.js';
import { isLater } from './make-before-break.js';
import { changedNames, changedResources, desiredResource } from './snapshot-changes.js';
import type { StreamState } from './stream-state.js';
import {
  type Held,
  isEncoded,
  isFresh,
  isRefused,
  lastSent,
  type TypeState,
  wants,
} from './type-state.js';
import { viewOf } from './view.js';
import { referencesOf, responseParts } from './whole-sets.js';

/** Puts `name` among what is to be sent, or takes it out. */
export function reconsider(stream: StreamState, state: TypeState, name: string): void {
  const { snapshot } = stream;
  if (snapshot === undefined || !wants(state, name)) {
    state.changed.delete(name);
    return;
  }
  const resource = desiredResource(snapshot, state.type, name);
  const isDue =
    resource === undefined
      ? canRemove(stream, state, name) && mayHave(state, name)
      : !isRefused(state, resource) && isFresh(state, resource);
  if (isDue) {
    state.changed.add(name);
  } else {
    state.changed.delete(name);
  }
}

/**
 * State of the world has no removals but for what is missing in a full list. Of a secret that is named and
 * missing nobody is told: Envoy would go on without it (1.40), which lets no connection through, instead
 * of waiting with what it has.
 */
export function canRemove(stream: StreamState, state: TypeState, name: string): boolean {
  const canTell = stream.options.variant === 'delta' || state.isFullState;
  return canTell && !isMissingSecret(stream, state, name);
}

/** True where `name` is a secret that the client needs and that is yet to come. */
export function isMissingSecret(
  { snapshot }: StreamState,
  { type }: TypeState,
  name: string,
): boolean {
  return (
    type === 'secret' &&
    snapshot !== undefined &&
    missingSecrets(snapshot).some((missing) => missing.name === name)
  );
}

/** The client has `name`, or had it in a response that it refused and may have applied in part. */
export function mayHave(state: TypeState, name: string): boolean {
  const isUncertain = state.uncertain.has(name) && !state.pending.has(name);
  return isUncertain || lastSent(state, name) !== undefined;
}

/** Notes that the client has `held`, and what it will ask for next because of that. */
export function hold(stream: StreamState, state: TypeState, held: Held): void {
  state.acked.set(held.name, held);
  const isNext = (type: ResourceType) => isLater(type, state.type) && stream.types.has(type);
  if (!isEncoded(held) || !refersToType(held.references, isNext)) {
    return;
  }
  for (const { type, name } of held.references) {
    const referred = stream.types.get(type);
    if (isNext(type) && referred !== undefined && !wants(referred, name)) {
      const names = stream.awaited.get(type) ?? new Set();
      stream.awaited.set(type, names.add(name));
    }
  }
}

/** As `hold` for all of `set`. */
export function holdAll(stream: StreamState, state: TypeState, set: ResourceSet): void {
  if (!state.acked.canAddWhole(set)) {
    for (const resource of set.byName.values()) {
      hold(stream, state, resource);
    }
    return;
  }
  state.acked.addWhole(set);
  if (referencesOf(set).some(({ type }) => isLater(type, state.type))) {
    stream.awaitedBy = [...stream.awaitedBy, { type: state.type, set }];
  }
}

/** A resource that was refused on this stream before and is desired again. */
export interface StandingRefusal {
  readonly type: ResourceType;
  readonly name: string;
  readonly error: string;
}

/**
 * A publication: `snapshot` is what the proxy is to have from now on, undefined where it is not known
 * (again); then it keeps what it has. Answers what the client is known to refuse of what is new.
 */
export function setSnapshot(
  stream: StreamState,
  snapshot: Snapshot | undefined,
  generation: number,
): readonly StandingRefusal[] {
  const before = stream.snapshot;
  stream.generation = generation;
  if (snapshot === undefined || snapshot === before) {
    return [];
  }
  stream.snapshot = snapshot;
  const refusals: StandingRefusal[] = [];
  for (const state of stream.types.values()) {
    if (state.isOpen && before !== undefined && isUntouched(state)) {
      reopen(stream, state);
    } else if (state.isOpen && before !== undefined) {
      for (const name of changedResources(before, snapshot, state.type)) {
        reconsider(stream, state, name);
        refusals.push(...standingRefusals(snapshot, state, name));
      }
    } else if (state.isRequested) {
      openType(stream, state);
    }
  }
  return refusals;
}

/** All that is known of the client is that it wants whole sets. */
function isUntouched(state: TypeState): boolean {
  const isWhole = state.changed.wholeSets.length > 0 || state.asked.wholeSets.length > 0;
  return isWhole && hasNothing(state) && state.inFlight.length === 0;
}

/** The client has nothing, may have nothing and has refused nothing. */
function hasNothing(state: TypeState): boolean {
  return state.acked.size === 0 && hasNoDoubts(state);
}

function hasNoDoubts({ pending, uncertain, refused }: TypeState): boolean {
  return pending.size === 0 && uncertain.size === 0 && refused.size === 0;
}

/** Asks for the same again, now that it is other resources. */
function reopen(stream: StreamState, state: TypeState): void {
  if (state.asked.size > 0) {
    state.asked.clear();
    askForAll(stream, state);
  }
  reconsiderAll(stream, state);
}

function standingRefusals(
  snapshot: Snapshot,
  state: TypeState,
  name: string,
): readonly StandingRefusal[] {
  const resource = desiredResource(snapshot, state.type, name);
  const error = resource && state.refused.get(name)?.get(resource.version);
  return error !== undefined && wants(state, name) ? [{ type: state.type, name, error }] : [];
}

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

/** Everything that the client wants is to be answered, whether it changed or not. */
export function askForAll(stream: StreamState, state: TypeState): void {
  const view = stream.snapshot && viewOf(stream.snapshot, state);
  if (view !== undefined && state.asked.size === 0) {
    for (const part of partsOf(state, view.set)) {
      state.asked.addWhole(part);
    }
    for (const name of view.missing) {
      state.asked.add(name);
    }
    return;
  }
  for (const name of wantedNames(stream, state)) {
    state.asked.add(name);
  }
}

/** The sets that go into one response each. A full list is never divided. */
function partsOf(state: TypeState, set: ResourceSet): readonly ResourceSet[] {
  return state.isFullState ? [set] : responseParts(set);
}

/** Differences from a whole set that a stream keeps for itself before it takes up a newer one. */
const differencesMax = 32;

/** Says what the client has as what differs from what it is to have, where that is shorter. */
export function shorten(stream: StreamState, state: TypeState): void {
  const { acked } = state;
  if (acked.differences <= differencesMax || stream.snapshot === undefined) {
    return;
  }
  const view = viewOf(stream.snapshot, state);
  if (view !== undefined && !acked.wholeSets.includes(view.set)) {
    acked.rebase(view.set, (held, resource) => held?.version === resource.version);
  }
}

export function reconsiderAll(stream: StreamState, state: TypeState): void {
  const view = stream.snapshot && viewOf(stream.snapshot, state);
  const [held, ...others] = state.acked.wholeSets;
  if (view !== undefined && hasNothing(state)) {
    state.changed.clear();
    for (const part of partsOf(state, view.set)) {
      state.changed.addWhole(part);
    }
    return;
  }
  const isOneSet = held !== undefined && others.length === 0 && state.acked.differences === 0;
  if (view !== undefined && isOneSet && hasNoDoubts(state)) {
    state.changed.clear();
    for (const name of changedNames(held, view.set)) {
      reconsider(stream, state, name);
    }
    return;
  }
  for (const name of new Set([
    ...wantedNames(stream, state),
    ...state.acked.keys(),
    ...state.uncertain.keys(),
  ])) {
    reconsider(stream, state, name);
  }
}

function wantedNames({ snapshot }: StreamState, state: TypeState): readonly string[] {
  const { isWildcard, names } = state.subscription;
  return isWildcard ? [...(snapshot?.[state.type].byName.keys() ?? []), ...names] : [...names];
}
