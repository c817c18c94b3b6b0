/**
 * Requests of the state of the world variant (xDS protocol, "ACK/NACK and resource type instance
 * version", "Resource updates"): each has the whole list of names, answers the newest response of its
 * type by nonce, and supersedes all requests before it.
 */
import { askForAll, reconsider, reconsiderAll } from './desire.js';
import { openType } from './first-request.js';
import type { NamedList } from './named-list.js';
import { desiredResource } from './snapshot-changes.js';
import type { StreamState } from './stream-state.js';
import { replaceNames, type SubscriptionChange } from './subscription.js';
import { expectInFlight, forget, forgetUnwanted, type TypeState, wants } from './type-state.js';
import { type Refusal, settle } from './verdict.js';

export interface SotwRequest {
  readonly versionInfo: string;
  readonly resourceNames: NamedList;
  readonly nonce: string;
  /** Present: the client refuses the response of `nonce`. */
  readonly error?: string;
}

/** Takes in a request; answers what the client refuses with it. */
export function receiveSotw(
  stream: StreamState,
  state: TypeState,
  request: SotwRequest,
): Refusal | undefined {
  const { nonce, error } = request;
  if (state.lastNonce !== '' && nonce !== '' && nonce !== state.lastNonce) {
    // Stale: written before the newest response arrived. Only its verdict on an older one counts.
    return settle(stream, state, nonce, error);
  }
  const isFirst = !state.isRequested;
  // Without a nonce the client begins anew, or had not seen our response when it asked for more.
  const isAnew = state.lastNonce !== '' && nonce === '';
  const isRepeated = !isFirst && (state.lastNonce === '' || state.isAnswered);
  const refusal = settleNewest(stream, state, request);
  const change = replaceNames(state.subscription, state.type, request.resourceNames);
  if (isFirst) {
    state.isRequested = true;
    state.initialVersion = request.versionInfo;
  }
  if (!state.isOpen) {
    openType(stream, state);
  } else {
    followChange(stream, state, change);
    if (isAnew) {
      forgetMissing(stream, state);
      askForAll(stream, state);
      owesList(state);
      state.owesAnswer ||= state.isFullState && state.subscription.isWildcard;
      state.isPressing = true;
    } else if (isRepeated && error === undefined) {
      answerRepeated(stream, state, { nonce, isSame: !isChange(change) });
    }
  }
  return refusal;
}

/**
 * The verdict on the newest response. Envoy holds its answer back while a cluster warms, and when it was
 * sent another list by then, it gives one answer for both (seen with 1.40): the error of the former with
 * the nonce of the latter, whose version it says to run.
 */
function settleNewest(
  stream: StreamState,
  state: TypeState,
  { nonce, error, versionInfo }: SotwRequest,
): Refusal | undefined {
  const [earlier, newest] = state.inFlight.slice(-2);
  const isForEarlier =
    error !== undefined &&
    state.isFullState &&
    newest?.nonce === nonce &&
    newest.version === versionInfo &&
    earlier?.version !== versionInfo;
  if (!isForEarlier || earlier === undefined) {
    return settle(stream, state, nonce, error);
  }
  const refusal = settle(stream, state, earlier.nonce, error);
  settle(stream, state, nonce, undefined);
  return refusal;
}

function followChange(stream: StreamState, state: TypeState, change: SubscriptionChange): void {
  for (const name of change.dropped) {
    if (!wants(state, name)) {
      forget(state, name);
    }
  }
  if (change.wildcard === 'dropped') {
    forgetUnwanted(state);
  }
  if (change.wildcard === 'added') {
    reconsiderAll(stream, state);
    askForAll(stream, state);
  }
  expectInFlight(state, change.added);
  for (const name of change.added) {
    state.asked.add(name);
    reconsider(stream, state, name);
  }
  owesList(state);
}

/**
 * What a client asks for anew it may no longer have. Of what is gone the state of the world cannot tell
 * it so, and when it comes back, it has to be sent even if it is as it was.
 */
function forgetMissing(stream: StreamState, state: TypeState): void {
  const { snapshot } = stream;
  if (state.isFullState || snapshot === undefined) {
    return;
  }
  for (const name of [...state.acked.keys()]) {
    if (desiredResource(snapshot, state.type, name) === undefined) {
      state.acked.delete(name);
    }
  }
}

/**
 * A request after the newest response was answered already. Envoy sends it when it warms a changed
 * cluster or listener: it needs to hear of what these refer to again, changed or not, and withholds its
 * acknowledgement of them until then. Nothing refers to clusters and listeners: of these it is the same
 * acknowledgement once more, and a client that always gave two would never come to rest.
 */
function answerRepeated(
  stream: StreamState,
  state: TypeState,
  { nonce, isSame }: { readonly nonce: string; readonly isSame: boolean },
): void {
  if (state.warming.size > 0) {
    for (const name of state.warming) {
      state.asked.add(name);
    }
    state.warming.clear();
  } else if (isSame && (!state.isFullState || nonce === '')) {
    askForAll(stream, state);
  }
  owesList(state);
}

/** Lists of clusters and listeners are answered as a whole. */
function owesList(state: TypeState): void {
  if (state.isFullState && state.asked.size > 0) {
    state.asked.clear();
    state.owesAnswer = true;
  }
}

function isChange(change: SubscriptionChange): boolean {
  return change.added.size > 0 || change.dropped.size > 0 || change.wildcard !== 'kept';
}
