/**
 * Plain messages to protobuf bytes and back. Field names are those of the protos; `Any` is written with
 * its type beside its fields (`packed`), as in proto JSON; durations, wrappers and structs are their
 * messages (`values.ts` makes them). The same message always gives the same bytes, on every replica.
 */
import protobuf from 'protobufjs';
import type { AnyMessage, MessageTypes } from '../generated/envoy-types.js';
import { checkedMessage } from './check-message.js';
import { type MessageName, protoType } from './protos.js';

const typeUrlPrefix = 'type.googleapis.com/';

/** The bytes of `message`. Throws where it has a field or value that the type does not have. */
export function encodeMessage<N extends MessageName>(name: N, message: MessageTypes[N]): Buffer {
  const type = protoType(name);
  const checked = checkedMessage(type, message, name);
  return Buffer.from(type.encode(type.fromObject(checked)).finish());
}

/**
 * The message of `bytes`: fields at their default are left out, enums are names, 64-bit integers
 * numbers, and each `Any` of a known type is unpacked. Throws where the bytes are no such message.
 */
export function decodeMessage<N extends MessageName>(name: N, bytes: Uint8Array): MessageTypes[N] {
  const type = protoType(name);
  return type.toObject(type.decode(bytes), {
    json: true,
    enums: String,
    longs: Number,
    bytes: Buffer,
  }) as MessageTypes[N];
}

/** `message` as the value of a field of type `Any`. */
export function packed<N extends MessageName>(name: N, message: MessageTypes[N]): AnyMessage {
  return { ...message, '@type': typeUrlPrefix + name };
}

/** The bytes of a `google.protobuf.Any` that holds a message of type `name`, encoded as `value`. */
export function encodeAny(name: string, value: Uint8Array): Buffer {
  return encodeMessage('google.protobuf.Any', { type_url: typeUrlPrefix + name, value });
}

/** A field of a message whose value is text or an encoded message. */
export type EncodedField = readonly [fieldNumber: number, value: string | Uint8Array];

/**
 * The message that `fields` make up, in their order. Messages are their fields one after another (protobuf
 * documentation, "Encoding"), so what is encoded already need not be taken apart to go into a larger one.
 */
export function joinFields(fields: readonly EncodedField[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const [fieldNumber, value] of fields) {
    writer.uint32(fieldNumber * 8 + lengthDelimited);
    if (typeof value === 'string') {
      writer.string(value);
    } else {
      writer.bytes(value);
    }
  }
  return writer.finish();
}

/** What stands before the value of a field that is a text or a message of `sizeBytes` bytes. */
export function fieldHeader(fieldNumber: number, sizeBytes: number): Uint8Array {
  return protobuf.Writer.create()
    .uint32(fieldNumber * 8 + lengthDelimited)
    .uint32(sizeBytes)
    .finish();
}

/** What stands before the message of a `google.protobuf.Any`, which is of type `name` and not empty. */
export function anyHeader(name: string, sizeBytes: number): Uint8Array {
  const typeUrl = joinFields([[anyTypeUrlField, typeUrlPrefix + name]]);
  return Buffer.concat([typeUrl, fieldHeader(anyValueField, sizeBytes)]);
}

/** Field numbers of `google.protobuf.Any`. */
const anyTypeUrlField = 1;
const anyValueField = 2;

/** The wire type of texts, bytes and messages. */
const lengthDelimited = 2;
