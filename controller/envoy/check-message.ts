/**
 * Turns one of our plain messages into the form that protobufjs encodes, and refuses what protobufjs
 * would drop or bend in silence: an unknown field or enum value, a text where a number belongs, two
 * members of one oneof. Each is a mistake of ours, so it throws. Map entries come out sorted by key and
 * `Any` as its bytes, so that equal messages give equal bytes.
 */
import protobuf from 'protobufjs';
import { assert } from '../base/assert.js';
import { findProtoType } from './protos.js';

type Fields = Readonly<Record<string, unknown>>;

/** What protobufjs works out anew each time it is asked. */
interface TypeFacts {
  readonly isAny: boolean;
  /** Names of fields of which only one may be set. */
  readonly oneofs: readonly (readonly string[])[];
}

const factsByType = new WeakMap<protobuf.Type, TypeFacts>();

/** `message` as `type` wants it; `path` names the place in errors. Undefined members are left out. */
export function checkedMessage(type: protobuf.Type, message: unknown, path: string): Fields {
  if (!isObject(message)) {
    return refuse(path, message, `a ${type.name} message`);
  }
  const { isAny, oneofs } = factsOf(type);
  if (isAny && '@type' in message) {
    return checkedAny(message, path);
  }
  const checked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(message)) {
    if (value !== undefined) {
      const field = Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
      assert(field !== undefined, `${path}.${name} is no field of ${type.name}`);
      checked[name] = checkedField(field.resolve(), value, `${path}.${name}`);
    }
  }
  for (const names of oneofs) {
    const members = names.filter((name) => name in checked);
    assert(members.length <= 1, `${path} sets ${members.join(' and ')}, of which one can be set`);
  }
  return checked;
}

function factsOf(type: protobuf.Type): TypeFacts {
  const known = factsByType.get(type);
  if (known !== undefined) {
    return known;
  }
  const facts = {
    isAny: type.fullName === '.google.protobuf.Any',
    oneofs: type.oneofsArray.map(({ fieldsArray }) => fieldsArray.map(({ name }) => name)),
  };
  factsByType.set(type, facts);
  return facts;
}

/** `{ '@type': 'type.googleapis.com/NAME', …fields of NAME }` as type URL and bytes. */
function checkedAny(message: Fields, path: string): Fields {
  const { '@type': typeUrl, ...fields } = message;
  if (typeof typeUrl !== 'string') {
    return refuse(`${path}['@type']`, typeUrl, 'a type URL');
  }
  const name = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
  const type = findProtoType(name);
  assert(type !== undefined, `${path}['@type'] names ${name}, which is not in the descriptor`);
  const checked = checkedMessage(type, fields, path);
  return { type_url: typeUrl, value: type.encode(type.fromObject(checked)).finish() };
}

function checkedField(field: protobuf.Field, value: unknown, path: string): unknown {
  if (field instanceof protobuf.MapField) {
    if (!isObject(value)) {
      return refuse(path, value, 'a map');
    }
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    entries.sort(([left], [right]) => (left < right ? -1 : 1));
    return Object.fromEntries(
      entries.map(([key, member]) => [key, checkedValue(field, member, `${path}.${key}`)]),
    );
  }
  if (field.repeated) {
    return Array.isArray(value)
      ? value.map((member, index) => checkedValue(field, member, `${path}[${index}]`))
      : refuse(path, value, 'a list');
  }
  return checkedValue(field, value, path);
}

function checkedValue(field: protobuf.Field, value: unknown, path: string): unknown {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type) {
    return checkedMessage(resolvedType, value, path);
  }
  if (resolvedType instanceof protobuf.Enum) {
    const isKnown = typeof value === 'string' && Object.hasOwn(resolvedType.values, value);
    return isKnown ? value : refuse(path, value, `a value of ${resolvedType.name}`);
  }
  return isScalar(field.type, value) ? value : refuse(path, value, field.type);
}

function refuse(path: string, value: unknown, expected: string): never {
  const found = value instanceof Uint8Array ? 'bytes' : (JSON.stringify(value) ?? 'undefined');
  throw new Error(`assertion failed: ${path} is ${found}, expected ${expected}`);
}

function isScalar(type: string, value: unknown): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'bytes':
      return value instanceof Uint8Array;
    case 'double':
    case 'float':
      return typeof value === 'number' && Number.isFinite(value);
    default:
      return isIntegerOf(type, value);
  }
}

/** 64-bit fields are held to what a JavaScript number tells apart. */
function isIntegerOf(type: string, value: unknown): boolean {
  if (!Number.isSafeInteger(value)) {
    return false;
  }
  const integer = Number(value);
  const isUnsigned = type.startsWith('u') || type === 'fixed32' || type === 'fixed64';
  if (isUnsigned && integer < 0) {
    return false;
  }
  return type.endsWith('64') || Math.abs(integer) < (isUnsigned ? 2 ** 32 : 2 ** 31);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
