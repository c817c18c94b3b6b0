/**
 * What may be sent now and what has to wait, so that a proxy never has a route or a listener that names
 * a cluster which it does not have (xDS protocol, "Eventual consistency considerations"). A resource
 * waits until the client has acknowledged what it refers to; Envoy acknowledges clusters once they are
 * warm. A removal waits until nothing that the client may still have refers to what is removed.
 */
import { refersToType } from '../envoy/references.js';
import {
  type EncodedResource,
  type ResourceReference,
  type ResourceSet,
  type ResourceType,
  resourceTypes,
  type Snapshot,
} from '../envoy/snapshot.js';
import { desiredResource } from './snapshot-changes.js';
import type { StreamState } from './stream-state.js';
import {
  type Held,
  heldVersions,
  isEncoded,
  isFresh,
  isHeld,
  isRefused,
  type TypeState,
  wants,
} from './type-state.js';
import { containsAll, type References, referencesOf as referencesOfSet } from './whole-sets.js';

/** True where `left` comes later than `right` in the order of make-before-break. */
export function isLater(left: ResourceType, right: ResourceType): boolean {
  return resourceTypes.indexOf(left) > resourceTypes.indexOf(right);
}

/**
 * True where the client has all that `resource` refers to and that comes before it. What comes after
 * (a listener's routes, a cluster's endpoints) the client asks for once it has `resource`.
 */
export function isReady(
  stream: StreamState,
  type: ResourceType,
  resource: EncodedResource,
): boolean {
  const { references } = resource;
  const isUnsettled = (each: ResourceType) => !isLater(each, type) && !isSettled(stream, each);
  return (
    !refersToType(references, isUnsettled) ||
    references.every((reference) => isLater(reference.type, type) || isInPlace(stream, reference))
  );
}

/** All that the client wants of a type is in place, whatever its name: that need not be looked up. */
function isSettled(stream: StreamState, type: ResourceType): boolean {
  const involved = [type, ...possibleReferences[type]];
  return involved.every((each) => hasEverything(stream.types.get(each)));
}

/**
 * Of how many resources of `set` `isReady` is true, found without looking at each: all, none, or it is
 * not known, and some may be.
 */
export function readiness(
  stream: StreamState,
  type: ResourceType,
  set: ResourceSet,
): 'all' | 'none' | 'some' {
  let result: 'all' | 'some' = 'all';
  for (const references of referencesOfSet(set)) {
    const state = stream.types.get(references.type);
    if (isLater(references.type, type) || !state?.isRequested) {
      continue;
    }
    if (references.isByAll && lacksAll(stream, state, references)) {
      return 'none';
    }
    if (!isSettled(stream, references.type)) {
      result = 'some';
    }
  }
  return result;
}

/** The client has all that it wants of a type, and nothing of it is on its way or still to be sent. */
function hasEverything(state: TypeState | undefined): boolean {
  if (!state?.isRequested) {
    return true;
  }
  const unsettled = [state.changed, state.pending, state.uncertain, state.refused];
  return state.isOpen && unsettled.every(({ size }) => size === 0);
}

/** The client has none of what `references` names, or nothing of what all of that refers to. */
function lacksAll(stream: StreamState, state: TypeState, references: References): boolean {
  const { snapshot, types } = stream;
  if (snapshot === undefined || !isWanted(snapshot, state, references)) {
    return false;
  }
  return (
    state.acked.size === 0 ||
    referencesOfSet(snapshot[state.type]).some((children) => {
      const child = types.get(children.type);
      const isMissing = child?.isRequested && child.acked.size === 0 && children.isByAll;
      return isMissing && isWanted(snapshot, child, children);
    })
  );
}

/** Everything that is referred to exists, and the client has asked for it. */
function isWanted(snapshot: Snapshot, { type, subscription }: TypeState, { names }: References) {
  const { isWildcard, names: named } = subscription;
  const isAsked = isWildcard || (named.whole !== undefined && containsAll(named.whole, names));
  return isAsked && containsAll(snapshot[type].byName, names);
}

/** Acknowledged, with nothing newer still to be sent, and complete with what comes after it. */
function isInPlace(stream: StreamState, { type, name }: ResourceReference): boolean {
  const wanted = wantedResource(stream, type, name);
  if (wanted === undefined) {
    return true;
  }
  const { state, resource } = wanted;
  if (!isHeld(state, name) || state.changed.has(name)) {
    return false;
  }
  return resource.references.every((child) => {
    const wantedChild = wantedResource(stream, child.type, child.name);
    return wantedChild === undefined || isHeld(wantedChild.state, child.name);
  });
}

/**
 * The resource, where the client has asked for it on this stream and it exists. What a client does not
 * ask for is never waited for: gRPC clients learn the names of clusters from the route.
 */
function wantedResource(
  { snapshot, types }: StreamState,
  type: ResourceType,
  name: string,
): { readonly state: TypeState; readonly resource: EncodedResource } | undefined {
  const state = types.get(type);
  if (snapshot === undefined || !state?.isRequested || !wants(state, name)) {
    return undefined;
  }
  const resource = desiredResource(snapshot, type, name);
  return resource && { state, resource };
}

/** Says of a name that is no longer desired whether the client may be told so now. */
export type RemovalCheck = (state: TypeState, name: string) => boolean;

/**
 * A check that is right until the stream's state changes, and costs nothing until it is asked. Removals
 * come after the updates of whatever might refer to what is removed, also where no reference is known.
 */
export function removalCheck(stream: StreamState): RemovalCheck {
  let kept: ReadonlySet<string> | undefined;
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
    kept ??= keptNames(stream);
    return !kept.has(keyOf({ type: state.type, name })) && !kept.has(anyNameOf(state.type));
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
 * Names that something refers to which the client may still have. A desired resource refers to desired
 * ones only, so it is enough to follow the references of what is not yet as it is to be.
 */
function keptNames(stream: StreamState): ReadonlySet<string> {
  const kept = new Set<string>();
  const visited = new Set<string>();
  const visit = (state: TypeState, name: string): void => {
    const key = keyOf({ type: state.type, name });
    if (visited.has(key)) {
      return;
    }
    visited.add(key);
    for (const held of heldVersions(state, name)) {
      for (const reference of referencesOf(state.type, held)) {
        kept.add(keyOf(reference));
        const referred = stream.types.get(reference.type);
        if (referred !== undefined) {
          visit(referred, reference.name);
        }
      }
    }
  };
  for (const state of stream.types.values()) {
    for (const unsettled of [state.changed, state.pending, state.uncertain, state.refused]) {
      for (const name of unsettled.keys()) {
        visit(state, name);
      }
    }
  }
  return kept;
}

/** The types that a resource may refer to. One of unknown content may refer to every name of them. */
const possibleReferences: Readonly<Record<ResourceType, readonly ResourceType[]>> = {
  cluster: ['endpoint', 'secret'],
  endpoint: [],
  listener: ['cluster', 'route', 'secret'],
  route: ['cluster'],
  secret: [],
};

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

function anyNameOf(type: ResourceType): string {
  return keyOf({ type, name: anyName });
}

function keyOf({ type, name }: ResourceReference): string {
  return `${type} ${name}`;
}
