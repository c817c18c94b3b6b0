/** The messages that the server reads and writes itself; descriptor and codec are those of `envoy/`. */
import protobuf from 'protobufjs';

export { decodeMessage, encodeMessage } from '../envoy/encode.js';
export { plainStruct } from '../envoy/values.js';

/** The value inside the encoded `google.protobuf.Any` that `bytes` are. */
export function anyValue(bytes: Uint8Array): Uint8Array {
  const valueField = 2;
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === valueField) {
      return reader.bytes();
    }
    reader.skipType(tag & 7);
  }
  return new Uint8Array();
}
