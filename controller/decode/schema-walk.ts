/**
 * The JSON Schemas of our own kinds, walked: the importer carries a field because they have it, and
 * `headgate explain` shows what they say of it.
 */
import { present } from '../base/assert.js';
import { schemas } from '../generated/schemas.js';

type Json = Readonly<Record<string, unknown>>;

/** A part of a schema, with the file that its references are relative to. */
export interface Schema {
  readonly file: string;
  readonly node: Json;
}

export interface SchemaField {
  /** As our schemas spell it. */
  readonly name: string;
  readonly schema: Schema;
  readonly description: string;
  readonly isRequired: boolean;
  /** Why Headgate does not take it; undefined: it does. */
  readonly refusal?: string;
}

/** Of the whole document that `file` describes. */
export function schemaOf(file: string): Schema {
  return { file, node: present(schemas[file], `schema ${file}`) as Json };
}

/** The field of `schema` that `key` spells, whatever the case of its letters. */
export function fieldOfSchema(schema: Schema, key: string): SchemaField | undefined {
  const properties = (schema.node.properties ?? {}) as Json;
  const names = Object.keys(properties);
  const name =
    names.find((known) => known === key) ??
    names.find((known) => known.toLowerCase() === key.toLowerCase());
  if (name === undefined) {
    return undefined;
  }
  const written = properties[name] as Json;
  const refusal =
    written.not === undefined ? undefined : String(written.description ?? 'not taken');
  const followed = follow({ file: schema.file, node: written });
  const required = (schema.node.required ?? []) as readonly string[];
  return {
    name,
    schema: followed,
    description: String(written.description ?? followed.node.description ?? ''),
    isRequired: required.includes(name),
    refusal,
  };
}

export function fieldNames(schema: Schema): readonly string[] {
  return Object.keys((schema.node.properties ?? {}) as Json);
}

/** Of a list's elements; undefined where `schema` is no list. */
export function itemsOf(schema: Schema): Schema | undefined {
  const { items } = schema.node;
  return items === undefined ? undefined : follow({ file: schema.file, node: items as Json });
}

/** `object`, `array`, `string`, `integer` or `boolean`. */
export function typeOf(schema: Schema): string {
  return String(schema.node.type ?? '');
}

/** The words that a text is one of. */
export function wordsOf(schema: Schema): readonly string[] {
  return (schema.node.enum ?? []) as readonly string[];
}

function follow(schema: Schema): Schema {
  const { $ref } = schema.node;
  if (typeof $ref !== 'string') {
    return schema;
  }
  const [file, pointer] = $ref.split('#') as [string, string];
  const target = schemaOf(file === '' ? schema.file : file);
  const node = pointer
    .split('/')
    .slice(1)
    .reduce((part, key) => present(part[key], `part ${$ref}`) as Json, target.node);
  return follow({ file: target.file, node });
}
