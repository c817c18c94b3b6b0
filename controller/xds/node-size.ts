/** How much of a discovery request is its node, read off the bytes: it is kept as long as the stream lives. */
import type { Variant } from './stream-state.js';
import { FieldReader } from './wire.js';

/** The field of the node in DiscoveryRequest and in DeltaDiscoveryRequest. */
const nodeField: Readonly<Record<Variant, number>> = { sotw: 2, delta: 1 };

/**
 * Bytes of the node in `request`, which has been decoded; 0 where it has none. Of several, which protobuf
 * merges, the sum.
 */
export function nodeBytes(variant: Variant, request: Buffer): number {
  let bytes = 0;
  for (const reader = new FieldReader(request); reader.next(); ) {
    if (reader.isBytes && reader.field === nodeField[variant]) {
      bytes += reader.end - reader.start;
    }
  }
  return bytes;
}
