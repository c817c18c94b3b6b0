/**
 * Brings what a stream has still to send in line with what is desired, by name and for all names of a type,
 * whenever one of the two changes or what is known of the client does.
 */
import { missingSecrets } from '../envoy/secrets.js';
import type { ResourceSet } from '../envoy/snapshot.js';
import { changedNames, desiredResource } from './snapshot-changes.js';
import type { StreamState } from './stream-state.js';
import { isFresh, isRefused, lastSent, type TypeState, wants } from './type-state.js';
import { viewOf } from './view.js';
import { responseParts } from './whole-sets.js';

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

/** The same for all that the client wants or may have. */
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

function wantedNames({ snapshot }: StreamState, state: TypeState): readonly string[] {
  const { isWildcard, names } = state.subscription;
  return isWildcard ? [...(snapshot?.[state.type].byName.keys() ?? []), ...names] : [...names];
}

/** The client has nothing, may have nothing and has refused nothing. */
export function hasNothing(state: TypeState): boolean {
  return state.acked.size === 0 && hasNoDoubts(state);
}

function hasNoDoubts({ pending, uncertain, refused }: TypeState): boolean {
  return pending.size === 0 && uncertain.size === 0 && refused.size === 0;
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
