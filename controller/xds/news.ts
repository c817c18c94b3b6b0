/**
 * What a response holds of the types that are told piece by piece: all of delta, and in the state of the
 * world routes, endpoints and secrets. It is what changed and what the client asked for, as far as it
 * can be sent now; the rest stays due.
 */
import type { EncodedResource, ResourceSet, Snapshot } from '../envoy/snapshot.js';
import { canRemove, mayHave } from './desire.js';
import { removedNamesMax, responseBytesMax } from './limits.js';
import { isReady, readiness } from './make-before-break.js';
import type { RemovalCheck } from './removals.js';
import { desiredResource } from './snapshot-changes.js';
import type { Content, StreamState } from './stream-state.js';
import { substituteFor } from './substitute.js';
import { isRefused, type TypeState } from './type-state.js';
import { viewOf } from './view.js';
import { bytesInResponse, bytesOfName, resourcesOf, responseParts } from './whole-sets.js';

/** What was asked for and what changed, as far as it can be sent now. */
export function newsOnly(
  stream: StreamState,
  snapshot: Snapshot,
  state: TypeState,
  options: { readonly mayRemove: RemovalCheck; readonly isGateOpen: boolean },
): Content | undefined {
  const whole = wholeNews(stream, snapshot, state, options.isGateOpen);
  if (whole !== 'some') {
    return whole;
  }
  const set = snapshot[state.type];
  const resources = new Map<string, EncodedResource>();
  const removed: string[] = [];
  let sizeBytes = 0;
  const isTooMuch = (moreBytes: number): boolean => {
    sizeBytes += moreBytes;
    return sizeBytes > responseBytesMax && resources.size + removed.length > 0;
  };
  for (const name of dueNames(state, options.isGateOpen)) {
    const desired = desiredResource(snapshot, state.type, name);
    const isUsable = desired !== undefined && !isRefused(state, desired);
    const substitute =
      !isUsable && state.asked.has(name) ? substituteFor(stream, state, name) : undefined;
    const isNews = isUsable && !resources.has(name) && isReady(stream, state.type, desired);
    const resource = isNews ? desired : substitute;
    if (resource !== undefined) {
      if (isTooMuch(bytesInResponse(resource))) {
        break;
      }
      resources.set(name, resource);
    } else if (desired === undefined && canRemove(stream, state, name)) {
      if (!mayHave(state, name) || options.mayRemove(state, name)) {
        if (removed.length >= removedNamesMax || isTooMuch(bytesOfName(name))) {
          break;
        }
        removed.push(name);
      }
    } else if (!isUsable) {
      // Refused, or gone and not to be told so: the subscription remembers it for later.
      state.asked.delete(name);
    }
  }
  if (resources.size === 0 && removed.length === 0 && !state.owesAnswer) {
    return undefined;
  }
  addWarming(stream, snapshot, state, resources);
  return {
    version: set.version,
    resources: inOrderOf(set, resources),
    removed: [...new Set(removed)],
  };
}

/** One by one: of thousands a response has a part. What the caller takes out meanwhile does not come. */
function* dueNames({ asked, changed }: TypeState, isGateOpen: boolean): Generator<string> {
  yield* asked;
  if (isGateOpen) {
    yield* changed;
  }
}

/**
 * The same where whole sets are due and nothing else is: it looks at no resource. `some`: this is not
 * such a case.
 */
function wholeNews(
  stream: StreamState,
  snapshot: Snapshot,
  state: TypeState,
  isGateOpen: boolean,
): Content | undefined | 'some' {
  const due = isGateOpen ? [state.asked, state.changed] : [state.asked];
  const parts = new Set(due.flatMap((names) => names.wholeSets));
  const view = parts.size > 0 ? viewOf(snapshot, state) : undefined;
  if (view === undefined || state.refused.size > 0 || state.warming.size > 0) {
    return 'some';
  }
  const current = responseParts(view.set);
  if (due.some(({ differences }) => differences > removedNamesMax)) {
    return 'some';
  }
  const others = due.flatMap((names) => names.others());
  if (areLong(others) || others.some((name) => !isGoneFor(stream, snapshot, state, name))) {
    return 'some';
  }
  for (const part of parts) {
    if (!current.includes(part) || !due.some((names) => names.hasWhole(part))) {
      return 'some';
    }
    const ready = readiness(stream, state.type, part);
    if (ready === 'some') {
      return 'some';
    }
    if (ready === 'all') {
      const removed = toldRemovals(stream, state, others);
      return { version: view.set.version, resources: resourcesOf(part), removed, wholeSet: part };
    }
  }
  return others.length > 0 || state.owesAnswer ? 'some' : undefined;
}

/** Removed beside a whole set, `names` could make a response too large. */
function areLong(names: readonly string[]): boolean {
  let sizeBytes = 0;
  for (const name of names) {
    sizeBytes += bytesOfName(name);
  }
  return sizeBytes > responseBytesMax / 8 || names.length > removedNamesMax;
}

/** There is nothing to be sent under `name`, and never was on this stream. */
function isGoneFor(
  stream: StreamState,
  snapshot: Snapshot,
  state: TypeState,
  name: string,
): boolean {
  return (
    desiredResource(snapshot, state.type, name) === undefined &&
    !mayHave(state, name) &&
    substituteFor(stream, state, name) === undefined
  );
}

/** Of `names`, which are gone, those that the client is told so of; the others are passed over. */
function toldRemovals(
  stream: StreamState,
  state: TypeState,
  names: readonly string[],
): readonly string[] {
  return names.filter((name) => {
    const isTold = canRemove(stream, state, name);
    if (!isTold) {
      // The subscription remembers it for later.
      state.asked.delete(name);
    }
    return isTold;
  });
}

/**
 * A client that warms something asks again, but its request crosses with a response that is sent now,
 * and then it is stale and ignored. So what it asks for is in that response already.
 */
function addWarming(
  stream: StreamState,
  snapshot: Snapshot,
  state: TypeState,
  resources: Map<string, EncodedResource>,
): void {
  for (const name of state.warming) {
    const desired = desiredResource(snapshot, state.type, name);
    const isUsable = desired !== undefined && !isRefused(state, desired);
    const resource = isUsable ? desired : substituteFor(stream, state, name);
    if (resource !== undefined) {
      resources.set(name, resource);
    }
  }
}

/** All of a set in its own order, so that streams which asked in different orders share the bytes. */
function inOrderOf(
  set: ResourceSet,
  resources: ReadonlyMap<string, EncodedResource>,
): readonly EncodedResource[] {
  if (resources.size !== set.byName.size) {
    return [...resources.values()];
  }
  const all = [...set.byName.values()];
  const isWhole = all.every((each) => resources.get(each.name) === each);
  return isWhole ? all : [...resources.values()];
}
