/**
 * Encoded resources as people read them: proto JSON, in which durations are `15s`, wrapped numbers are
 * numbers and structs are plain. Made from the bytes, so that what is shown is what is sent.
 */
import protobuf from 'protobufjs';
import type { google_protobuf_Duration as Duration } from '../generated/envoy-types.js';
import { decodeMessage } from './encode.js';
import { findProtoType } from './protos.js';
import { resourceTypes, type Snapshot } from './snapshot.js';
import { plainStruct } from './values.js';

type Plain = Readonly<Record<string, unknown>>;

/** Every resource by type and name, without the types that have none. */
export function snapshotJson(snapshot: Snapshot): Readonly<Record<string, Plain>> {
  const types = resourceTypes.filter((type) => snapshot[type].byName.size > 0);
  return Object.fromEntries(
    types.map((type) => {
      const resources = [...snapshot[type].byName].map(
        ([name, { any }]) => [name, resourceJson(any)] as const,
      );
      return [type, Object.fromEntries(resources)];
    }),
  );
}

/** One resource, from the bytes of its `google.protobuf.Any`. Throws where they are none. */
export function resourceJson(any: Uint8Array): Plain {
  return anyJson(decodeMessage('google.protobuf.Any', any) as Plain, false);
}

function anyJson(message: Plain, showType: boolean): Plain {
  const { '@type': typeUrl, ...fields } = message;
  const name = String(typeUrl).replace(/^.*\//, '');
  const type = findProtoType(name);
  if (type === undefined) {
    throw new Error(`${name} is not in the descriptor`);
  }
  return { ...(showType && { '@type': name }), ...fieldsJson(type, fields) };
}

function messageJson(type: protobuf.Type, message: Plain): unknown {
  // By short name: protobufjs works out the full one anew each time.
  switch (type.name) {
    case 'Any':
      return anyJson(message, true);
    case 'Duration':
      return durationJson(message);
    case 'Struct':
      return plainStruct(message);
    default:
      return /^(Bool|U?Int(32|64)|Double|Float|String|Bytes)Value$/.test(type.name)
        ? message.value
        : fieldsJson(type, message);
  }
}

function durationJson({ seconds = 0, nanos = 0 }: Duration): string {
  return `${seconds + nanos / 1e9}s`;
}

function fieldsJson(type: protobuf.Type, message: Plain): Plain {
  const entries = type.fieldsArray
    .filter(({ name }) => name in message)
    .map((field) => [field.name, fieldJson(field.resolve(), message[field.name])]);
  return Object.fromEntries(entries);
}

function fieldJson(field: protobuf.Field, value: unknown): unknown {
  const one = (item: unknown) =>
    field.resolvedType instanceof protobuf.Type
      ? messageJson(field.resolvedType, item as Plain)
      : item;
  if (field instanceof protobuf.MapField) {
    return Object.fromEntries(
      Object.entries(value as Plain).map(([key, item]) => [key, one(item)]),
    );
  }
  return Array.isArray(value) ? value.map(one) : one(value);
}
