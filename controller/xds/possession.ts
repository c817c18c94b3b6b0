/**
 * What a client is noted to have, of single resources and of whole sets, and what it will ask for next
 * because of that.
 */
import { refersToType } from '../envoy/references.js';
import type { ResourceSet, ResourceType } from '../envoy/snapshot.js';
import { isLater } from './make-before-break.js';
import type { StreamState } from './stream-state.js';
import { type Held, isEncoded, type TypeState, wants } from './type-state.js';
import { viewOf } from './view.js';
import { referencesOf } from './whole-sets.js';

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
