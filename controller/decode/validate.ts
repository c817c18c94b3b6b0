/**
 * The schemas as one validator a kind, compiled at its first use. Only own properties count (a
 * field named `constructor` is as unknown as any other), `$data` stays off since it lets a document
 * choose the expression that it is matched by, and every error is collected.
 */
import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { present } from '../base/assert.js';
import { schemas } from '../generated/schemas.js';
import type { ResourceKind } from '../mesh/model.js';
import { formats } from './formats.js';

const schemaFiles = {
  Mesh: 'mesh.schema.json',
  VirtualNode: 'virtual-node.schema.json',
  VirtualService: 'virtual-service.schema.json',
  VirtualRouter: 'virtual-router.schema.json',
  VirtualGateway: 'virtual-gateway.schema.json',
  GatewayRoute: 'gateway-route.schema.json',
  RolloutPolicy: 'rollout-policy.schema.json',
} as const satisfies Partial<Record<ResourceKind, string>>;

/** The kinds that have a schema. */
export type KnownKind = keyof typeof schemaFiles;

export const knownKinds = Object.keys(schemaFiles) as readonly KnownKind[];

export function isKnownKind(kind: unknown): kind is KnownKind {
  return typeof kind === 'string' && Object.hasOwn(schemaFiles, kind);
}

/** The schema's file below `schemas/`. */
export function schemaFileOf(kind: KnownKind): string {
  return schemaFiles[kind];
}

/** An error of ajv with the schema and the value that it is about. */
export type SchemaError = ErrorObject;

const ajv = new Ajv2020({
  strict: true,
  // Alternatives say which of the fields around them are required.
  strictRequired: false,
  allErrors: true,
  ownProperties: true,
  // A gate compares with a text, a number or a truth value.
  allowUnionTypes: true,
  verbose: true,
  messages: false,
  formats,
  // Ours are good by the schema of schemas, as `schemas.test.ts` says: that alone takes a tenth of a second.
  validateSchema: false,
  // Half as long to compile, and a document takes microseconds more: each process compiles, few have thousands.
  code: { optimize: false },
});
for (const [file, schema] of Object.entries(schemas)) {
  ajv.addSchema(schema, file);
}

/** What is wrong with `value` as a document of `kind`, in no order; empty: nothing. */
export function validateDocument(kind: KnownKind, value: unknown): readonly SchemaError[] {
  const validate = present<ValidateFunction>(ajv.getSchema(schemaFiles[kind]), `schema of ${kind}`);
  return validate(value) ? [] : (validate.errors ?? []);
}

/** What the schema says about the field `name` of `parent`, a part of the schema of `kind`. */
export function describeField(kind: KnownKind, parent: unknown, name: string): string | undefined {
  const property = member(member(parent, 'properties'), name);
  const part = /#\/\$defs\/(.*)$/.exec(String(member(property, '$ref')))?.[1] ?? '';
  // No two parts of these files have the same name.
  const files = [schemaFiles[kind], 'gate.schema.json', 'common.schema.json'];
  const [description] = [property, ...files.map((file) => partOf(file, part))]
    .map((schema) => member(schema, 'description'))
    .filter((text) => typeof text === 'string');
  return description;
}

function partOf(file: string, name: string): unknown {
  return member(member(schemas[file], '$defs'), name);
}

function member(value: unknown, key: string): unknown {
  return value !== null && typeof value === 'object' && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
