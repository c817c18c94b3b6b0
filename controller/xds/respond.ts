/**
 * The next response of a stream, worked out when it can be sent and not before: whatever changed in the
 * meantime is in it, and nothing queues. Types go in the order of make-before-break; removals wait in
 * the same call until nothing refers to what is removed.
 */
import { refersToType } from '../envoy/references.js';
import type { EncodedResource, ResourceSet, ResourceType, Snapshot } from '../envoy/snapshot.js';
import { reconsider } from './desire.js';
import { fullList } from './full-list.js';
import { pausedAfterMs, unansweredResponsesMax } from './limits.js';
import { isLater } from './make-before-break.js';
import { newsOnly } from './news.js';
import { removalCheck } from './removals.js';
import type { Content, Response, StreamState } from './stream-state.js';
import { isFresh, type TypeState, wants } from './type-state.js';
import { referencesOf } from './whole-sets.js';

/**
 * False where `nextResponse` would find nothing and change nothing, which is so most of the time: after
 * every acknowledgement, and each second of every proxy that is in sync.
 */
export function isAnythingDue({ types }: StreamState): boolean {
  for (const { owesAnswer, asked, changed, assumed } of types.values()) {
    if (owesAnswer || asked.size > 0 || changed.size > 0 || assumed.size > 0) {
      return true;
    }
  }
  return false;
}

/** The response to send now, which counts as sent; undefined where nothing is due or all has to wait. */
export function nextResponse(stream: StreamState, nowMs: number): Response | undefined {
  const { snapshot } = stream;
  if (snapshot === undefined) {
    return undefined;
  }
  askForPaused(stream, nowMs);
  const mayRemove = removalCheck(stream);
  for (const state of stream.types.values()) {
    const isGateOpen = gateOpensAtMs(stream, state) <= nowMs;
    const isAsked = state.owesAnswer || state.asked.size > 0;
    const mayAnswer = stream.options.variant === 'delta' || state.isPressing;
    const passesGate = isGateOpen || (isAsked && mayAnswer);
    if (!state.isOpen || !passesGate || !(isAsked || state.changed.size > 0)) {
      continue;
    }
    const content = state.isFullState
      ? fullList(stream, snapshot, state, mayRemove)
      : newsOnly(stream, snapshot, state, { mayRemove, isGateOpen });
    if (content !== undefined) {
      return recordSent(stream, snapshot, state, content, nowMs);
    }
  }
  return undefined;
}

/**
 * When newer state of a type may be sent: once the client has answered, or was silent for too long. In
 * delta, what a client asks for does not wait for that: it says by asking that it can take it. In the
 * state of the world a request that counts is an answer too.
 */
function gateOpensAtMs(stream: StreamState, state: TypeState): number {
  const newest = state.inFlight.at(-1);
  return newest === undefined ? 0 : newest.sentAtMs + stream.options.ackTimeoutMs;
}

/**
 * Envoy does not ask for its clusters while one of them warms, also on a new stream (seen with 1.40;
 * envoyproxy/envoy #36951). Where it lost its stream between a cluster and the endpoints of it, it says
 * to have those endpoints, waits to be sent them, and would wait for ever. So a client that asks for
 * endpoints and then not for clusters is sent all of them.
 */
function askForPaused(stream: StreamState, nowMs: number): void {
  const clusters = stream.types.get('cluster');
  for (const type of ['endpoint', 'secret'] as const) {
    const state = stream.types.get(type);
    if (clusters === undefined || state === undefined || state.assumed.size === 0) {
      continue;
    }
    state.assumedSinceMs ??= nowMs;
    if (clusters.isRequested) {
      state.assumed.clear();
    } else if (nowMs - state.assumedSinceMs >= pausedAfterMs) {
      for (const name of state.assumed) {
        state.asked.add(name);
      }
      state.assumed.clear();
    }
  }
}

