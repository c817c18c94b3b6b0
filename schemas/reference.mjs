/**
 * Makes `docs/reference/KIND.md` from the JSON Schemas beside this file: every field with its type, range
 * and default, and from `reference-notes.json` what it was in App Mesh and what becomes of it in Envoy. A
 * note is found by the end of a field's path, the longest one that fits, and counts for the fields below it
 * too. With `--check` nothing is written, and pages that are not current are an error. A field without a
 * note and a note without a field are errors always.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const schemaFolder = dirname(fileURLToPath(import.meta.url));
const outputFolder = join(schemaFolder, '..', 'docs', 'reference');
const isCheck = process.argv.includes('--check');

const readJson = (file) => JSON.parse(readFileSync(join(schemaFolder, file), 'utf8'));
const files = readdirSync(schemaFolder)
  .filter((file) => file.endsWith('.schema.json'))
  .sort();
const schemas = Object.fromEntries(files.map((file) => [file, readJson(file)]));
const notes = readJson('reference-notes.json');
const usedNotes = new Set();
const faults = [];

mkdirSync(outputFolder, { recursive: true });
for (const file of files.filter((each) => schemas[each].properties !== undefined)) {
  write(file.replace('.schema.json', '.md'), renderPage(file, schemas[file]));
}
for (const key of Object.keys(notes)) {
  if (!usedNotes.has(key)) {
    faults.push(`schemas/reference-notes.json: no field ends with ${key}`);
  }
}
for (const fault of faults) {
  console.error(fault);
}
process.exitCode = faults.length > 0 ? 1 : 0;

function write(name, text) {
  const path = join(outputFolder, name);
  if (!isCheck) {
    writeFileSync(path, text);
  } else if (readPage(path) !== text) {
    faults.push(`docs/reference/${name} is not current: npm run docs`);
  }
}

function readPage(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function renderPage(file, schema) {
  const { title: kind, description } = schema;
  const fields = fieldsOf(file, schema, []).filter(({ path }) => path.length > 1);
  const rows = fields
    .filter(({ schema: field }) => !('not' in field))
    .map((field) => `| ${cellsOf(kind, field).map(escapeCell).join(' | ')} |`);
  const refused = fields
    .filter(({ schema: field }) => 'not' in field)
    .map(({ path, schema: field }) => `- \`${pathText(path)}\`: ${field.description}.`);
  return [
    `<!-- Made by schemas/reference.mjs from schemas/${file}. Never edit it. -->`,
    `# ${kind}`,
    '',
    description,
    '',
    '**Bold** fields are required where what they stand in is given. A duration is written',
    '`{ unit: s, value: 15 }` (or `ms`). "Same" means the field of the same name in App Mesh.',
    '',
    '| Field | Meaning | Type and range | Default | App Mesh | Envoy |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    ...(refused.length > 0 ? ['', '## Refused', '', ...refused] : []),
    '',
  ].join('\n');
}

/** Leaves, lists and mappings that may hold any name. `path` has `[]` after the name of a list. */
function fieldsOf(file, written, path, isRequired = false) {
  const { home, schema, definition } = resolve(file, written);
  if ('const' in schema) {
    return [];
  }
  const field = { path, schema, home, isRequired };
  if (/duration$/i.test(definition) && schema.type === 'object') {
    return [{ ...field, isDuration: true }];
  }
  if (schema.type === 'array') {
    const items = resolve(home, schema.items);
    const inPath = [...path.slice(0, -1), `${path.at(-1)}[]`];
    const inner = items.schema.type === 'object' ? fieldsOf(home, schema.items, inPath) : [];
    return [field, ...inner];
  }
  if (schema.type !== 'object' || schema.propertyNames !== undefined) {
    return [field];
  }
  const entries = Object.entries(schema.properties);
  if (entries.length === 0) {
    return [field];
  }
  return entries.flatMap(([name, each]) =>
    fieldsOf(home, each, [...path, name], schema.required?.includes(name) ?? false),
  );
}

function resolve(file, { $ref, ...siblings }, definition = '') {
  if ($ref === undefined) {
    return { home: file, schema: siblings, definition };
  }
  const [target, pointer] = $ref.split('#');
  const home = target || file;
  const name = pointer.replace('/$defs/', '');
  const found = resolve(home, schemas[home].$defs[name], name);
  return { ...found, schema: { ...found.schema, ...siblings } };
}

function cellsOf(kind, field) {
  const { path, schema, isRequired } = field;
  const name = `\`${pathText(path)}\``;
  const [meaning, fallback] = splitDefault(schema.description ?? '');
  const { appMesh = 'same', envoy = '' } = noteOf(kind, path);
  return [isRequired ? `**${name}**` : name, meaning, typeOf(field), fallback, appMesh, envoy];
}

function pathText(path) {
  return path.join('.');
}

/** Descriptions say a default in a sentence of its own, which begins with the word. */
function splitDefault(description) {
  const [, before, fallback, after] =
    /^(.*?)\s*Default: (.*?[^.])\.(?=\s|$)(.*)$/.exec(description) ?? [];
  return fallback === undefined ? [description, ''] : [`${before}${after}`, fallback];
}

function typeOf({ schema, home, isDuration }) {
  if (isDuration) {
    const { minimum, maximum } = schema.properties.value;
    return `duration, ${minimum} to ${maximum}`;
  }
  if (schema.enum !== undefined) {
    return schema.enum.map((word) => `\`${word}\``).join(', ');
  }
  switch (schema.type) {
    case 'integer':
    case 'number':
      return `${schema.type} ${rangeText(schema.minimum ?? schema.exclusiveMinimum, schema.maximum)}`.trim();
    case 'string': {
      const form = schema.format === undefined ? '' : ` (${schema.format})`;
      const range = rangeText(schema.minLength ?? 0, schema.maxLength);
      return `text${form}${schema.maxLength === undefined ? '' : `, ${range} characters`}`;
    }
    case 'array': {
      const items = resolve(home, schema.items);
      const of = items.schema.type === 'object' ? '' : ` of ${typeOf({ ...items })}`;
      return `list of ${rangeText(schema.minItems ?? 0, schema.maxItems)}${of}`;
    }
    case 'object':
      return schema.maxProperties === undefined ? 'empty' : `up to ${schema.maxProperties} texts`;
    default:
      return [schema.type].flat().join(' or ').replace('string', 'text');
  }
}

function rangeText(from, to) {
  if (from === undefined && to === undefined) {
    return '';
  }
  return from === to ? `${from}` : `${from} to ${to}`;
}

function noteOf(kind, path) {
  const names = path.map((name) => name.replace('[]', ''));
  for (let end = names.length; end > 0; end -= 1) {
    const fitting = Object.keys(notes).filter((key) => fits(key, kind, names.slice(0, end)));
    const [best] = fitting.sort((left, right) => right.length - left.length);
    if (best !== undefined) {
      usedNotes.add(best);
      return notes[best];
    }
  }
  faults.push(`schemas/reference-notes.json: nothing about ${kind}'s ${pathText(path)}`);
  return {};
}

/** `Kind: a.b` is for one kind; `a.b` fits a path with an a that somewhere above holds the last name b. */
function fits(key, kind, names) {
  const [only, text = only] = key.includes(': ') ? key.split(': ') : [kind, key];
  const wanted = text.split('.');
  if (only !== kind || names.at(-1) !== wanted.at(-1)) {
    return false;
  }
  let position = -1;
  return wanted.every((name) => {
    position = names.indexOf(name, position + 1);
    return position !== -1;
  });
}

function escapeCell(text) {
  return text.replaceAll('|', '\\|');
}
