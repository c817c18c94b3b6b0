/**
 * From the validator's errors to problems that a person can act on: where (the key of an unknown
 * field, the value of a wrong one), what stands there, what may, and the nearest right name. The
 * validator's own words are never shown, since they speak of keywords and schema paths.
 */
import { nearestName } from '../base/nearest-name.js';
import type { Problem } from '../base/problem.js';
import type { FieldPath } from '../mesh/document.js';
import { regexFault } from './formats.js';
import type { DecodeProblemCode } from './problems.js';
import { quoteName, quotePath, quoteValue } from './quote.js';
import { describeField, type KnownKind, type SchemaError } from './validate.js';

/** A schema error in words, without its file and resource. */
export interface SchemaProblem {
  readonly code: DecodeProblemCode;
  readonly path: FieldPath;
  /** Whether the problem is the field itself, and so lies at its key. */
  readonly place: 'key' | 'value';
  /** Goes on from the resource's kind and name. */
  readonly text: string;
  readonly details: Pick<Problem, 'found' | 'allowed' | 'suggestion'>;
}

/** `errors` of a document of `kind` without those that only repeat others. */
export function relevantErrors(errors: readonly SchemaError[]): readonly SchemaError[] {
  const mistyped = new Set(
    errors.filter((error) => error.keyword === 'type').map((error) => error.instancePath),
  );
  return errors.filter((error) => {
    const repeatsType = error.keyword !== 'type' && mistyped.has(error.instancePath);
    const isBranch = /\/(oneOf|anyOf)\/\d+\/required$/.test(error.schemaPath);
    const isInsideName = error.propertyName !== undefined && error.keyword !== 'propertyNames';
    return !repeatsType && !isBranch && !isInsideName;
  });
}

export function describeError(kind: KnownKind, root: unknown, error: SchemaError): SchemaProblem {
  const path = fieldPath(root, error.instancePath);
  const name = path.length === 0 ? 'the document' : quotePath(path);
  const schema = error.parentSchema ?? {};
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownField(path, schema, String(error.params.additionalProperty));
    case 'required':
    case 'dependentRequired':
      return missingField(kind, path, schema, String(error.params.missingProperty));
    case 'type':
      return wrongType(path, name, error);
    case 'enum':
    case 'const':
      return wrongWord(path, name, error);
    case 'oneOf':
    case 'anyOf':
    case 'minProperties':
    case 'maxProperties':
      return wrongChoice(path, name, error);
    case 'pattern':
    case 'format':
      return malformed(path, name, error);
    case 'propertyNames':
      return malformedName(path, schema, String(error.params.propertyName));
    case 'not':
      return {
        code: 'HG0312',
        path,
        place: 'key',
        text: `${name} is refused: ${String(schema.description)}`,
        details: {},
      };
    default:
      return outOfRange(path, name, error);
  }
}

/** The parts of a JSON pointer; a part that leads into a list is an index. */
function fieldPath(root: unknown, pointer: string): FieldPath {
  const path: (string | number)[] = [];
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return path;
}

type Schema = Readonly<Record<string, unknown>>;

/** Names of the fields that `schema` has and does not refuse. */
function fieldNames(schema: Schema): readonly string[] {
  const properties = Object.entries(schema.properties ?? {}) as readonly [string, Schema][];
  return properties.filter(([, field]) => field.not === undefined).map(([name]) => name);
}

function unknownField(path: FieldPath, schema: Schema, name: string): SchemaProblem {
  const known = fieldNames(schema);
  const suggestion = nearestName(name, known);
  const allowed = known.length === 0 ? 'no field' : known.join(', ');
  const field = quotePath([...path, name].slice(0, -1));
  const where = field === '' ? 'of a resource' : `of ${field}`;
  const others = known.length === 0 ? 'there is none' : `known there: ${allowed}`;
  const hint = suggestion === undefined ? others : `did you mean ${suggestion}?`;
  return {
    code: 'HG0304',
    path: [...path, name],
    place: 'key',
    text: `${quoteName(name)} is no field ${where}; ${hint}`,
    details: { found: quoteName(name), allowed, suggestion },
  };
}

function missingField(
  kind: KnownKind,
  path: FieldPath,
  schema: Schema,
  name: string,
): SchemaProblem {
  const meaning = describeField(kind, schema, name);
  const explained = meaning === undefined ? '; add it' : ` (${meaning.replace(/\.$/, '')}); add it`;
  return {
    code: 'HG0305',
    path: [...path, name],
    place: 'value',
    text: `${quotePath([...path, name])} is missing${explained}`,
    details: { allowed: meaning },
  };
}