function recordSent(
  stream: StreamState,
  snapshot: Snapshot,
  state: TypeState,
  content: Content,
  nowMs: number,
): Response {
  const { version, resources, removed, wholeSet } = content;
  const isAllFresh = wholeSet !== undefined && state.changed.hasWhole(wholeSet);
  const fresh = isAllFresh ? resources : freshOf(state, content);
  stream.sentCount += 1;
  const nonce = `${stream.options.noncePrefix}${stream.sentCount}`;
  state.inFlight.push({
    nonce,
    version,
    sentAtMs: nowMs,
    generation: stream.generation,
    resources,
    fresh,
    removed,
    ...(isAllFresh ? { wholeSet } : {}),
  });
  if (state.inFlight.length > unansweredResponsesMax) {
    state.inFlight.shift();
  }
  state.lastNonce = nonce;
  state.isAnswered = false;
  state.owesAnswer = false;
  state.isPressing = false;
  if (isAllFresh && state.pending.canAddWhole(wholeSet)) {
    state.pending.addWhole(wholeSet);
    askForReferredByAll(stream, state, wholeSet);
  } else {
    for (const resource of fresh) {
      state.pending.set(resource.name, resource);
      askForReferred(stream, state, resource);
    }
  }
  for (const name of removed) {
    state.pending.set(name, undefined);
  }
  if (wholeSet === undefined) {
    noteAnswered(
      stream,
      state,
      resources.map((resource) => resource.name),
    );
  } else {
    noteAllAnswered(stream, state, wholeSet, fresh);
  }
  noteAnswered(stream, state, removed);
  return {
    variant: stream.options.variant,
    type: state.type,
    version,
    nonce,
    resources,
    removed: stream.options.variant === 'delta' ? removed : [],
    wholeSet: wholeSet ?? wholeSetOf(snapshot[state.type], resources),
  };
}

/** Those of a response that tell the client something new. */
function freshOf(state: TypeState, { resources, wholeSet }: Content): readonly EncodedResource[] {
  // What a client is to have and was not refused is among what changed for as long as it is news.
  const candidates =
    wholeSet === undefined
      ? resources
      : [...state.changed].flatMap((name) => wholeSet.byName.get(name) ?? []);
  return candidates.filter((resource) => isFresh(state, resource));
}

/** Names of which the client is told are no longer asked for, nor due. */
function noteAnswered(stream: StreamState, state: TypeState, names: readonly string[]): void {
  for (const name of names) {
    state.asked.delete(name);
    state.warming.delete(name);
    state.assumed.delete(name);
    reconsider(stream, state, name);
  }
}

/** The same for all of `set`, of which `fresh` was due. */
function noteAllAnswered(
  stream: StreamState,
  state: TypeState,
  set: ResourceSet,
  fresh: readonly EncodedResource[],
): void {
  if (state.asked.hasWhole(set)) {
    state.asked.removeWhole(set);
  }
  for (const waiting of [state.asked, state.warming, state.assumed]) {
    if (waiting.size > 0) {
      for (const name of set.byName.keys()) {
        waiting.delete(name);
      }
    }
  }
  if (state.changed.hasWhole(set)) {
    state.changed.removeWhole(set);
  } else {
    for (const { name } of fresh) {
      reconsider(stream, state, name);
    }
  }
}

/** As `askForReferred` for all of `set`. */
function askForReferredByAll(stream: StreamState, state: TypeState, set: ResourceSet): void {
  const isAnyKnown = referencesOf(set).some(({ type }) => mayWarm(stream, state.type, type));
  for (const resource of isAnyKnown ? set.byName.values() : []) {
    askForReferred(stream, state, resource);
  }
}

function mayWarm(stream: StreamState, type: ResourceType, referred: ResourceType): boolean {
  const isOpen = stream.types.get(referred)?.isOpen ?? false;
  return isOpen && isLater(referred, type) && referred !== 'route';
}

/**
 * A cluster or listener that changed is warmed: Envoy waits to hear of its endpoints and secrets again,
 * though they are the same. In the state of the world it asks for them, in delta it does not (seen with
 * Envoy 1.40) and is told unasked. Routes it takes from what it has.
 */
function askForReferred(stream: StreamState, { type }: TypeState, resource: EncodedResource): void {
  if (!refersToType(resource.references, (referred) => mayWarm(stream, type, referred))) {
    return;
  }
  for (const reference of resource.references) {
    const referred = stream.types.get(reference.type);
    if (
      referred !== undefined &&
      mayWarm(stream, type, reference.type) &&
      wants(referred, reference.name)
    ) {
      const waiting = stream.options.variant === 'delta' ? referred.asked : referred.warming;
      waiting.add(reference.name);
    }
  }
}

/** `set` where `resources` are exactly its, in its order. */
function wholeSetOf(
  set: ResourceSet,
  resources: readonly EncodedResource[],
): ResourceSet | undefined {
  if (resources.length === 0 || resources.length !== set.byName.size) {
    return undefined;
  }
  let index = 0;
  for (const resource of set.byName.values()) {
    if (resources[index] !== resource) {
      return undefined;
    }
    index += 1;
  }
  return set;
}
