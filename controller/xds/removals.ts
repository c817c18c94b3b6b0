/**
 * When a client may be told that something is gone: when nothing that it may still have refers to it
 * (xDS protocol, "Eventual consistency considerations").
 */
import { memo } from '../base/memo.js';
import { isLong, refersTo } from '../envoy/references.js';
import type { ResourceReference, ResourceType } from '../envoy/snapshot.js';
import { isReady, possibleReferences } from './make-before-break.js';
import type { Overlay } from './overlay.js';
import { desiredResource } from './snapshot-changes.js';
import type { StreamState } from './stream-state.js';
import {
  type Held,
  heldVersions,
  isEncoded,
  isFresh,
  isRefused,
  type TypeState,
  unsettledNames,
} from './type-state.js';
import { referrersByReference, referrersOf } from './whole-sets.js';

/** Says of a name that is no longer desired whether the client may be told so now. */
export type RemovalCheck = (state: TypeState, name: string) => boolean;

/**
 * A check that is right until the stream's state changes, and costs nothing until it is asked. Removals
 * come after the updates of whatever might refer to what is removed, also where no reference is known.
 */
export function removalCheck(stream: StreamState): RemovalCheck {
  let isKept: ReturnType<typeof keptCheck> | undefined;
  const isSettled = new Map<ResourceType, boolean>();
  return (state, name) => {
    for (const referring of stream.types.values()) {
      if (possibleReferences[referring.type].includes(state.type)) {
        const settled = isSettled.get(referring.type) ?? !hasUpdates(stream, referring);
        isSettled.set(referring.type, settled);
        if (!settled) {
          return false;
        }
      }
    }
    isKept ??= keptCheck(stream);
    return !isKept({ type: state.type, name });
  };
}

/** Updates of `state` are on their way, or could be; what waits for something else does not count. */
function hasUpdates(stream: StreamState, state: TypeState): boolean {
  const { snapshot } = stream;
  if (snapshot === undefined || !state.isRequested) {
    return false;
  }
  if (state.inFlight.some((response) => response.resources.length > 0)) {
    return true;
  }
  return [...state.changed, ...state.asked].some((name) => {
    const resource = desiredResource(snapshot, state.type, name);
    return (
      resource !== undefined &&
      !isRefused(state, resource) &&
      (isFresh(state, resource) || state.asked.has(name)) &&
      isReady(stream, state.type, resource)
    );
  });
}

/**
 * Says of a name whether something refers to it that the client may still have. A desired resource refers to
 * desired ones only, so it is enough to follow the references of what is not yet as it is to be. Long lists of
 * them are asked and not gone through: a route that names ten thousand clusters waits often.
 */
function keptCheck(stream: StreamState): (reference: ResourceReference) => boolean {
  const { kept, longLists } = followUnsettled(stream);
  const known = new Map<string, boolean>();
  const isKept = (reference: ResourceReference): boolean => {
    const key = keyOf(reference);
    const found =
      known.get(key) ??
      (kept.has(key) ||
        longLists.some((list) => refersTo(list, reference)) ||
        (longLists.length > 0 && isReferredTo(reference)));
    known.set(key, found);
    return found;
  };
  const isReferredTo = (reference: ResourceReference): boolean =>
    [...stream.types.values()].some(
      (state) =>
        possibleReferences[state.type].includes(reference.type) &&
        referrersIn(state.acked)(reference).some((name) => isKept({ type: state.type, name })),
    );
  const referrersIn = memo(referrersAmong);
  return (reference) =>
    isKept(reference) || kept.has(keyOf({ type: reference.type, name: anyName }));
}

/** What unsettled names refer to, over any number of steps, but for long lists and what those refer to. */
function followUnsettled(stream: StreamState) {
  const kept = new Set<string>();
  const longLists = new Set<readonly ResourceReference[]>();
  const visited = new Set<string>();
  const visit = (state: TypeState, name: string): void => {
    const key = keyOf({ type: state.type, name });
    if (visited.has(key)) {
      return;
    }
    visited.add(key);
    for (const held of heldVersions(state, name)) {
      const references = referencesOf(state.type, held);
      if (isLong(references)) {
        longLists.add(references);
        continue;
      }
      for (const reference of references) {
        kept.add(keyOf(reference));
        const referred = stream.types.get(reference.type);
        if (referred !== undefined) {
          visit(referred, reference.name);
        }
      }
    }
  };
  for (const state of stream.types.values()) {
    for (const name of unsettledNames(state)) {
      visit(state, name);
    }
  }
  return { kept, longLists: [...longLists] };
}

/** Finds the names of what `acked` has that refers to something. */
function referrersAmong(acked: Overlay<Held>): (reference: ResourceReference) => readonly string[] {
  const own = [...acked.ownValues()].filter(isEncoded);
  const long = own.filter(({ references }) => isLong(references));
  const short = referrersByReference(own.filter((held) => !long.includes(held)));
  const isHeldSo = (name: string, reference: ResourceReference): boolean => {
    const held = acked.get(name);
    return isEncoded(held) && refersTo(held.references, reference);
  };
  return (reference) => [
    ...acked.wholeSets
      .flatMap((set) => referrersOf(set, reference))
      .filter((name) => isHeldSo(name, reference)),
    ...long.filter(({ references }) => refersTo(references, reference)).map(({ name }) => name),
    ...(short.get(reference.type)?.get(reference.name) ?? []),
  ];
}

function referencesOf(type: ResourceType, held: Held | undefined): readonly ResourceReference[] {
  if (held === undefined) {
    return [];
  }
  return isEncoded(held)
    ? held.references
    : possibleReferences[type].map((possible) => ({ type: possible, name: anyName }));
}

/** No resource is called so: the empty name is never subscribed to. */
const anyName = '';

function keyOf({ type, name }: ResourceReference): string {
  return `${type} ${name}`;
}
