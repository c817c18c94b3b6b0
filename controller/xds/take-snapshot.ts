/** A publication on one stream: what differs from the one before is to be sent. */
import type { ResourceType, Snapshot } from '../envoy/snapshot.js';
import { askForAll, hasNothing, reconsider, reconsiderAll } from './desire.js';
import { openType } from './first-request.js';
import { changedResources, desiredResource } from './snapshot-changes.js';
import type { StreamState } from './stream-state.js';
import { type TypeState, wants } from './type-state.js';
import { missingNames } from './view.js';

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

/**
 * Asks for the same again, now that it is other resources. Of a name that had no resource before and has
 * none now, the client was told.
 */
function reopen(stream: StreamState, state: TypeState): void {
  if (state.asked.size > 0) {
    const told = missingNames(stream.snapshot, state).filter((name) => !state.asked.has(name));
    state.asked.clear();
    askForAll(stream, state);
    for (const name of told) {
      state.asked.delete(name);
    }
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
