/**
 * One discovery stream as a state machine: requests and publications go in, responses come out. The
 * caller asks for the next response whenever the stream can take one, so newer state coalesces by itself.
 * Time is an argument, bytes and sockets are the shell's; what a stream is follows from its events alone.
 */
import type { ResourceType, Snapshot } from '../envoy/snapshot.js';
import { type DeltaRequest, receiveDelta } from './delta.js';
import { isAnythingDue, nextResponse } from './respond.js';
import { receiveSotw, type SotwRequest } from './sotw.js';
import { updateStatus } from './status.js';
import type { Response, StreamState } from './stream-state.js';
import { type StandingRefusal, setSnapshot } from './take-snapshot.js';
import type { Refusal } from './verdict.js';

export { doubtsOf } from './doubts.js';
export { createStream } from './stream-state.js';

export type TypedRequest =
  | ({ readonly kind: 'sotw'; readonly type: ResourceType } & SotwRequest)
  | ({ readonly kind: 'delta'; readonly type: ResourceType } & DeltaRequest);

/**
 * Takes in a request; answers what the client refuses with it. A type that this stream does not serve is
 * passed over: clients ask for new types before servers know them.
 */
export function receive(
  stream: StreamState,
  request: TypedRequest,
  nowMs: number,
): Refusal | undefined {
  const state = stream.types.get(request.type);
  if (state === undefined) {
    return undefined;
  }
  const refusal =
    request.kind === 'sotw'
      ? receiveSotw(stream, state, request)
      : receiveDelta(stream, state, request);
  updateStatus(stream, nowMs);
  return refusal;
}

/**
 * A publication; answers what the client is known to refuse of what is new. `snapshot` undefined: the
 * proxy is not known, so its requests wait, and what it has stays.
 */
export function publish(
  stream: StreamState,
  snapshot: Snapshot | undefined,
  generation: number,
  nowMs: number,
): readonly StandingRefusal[] {
  const refusals = setSnapshot(stream, snapshot, generation);
  updateStatus(stream, nowMs);
  return refusals;
}

/** The next response to send, which counts as sent; undefined where there is none now. */
export function next(stream: StreamState, nowMs: number): Response | undefined {
  if (!isAnythingDue(stream)) {
    return undefined;
  }
  const response = nextResponse(stream, nowMs);
  updateStatus(stream, nowMs);
  return response;
}
