/**
 * One spelling for what proto JSON may spell in several ways (protobuf documentation, "ProtoJSON Format"), so
 * that Envoy's words for a message can be compared with ours: fields in the order of the proto, those at their
 * default left out, 64-bit integers as numbers, durations and floats without padding, types without a host.
 */
import protobuf from 'protobufjs';
import { findProtoType } from './protos.js';

type Plain = Readonly<Record<string, unknown>>;

/** `message` of the type `typeName`. Fields that the type does not have stand at its end as they are. */
export function canonicalJson(typeName: string, message: Plain): Plain {
  const type = findProtoType(typeName);
  return type === undefined ? (sorted(message) as Plain) : fields(type, message);
}

function fields(type: protobuf.Type, message: Plain): Plain {
  const known = type.fieldsArray.flatMap((field) => {
    const value = message[field.name];
    const one = value === undefined || value === null ? undefined : fieldValue(field, value);
    return one === undefined ? [] : [[field.name, one] as const];
  });
  const unknown = Object.entries(message).filter(
    ([name]) => name !== '@type' && type.fields[name] === undefined,
  );
  return Object.fromEntries([
    ...known,
    ...Object.entries(sorted(Object.fromEntries(unknown)) as Plain),
  ]);
}

/** Undefined where it is at its default, which says as much as its absence. */
function fieldValue(field: protobuf.Field, value: unknown): unknown {
  field.resolve();
  if (field instanceof protobuf.MapField) {
    const entries = Object.entries(sorted(value) as Plain);
    return entries.length === 0
      ? undefined
      : Object.fromEntries(entries.map(([key, one]) => [key, single(field, one)]));
  }
  if (Array.isArray(value)) {
    return value.length === 0 ? undefined : value.map((one) => single(field, one));
  }
  const one = single(field, value);
  const isDefault =
    !(field.resolvedType instanceof protobuf.Type) &&
    (one === false || one === 0 || one === '' || one === zeroOf(field.resolvedType));
  return isDefault ? undefined : one;
}

function zeroOf(type: protobuf.ReflectionObject | null): string | undefined {
  return type instanceof protobuf.Enum ? type.valuesById[0] : undefined;
}

function single(field: protobuf.Field, value: unknown): unknown {
  if (field.resolvedType instanceof protobuf.Type) {
    return messageValue(field.resolvedType, value);
  }
  switch (field.type) {
    case 'float':
      return Math.fround(Number(value));
    case 'bytes':
      return bytes(value);
    default:
      return /64$/.test(field.type) ? Number(value) : value;
  }
}

function messageValue(type: protobuf.Type, value: unknown): unknown {
  // `resourceJson` names them the same way.
  switch (type.name) {
    case 'Any': {
      const name = String((value as Plain)['@type']).replace(/^.*\//, '');
      return { '@type': name, ...canonicalJson(name, value as Plain) };
    }
    case 'Duration':
      return `${Number(String(value).replace(/s$/, ''))}s`;
    case 'Struct':
    case 'Value':
    case 'ListValue':
      return sorted(value);
    default:
      if (/^(Bool|U?Int32|Double|Float|String|Bytes)Value$/.test(type.name)) {
        return value;
      }
      return /^U?Int64Value$/.test(type.name) ? Number(value) : fields(type, value as Plain);
  }
}

/** Base64, also of what `JSON.stringify` makes of a Buffer. */
function bytes(value: unknown): unknown {
  const { data } = value as { readonly data?: readonly number[] };
  return Array.isArray(data) ? Buffer.from(data).toString('base64') : value;
}

/** With the members of each object in the order of their names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, sorted(one)]));
}
