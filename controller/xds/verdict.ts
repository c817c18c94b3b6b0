/**
 * What follows from a client's answer to a response. An acknowledgement makes what was sent known; a
 * refusal leaves it uncertain, since Envoy applies the good parts of a response that it refuses, and
 * keeps the refused bytes from being sent again on this stream.
 */
import { forgetOldest } from '../base/forget-oldest.js';
import type { EncodedResource, ResourceType } from '../envoy/snapshot.js';
import { reconsider } from './desire.js';
import { errorLengthMax, refusedVersionsMax } from './limits.js';
import { hold, holdAll, shorten } from './possession.js';
import type { StreamState } from './stream-state.js';
import { isRefused, type SentResponse, type TypeState, wants } from './type-state.js';

export interface Refusal {
  readonly type: ResourceType;
  /** The resources that are not sent again, by name. */
  readonly resources: readonly string[];
  /** The client's own text. */
  readonly error: string;
  /** Of the publication that the refused response was made from. */
  readonly generation: number;
}

/**
 * The client's answer to the response of `nonce`: `error` undefined is an acknowledgement. Undefined
 * where no such response waits for an answer or where it was accepted.
 */
export function settle(
  stream: StreamState,
  state: TypeState,
  nonce: string,
  error: string | undefined,
): Refusal | undefined {
  const index = state.inFlight.findIndex((response) => response.nonce === nonce);
  const response = state.inFlight[index];
  if (response === undefined) {
    return undefined;
  }
  if (nonce === state.lastNonce) {
    state.isAnswered = true;
  }
  // Clients answer in order, so one that skipped an answer has taken what came before.
  for (const earlier of state.inFlight.slice(0, index)) {
    state.inFlight.shift();
    acknowledge(stream, state, earlier);
  }
  state.inFlight.shift();
  if (error === undefined) {
    acknowledge(stream, state, response);
    return undefined;
  }
  return refuse(stream, state, response, error.slice(0, errorLengthMax));
}

function acknowledge(stream: StreamState, state: TypeState, response: SentResponse): void {
  const { wholeSet } = response;
  const later = namesOnTheirWay(state);
  const isWhole = wholeSet !== undefined && state.pending.hasWhole(wholeSet);
  const isLast = isWhole && [...later].every((name) => !wholeSet.byName.has(name));
  if (isLast && state.uncertain.size === 0) {
    state.pending.removeWhole(wholeSet);
    holdAll(stream, state, wholeSet);
  } else {
    acknowledgeEach(stream, state, response.fresh, later);
  }
  for (const name of response.removed) {
    dropRemoved(state, name);
    state.uncertain.delete(name);
  }
  shorten(stream, state);
}

/** Of what the client has not answered yet; mostly that is nothing. */
function namesOnTheirWay({ inFlight }: TypeState): ReadonlySet<string> {
  return new Set(
    inFlight.flatMap(({ fresh, removed }) => [...fresh.map(({ name }) => name), ...removed]),
  );
}

/** `later`: names of which more is on its way, perhaps the same again after a removal. */
function acknowledgeEach(
  stream: StreamState,
  state: TypeState,
  resources: readonly EncodedResource[],
  later: ReadonlySet<string>,
): void {
  for (const resource of resources) {
    if (!state.pending.has(resource.name)) {
      // The client has unsubscribed since; whether it took this first is not known.
      continue;
    }
    hold(stream, state, resource);
    state.uncertain.delete(resource.name);
    if (state.pending.get(resource.name) === resource && !later.has(resource.name)) {
      state.pending.delete(resource.name);
    }
  }
}

/**
 * Envoy carries out the removals of a response whose resources it could read, though it refuses some, and
 * none where it could not read one of them. In delta they are therefore told once more, alone; in the
 * state of the world the next list says so too.
 */
function refuse(
  stream: StreamState,
  state: TypeState,
  response: SentResponse,
  error: string,
): Refusal {
  const unproved = response.resources.filter((resource) => !isProved(state, resource));
  const suspects = unproved.length > 0 ? unproved : response.resources;
  const blamed = response.resources.filter((resource) => blames(error, resource.name));
  const refused = blamed.length > 0 ? blamed : suspects;
  for (const resource of new Set([...suspects, ...refused])) {
    if (!wants(state, resource.name)) {
      continue;
    }
    if (state.pending.get(resource.name) === resource) {
      state.pending.delete(resource.name);
    }
    const others = state.uncertain.get(resource.name) ?? [];
    state.uncertain.set(
      resource.name,
      [...others.filter((other) => other !== resource), resource].slice(-refusedVersionsMax),
    );
  }
  const isRemovalToldAgain = stream.options.variant === 'delta' && response.resources.length > 0;
  for (const name of response.removed) {
    if (isRemovalToldAgain) {
      takeBackRemoval(state, name);
    } else {
      dropRemoved(state, name);
    }
  }
  for (const resource of refused) {
    rememberRefusal(state, resource, error);
  }
  const names = [...suspects, ...refused].map((resource) => resource.name);
  for (const name of [...names, ...response.removed]) {
    reconsider(stream, state, name);
  }
  return {
    type: state.type,
    resources: refused.map((resource) => resource.name),
    error,
    generation: response.generation,
  };
}

/** The client has taken just this before, or says so, so it is not what it refuses now. */
function isProved(state: TypeState, resource: EncodedResource): boolean {
  const { name, version } = resource;
  const claimed = isRefused(state, resource) ? [] : (state.uncertain.get(name) ?? []);
  return [state.acked.get(name), ...claimed].some((held) => held?.version === version);
}

/** The client no longer has `name`. */
function dropRemoved(state: TypeState, name: string): void {
  state.acked.delete(name);
  takeBackRemoval(state, name);
}

/** A removal of `name` is no longer on its way. */
function takeBackRemoval(state: TypeState, name: string): void {
  if (state.pending.has(name) && state.pending.get(name) === undefined) {
    state.pending.delete(name);
  }
}

/**
 * True where the text says `NAME: reason`, as Envoy does for each bad cluster and listener. The others
 * of the response are then sent without it, so that one bad resource does not keep out good ones.
 */
function blames(error: string, name: string): boolean {
  const label = `${name}: `;
  for (let at = error.indexOf(label); at >= 0; at = error.indexOf(label, at + 1)) {
    if (at === 0 || /[\s,'"]/.test(error.charAt(at - 1))) {
      return true;
    }
  }
  return false;
}

function rememberRefusal(state: TypeState, resource: EncodedResource, error: string): void {
  const versions = state.refused.get(resource.name) ?? new Map<string, string>();
  state.refused.set(resource.name, versions);
  versions.delete(resource.version);
  versions.set(resource.version, error);
  forgetOldest(versions, refusedVersionsMax);
}
