/**
 * The fields of a resource's JSON Schema, and for each the values at its bounds and just outside of them.
 * Read from the schemas themselves, so that a new field or a moved bound is in the matrix by itself.
 */
import { schemas } from '../../controller/generated/schemas.js';

export type Schema = Readonly<Record<string, unknown>>;

export interface Field {
  /** Keys from the top of the document; `[]` stands for every item of a list. */
  readonly path: readonly string[];
  /** Without references. */
  readonly schema: Schema;
  /** Name of the shared definition that the schema is, as `port`; undefined where it is the field's own. */
  readonly definition?: string;
}

/** Each field of `file` once, with lists and labels themselves, and without objects, which hold fields. */
export function fieldsOf(file: string): readonly Field[] {
  return walk(file, schemas[file] as Schema, []);
}

function walk(file: string, written: Schema, path: readonly string[]): readonly Field[] {
  const { file: home, schema, definition } = resolve(file, written);
  const field: Field = { path, schema, definition };
  if ('const' in schema) {
    return [];
  }
  if (schema.type === 'array') {
    return [field, ...walk(home, schema.items as Schema, [...path, '[]'])];
  }
  if (schema.type === 'object') {
    const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
    const inner = properties.flatMap(([name, each]) => walk(home, each, [...path, name]));
    return schema.propertyNames === undefined ? inner : [field];
  }
  return [field];
}

interface Resolved {
  readonly file: string;
  readonly schema: Schema;
  readonly definition?: string;
}

function resolve(file: string, schema: Schema): Resolved {
  const { $ref, ...siblings } = schema;
  if (typeof $ref !== 'string') {
    return { file, schema };
  }
  const [target = '', pointer = ''] = $ref.split('#');
  const home = target === '' ? file : target;
  const definition = pointer.replace('/$defs/', '');
  const definitions = (schemas[home] as Schema).$defs as Record<string, Schema>;
  const found = resolve(home, definitions[definition] as Schema);
  return { definition, ...found, schema: { ...found.schema, ...siblings } };
}

export interface Values {
  readonly inside: readonly unknown[];
  readonly outside: readonly unknown[];
}

/**
 * Values at the bounds of `field` and just outside. Strings are made from `specimen`, a valid value of it,
 * lists by `another`, which makes a further item that may stand beside the others.
 */
export function valuesOf(
  { schema }: Field,
  specimen: unknown,
  another: (item: unknown, index: number) => unknown,
): Values {
  if ('not' in schema) {
    return { inside: [], outside: ['anything'] };
  }
  if (Array.isArray(schema.enum)) {
    return { inside: schema.enum, outside: [`${schema.enum[0]}X`] };
  }
  switch (schema.type) {
    case 'boolean':
      return { inside: [true, false], outside: ['yes'] };
    case 'integer':
      return integerValues(schema);
    case 'string':
      return stringValues(schema, String(specimen));
    case 'array':
      return listValues(schema, specimen as readonly unknown[], another);
    default:
      return labelValues(schema);
  }
}

function integerValues(schema: Schema): Values {
  const { minimum, maximum } = schema as { readonly minimum: number; readonly maximum: number };
  return { inside: [minimum, maximum], outside: [minimum - 1, maximum + 1, 0.5] };
}

function stringValues(schema: Schema, specimen: string): Values {
  const { minLength = 0, maxLength = 253 } = schema as { minLength?: number; maxLength?: number };
  const long = (length: number) => specimen.padEnd(length, 'a').slice(0, length);
  switch (schema.format) {
    case 'dns-name':
      return {
        inside: ['a', 'a.', labels(maxLength - 1), `${labels(maxLength - 1)}.`],
        outside: ['', '.', labels(maxLength), `${labels(maxLength)}.`, 'a.local..'],
      };
    case 'hostname':
      return {
        inside: ['a', labels(maxLength)],
        outside: ['', labels(maxLength + 1), `${'a'.repeat(64)}.local`, '-a.local', 'a..local'],
      };
    case 'ip':
      return {
        inside: ['0.0.0.0', '255.255.255.255', '::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
        outside: ['256.0.0.1', '10.0.0', 'a.local', '::g'],
      };
    case 're2':
      return {
        inside: ['a', `[${'a-z'.repeat(340)}]`.padEnd(maxLength, 'a')],
        outside: ['', 'a'.repeat(maxLength), 'a'.repeat(maxLength + 1), '(?=a)', '(a)\\1', '['],
      };
    case 'log-format': {
      const inside = [long(1), long(maxLength)];
      return { inside, outside: ['', long(maxLength + 1), '%', '%REQ(a%', '%a%', '100 %'] };
    }
    default: {
      const inside = [long(Math.max(minLength, 1)), long(maxLength)];
      const outside = minLength > 0 ? ['', long(maxLength + 1)] : [long(maxLength + 1)];
      // A pattern may ask for a certain end, as that of a path which is a prefix.
      const closed = `${long(maxLength - 1)}${specimen.at(-1)}`;
      return withPattern(schema, { inside: [...inside, closed], outside }, inside);
    }
  }
}

/** A pattern may leave one length alone; a space is in none of ours. Without one `plain` is inside. */
function withPattern(
  { pattern }: Schema,
  { inside, outside }: Values,
  plain: readonly string[],
): Values {
  if (typeof pattern !== 'string') {
    return { inside: plain, outside };
  }
  const expression = new RegExp(pattern);
  const fitting = inside.filter((text) => expression.test(String(text)));
  return { inside: fitting, outside: [...outside, ' '] };
}

/** A host name of `length` characters whose labels are as long as labels may be. */
function labels(length: number): string {
  const whole = `${'a'.repeat(63)}.`.repeat(5).slice(0, length);
  return whole.endsWith('.') ? `${whole.slice(0, -1)}a` : whole;
}

function listValues(
  schema: Schema,
  specimen: readonly unknown[],
  another: (item: unknown, index: number) => unknown,
): Values {
  const { minItems = 0, maxItems } = schema as { minItems?: number; readonly maxItems: number };
  const list = (length: number) =>
    Array.from({ length }, (_, index) => specimen[index] ?? another(specimen[0], index));
  return {
    inside: [list(minItems), list(maxItems)],
    outside: minItems > 0 ? [[], list(maxItems + 1)] : [list(maxItems + 1)],
  };
}

function labelValues(schema: Schema): Values {
  const count = Number(schema.maxProperties);
  const many = (length: number) =>
    Object.fromEntries(Array.from({ length }, (_, index) => [`label${index}`, 'a']));
  const { maxLength } = schema.additionalProperties as { readonly maxLength: number };
  return {
    inside: [{}, many(count), { ['a'.repeat(128)]: 'a'.repeat(maxLength) }, { a: '' }],
    outside: [many(count + 1), { ['a'.repeat(129)]: 'a' }, { a: 'a'.repeat(maxLength + 1) }],
  };
}
