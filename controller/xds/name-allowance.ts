/**
 * How many names the streams of a connection may ask for. A request is counted as bytes, before it is decoded:
 * names that nobody may ask for cost no strings, and none of what is kept for a name.
 */
import type { ResourceType } from '../envoy/snapshot.js';
import { connectionNamesMax, subscribedNamesMax } from './limits.js';
import type { DecodedRequest } from './requests.js';
import type { StreamState } from './stream-state.js';

/** Names that a stream is subscribed to, of all types together. */
function nameCount({ types }: StreamState): number {
  let count = 0;
  for (const { subscription } of types.values()) {
    count += subscription.names.size;
  }
  return count;
}

/**
 * Why `request`, for `type` on the stream of `state`, asks for too much; undefined where it does not.
 * `onConnection` are the streams of its connection, this one among them.
 */
export function excessiveNames(
  request: DecodedRequest,
  type: ResourceType,
  state: StreamState,
  onConnection: Iterable<{ readonly state: StreamState }>,
): string | undefined {
  if (request.droppedCount > subscribedNamesMax) {
    return `more than ${subscribedNamesMax} names of one type`;
  }
  const own = state.types.get(type)?.subscription.names.size ?? 0;
  // In the state of the world a request has all names, in delta those that come to them.
  const others = state.options.variant === 'sotw' ? 0 : own;
  const most = request.nameCount;
  if (most + others > subscribedNamesMax) {
    return `more than ${subscribedNamesMax} names of one type`;
  }
  let together = most + others - own;
  if (together <= 0) {
    return undefined;
  }
  for (const stream of onConnection) {
    together += nameCount(stream.state);
  }
  return together > connectionNamesMax
    ? `more than ${connectionNamesMax} names on one connection`
    : undefined;
}