const typeNames: Readonly<Record<string, string>> = {
  object: 'a mapping',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

function wrongType(path: FieldPath, name: string, error: SchemaError): SchemaProblem {
  const type = String(error.params.type);
  const allowed = typeNames[type] ?? type;
  const found = quoteValue(error.data, lastName(path));
  const advice = typeAdvice(type, error.data);
  return {
    code: 'HG0306',
    path,
    place: 'value',
    text: `${name} is ${found}, expected ${allowed}${advice === '' ? '' : `; ${advice}`}`,
    details: { found, allowed },
  };
}

function typeAdvice(type: string, found: unknown): string {
  if (found === null) {
    return 'give it a value or remove it';
  }
  if (type === 'string' && (typeof found === 'number' || typeof found === 'boolean')) {
    return 'put it in quotes';
  }
  if ((type === 'integer' || type === 'number') && typeof found === 'string') {
    return found.trim() !== '' && Number.isFinite(Number(found)) ? 'remove the quotes' : '';
  }
  if (type === 'boolean' && typeof found === 'string') {
    return /^(yes|no|on|off)$/i.test(found) ? 'YAML 1.2 knows only true and false' : '';
  }
  if (type === 'array' && typeof found !== 'object') {
    return 'write it as [value], or as lines that start with a dash';
  }
  return '';
}

function wrongWord(path: FieldPath, name: string, error: SchemaError): SchemaProblem {
  const words = (error.params.allowedValues ?? [error.params.allowedValue]) as string[];
  const found = quoteValue(error.data, lastName(path));
  const allowed = words.join(', ');
  const suggestion = typeof error.data === 'string' ? nearestName(error.data, words) : undefined;
  const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  return {
    code: 'HG0307',
    path,
    place: 'value',
    text: `${name} is ${found}, expected ${words.length > 1 ? 'one of ' : ''}${allowed}${hint}`,
    details: { found, allowed, suggestion },
  };
}

/** Several fields that exclude one another, or of which one is needed. */
function wrongChoice(path: FieldPath, name: string, error: SchemaError): SchemaProblem {
  const schema = error.parentSchema ?? {};
  const branches = schema.oneOf ?? schema.anyOf;
  const choices = Array.isArray(branches)
    ? branches.flatMap((branch: { required: string[] }) => branch.required)
    : fieldNames(schema);
  if (choices.length === 0) {
    // A mapping of free names, as labels are: its number of members is limited.
    return outOfRange(path, name, error);
  }
  const data = (error.data ?? {}) as object;
  const set = choices.filter((choice) => Object.hasOwn(data, choice));
  const found = set.length === 0 ? 'none' : set.join(' and ');
  const amount = error.keyword === 'anyOf' ? 'at least one of' : 'exactly one of';
  const allowed = choices.length === 1 ? String(choices[0]) : `${amount} ${choices.join(', ')}`;
  return {
    code: 'HG0311',
    path,
    place: 'value',
    text: `${name} has ${found}, expected ${allowed}`,
    details: { found, allowed },
  };
}

function malformed(path: FieldPath, name: string, error: SchemaError): SchemaProblem {
  const found = quoteValue(error.data, lastName(path));
  const place = 'value';
  if (error.params.format === 're2') {
    const fault = regexFault(String(error.data)) ?? 'not valid';
    const text = `${name} is ${found}, which is no RE2 expression: ${fault}`;
    return { code: 'HG0310', path, place, text, details: { found, allowed: 'RE2 syntax' } };
  }
  const allowed = formOf(error.parentSchema ?? {});
  const text = `${name} is ${found}, expected ${allowed}`;
  return { code: 'HG0309', path, place, text, details: { found, allowed } };
}

/** First sentence of the description of a text with a form, worded so as to go on in a message. */
function formOf(schema: Schema): string {
  const words = String(schema.description ?? `text that matches ${String(schema.pattern)}`);
  return `${words.slice(0, 1).toLowerCase()}${words.slice(1)}`.replace(/\.( .*)?$/, '');
}

function malformedName(path: FieldPath, schema: Schema, name: string): SchemaProblem {
  const allowed = formOf((schema.propertyNames ?? {}) as Schema);
  const found = quoteName(name);
  return {
    code: 'HG0309',
    path: [...path, name],
    place: 'key',
    text: `${quotePath(path)} has a member ${found}, expected ${allowed}`,
    details: { found, allowed },
  };
}

/** What each keyword counts, in the singular form that its number is written with. */
const counted: Readonly<Record<string, string>> = {
  Length: 'characters',
  Items: 'elements',
  Properties: 'members',
};

function outOfRange(path: FieldPath, name: string, error: SchemaError): SchemaProblem {
  const schema = error.parentSchema ?? {};
  if (error.keyword === 'uniqueItems') {
    const { i: later, j: first } = error.params as { i: number; j: number };
    const text = `${name} has the same element twice, at [${first}] and [${later}]; remove one`;
    return { code: 'HG0308', path: [...path, later], place: 'value', text, details: {} };
  }
  const unit = /(Length|Items|Properties)$/.exec(error.keyword)?.[0] ?? '';
  const allowed = renderRange(schema, unit);
  const found = unit === '' ? quoteValue(error.data, lastName(path)) : countOf(error.data, unit);
  const verb = unit === '' ? 'is' : 'has';
  const text = `${name} ${verb} ${found}, expected ${allowed}`;
  return { code: 'HG0308', path, place: 'value', text, details: { found, allowed } };
}

function countOf(value: unknown, unit: string): string {
  const count =
    typeof value === 'string' || Array.isArray(value)
      ? value.length
      : Object.keys((value ?? {}) as object).length;
  return `${count} ${counted[unit]}`;
}

/** `0 to 100`, `at least 1`, `above 0 and at most 100`. */
function renderRange(schema: Schema, unit: string): string {
  const from = schema[unit === '' ? 'minimum' : `min${unit}`];
  const to = schema[unit === '' ? 'maximum' : `max${unit}`];
  const above = unit === '' ? schema.exclusiveMinimum : undefined;
  if (above !== undefined) {
    return `above ${above} and at most ${to}`;
  }
  if (from !== undefined && to !== undefined) {
    return `${from} to ${to}`;
  }
  return from === undefined ? `at most ${to}` : `at least ${from}`;
}

/** The innermost name of `path`: list indices say nothing about what a value holds. */
function lastName(path: FieldPath): string {
  return String(path.findLast((part) => typeof part === 'string') ?? '');
}
