/** How much of a discovery request is its node, read off the bytes: it is kept as long as the stream lives. */
import type { Variant } from './stream-state.js';

/** The field of the node in DiscoveryRequest and in DeltaDiscoveryRequest. */
const nodeField: Readonly<Record<Variant, number>> = { sotw: 2, delta: 1 };

const lengthDelimited = 2;

/**
 * Bytes of the node in `request`, which has been decoded; 0 where it has none. Of several, which protobuf
 * merges, the sum.
 */
export function nodeBytes(variant: Variant, request: Buffer): number {
  let bytes = 0;
  for (let at = 0; at < request.length; ) {
    const tag = varint(request, at);
    const wireType = tag.value % 8;
    const next = varint(request, tag.end);
    if (wireType === lengthDelimited) {
      bytes += Math.floor(tag.value / 8) === nodeField[variant] ? next.value : 0;
      at = next.end + next.value;
    } else {
      // Requests have no groups; a number of fixed width has four or eight bytes.
      at = wireType === 0 ? next.end : tag.end + (wireType === 5 ? 4 : 8);
    }
  }
  return bytes;
}

function varint(bytes: Buffer, from: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let at = from, scale = 1; at < bytes.length; at += 1, scale *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte % 128) * scale;
    if (byte < 128) {
      return { value, end: at + 1 };
    }
  }
  return { value, end: bytes.length };
}
