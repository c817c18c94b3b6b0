/**
 * Requests of the incremental variant (xDS protocol, "Incremental xDS"): each adds names and takes names
 * away, and may answer a response. A nonce says which response is meant and nothing else, so that a
 * change of the subscription counts whatever the nonce is.
 */
import { askForAll, reconsider, reconsiderAll } from './desire.js';
import { openType } from './first-request.js';
import type { NamedList } from './named-list.js';
import type { StreamState } from './stream-state.js';
import { changeNames, type SubscriptionChange } from './subscription.js';
import { expectInFlight, forget, forgetUnwanted, type TypeState, wants } from './type-state.js';
import { type Refusal, settle } from './verdict.js';

export interface DeltaRequest {
  readonly subscribe: NamedList;
  readonly unsubscribe: NamedList;
  /** Counts in the first request of a type only. */
  readonly initialVersions: ReadonlyMap<string, string>;
  readonly nonce: string;
  /** Present: the client refuses the response of `nonce`. */
  readonly error?: string;
}

/** Takes in a request; answers what the client refuses with it. */
export function receiveDelta(
  stream: StreamState,
  state: TypeState,
  request: DeltaRequest,
): Refusal | undefined {
  const refusal = settle(stream, state, request.nonce, request.error);
  const isFirst = !state.isRequested;
  const change = changeNames(state.subscription, state.type, {
    subscribe: request.subscribe,
    unsubscribe: request.unsubscribe,
    isFirst,
  });
  if (isFirst) {
    state.isRequested = true;
    state.initialVersions = request.initialVersions;
  }
  if (state.isOpen) {
    followChange(stream, state, change);
  } else {
    openType(stream, state);
  }
  return refusal;
}

function followChange(stream: StreamState, state: TypeState, change: SubscriptionChange): void {
  if (change.wildcard === 'added') {
    const sent = state.inFlight.flatMap(({ resources }) => resources.map(({ name }) => name));
    expectInFlight(state, new Set(sent));
    askForAll(stream, state);
    reconsiderAll(stream, state);
    state.owesAnswer = true;
  }
  expectInFlight(state, change.added);
  for (const name of change.added) {
    state.asked.add(name);
    reconsider(stream, state, name);
  }
  for (const name of change.dropped) {
    if (wants(state, name)) {
      // Still covered by the wildcard or not: only we can tell the client whether to keep it.
      state.asked.add(name);
    } else {
      forget(state, name);
    }
  }
  if (change.wildcard === 'dropped') {
    forgetUnwanted(state);
  }
}
