/**
 * What may be sent now and what has to wait, so that a proxy never has a route or a listener that names
 * a cluster which it does not have (xDS protocol, "Eventual consistency considerations"). A resource
 * waits until the client has acknowledged what it refers to; Envoy acknowledges clusters once they are
 * warm. What removals wait for is in `removals.ts`.
 */
import { isLong, refersTo, refersToType, typesIn } from '../envoy/references.js';
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
import { isHeld, type TypeState, unsettledCount, unsettledNames, wants } from './type-state.js';
import {
  containsAll,
  type References,
  referencesOf as referencesOfSet,
  referrersOf,
} from './whole-sets.js';

/** The types that a resource may refer to. One of unknown content may refer to every name of them. */
export const possibleReferences: Readonly<Record<ResourceType, readonly ResourceType[]>> = {
  cluster: ['endpoint', 'secret'],
  endpoint: [],
  listener: ['cluster', 'route', 'secret'],
  route: ['cluster'],
  secret: [],
};

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
  if (!refersToType(references, isUnsettled)) {
    return true;
  }
  const unsettled = typesIn(references).filter(isUnsettled);
  return isLong(references) && areFew(stream, unsettled, references.length)
    ? unsettled.every((each) => !lacksAny(stream, each, references))
    : references.every(
        (reference) => isLater(reference.type, type) || isInPlace(stream, reference),
      );
}

/** Fewer than `count` names of `types`, and of what those refer to, are unsettled. */
function areFew(stream: StreamState, types: readonly ResourceType[], count: number): boolean {
  let sum = 0;
  for (const type of types.flatMap(involved)) {
    const state = stream.types.get(type);
    sum += state === undefined ? 0 : unsettledCount(state);
  }
  return sum < count;
}

/**
 * True where one of those of `references` that are of `type` is not in place. What is settled is in place, so
 * only what is not is looked at: a route that names ten thousand clusters waits for one of them at the cost
 * of that one.
 */
function lacksAny(
  stream: StreamState,
  type: ResourceType,
  references: readonly ResourceReference[],
): boolean {
  const { snapshot, types } = stream;
  const state = types.get(type);
  if (snapshot === undefined || !state?.isRequested) {
    return false;
  }
  const isNamed = (name: string) => refersTo(references, { type, name });
  for (const name of unsettledNames(state)) {
    if (isNamed(name) && !isInPlace(stream, { type, name })) {
      return true;
    }
  }
  return possibleReferences[type].some((childType) => {
    for (const name of missingNames(stream, childType)) {
      const referrers = referrersOf(snapshot[type], { type: childType, name });
      if (referrers.some((each) => isNamed(each) && wants(state, each))) {
        return true;
      }
    }
    return false;
  });
}

/** Names that the client wants, that exist, and that it does not have. */
function* missingNames(stream: StreamState, type: ResourceType): Generator<string> {
  const state = stream.types.get(type);
  for (const name of state === undefined ? [] : unsettledNames(state)) {
    const wanted = wantedResource(stream, type, name);
    if (wanted !== undefined && !isHeld(wanted.state, name)) {
      yield name;
    }
  }
}

/** `type`, and the types of what is complete only with it. */
function involved(type: ResourceType): readonly ResourceType[] {
  return [type, ...possibleReferences[type]];
}

/** All that the client wants of a type is in place, whatever its name: that need not be looked up. */
function isSettled(stream: StreamState, type: ResourceType): boolean {
  return involved(type).every((each) => hasEverything(stream.types.get(each)));
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
  return state.isOpen && unsettledCount(state) === 0;
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
