/** A stream beside which there is no other, so that nothing is shared with one. */
import { resourceTypes } from '../../controller/envoy/snapshot.js';
import { createStream } from '../../controller/xds/stream.js';
import type { StreamState, Variant } from '../../controller/xds/stream-state.js';

/** Of all types, and opened at `nowMs`. */
export function loneStream(variant: Variant, nowMs: number): StreamState {
  return createStream(
    {
      variant,
      types: resourceTypes,
      noncePrefix: '',
      ackTimeoutMs: 3_000,
      findSet: () => undefined,
      findLatest: () => undefined,
      keepSet: () => {},
    },
    nowMs,
  );
}
