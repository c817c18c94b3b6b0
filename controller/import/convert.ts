/**
 * A definition's fields → ours. Our schemas lead: a field is carried because they have it, in whatever
 * case CloudFormation writes it, and dropped with the reason that they give where they refuse it. What
 * App Mesh wrote in another way (references, certificates of AWS, Cloud Map's attributes) has a rule of
 * its own. Every value leaves an entry in the report.
 */
import { nearestName } from '../base/nearest-name.js';
import {
  fieldNames,
  fieldOfSchema,
  itemsOf,
  type Schema,
  typeOf,
  wordsOf,
} from '../decode/schema-walk.js';
import { type Conversion, drop, resolution, type Spot } from './conversion.js';
import { noteFor } from './notes.js';
import type { OutEntry, OutItem, OutNode } from './output.js';
import { findReference, type Reference } from './references.js';
import { ruleFor } from './rules.js';
import { leavesOf, type SourceEntry, type SourceNode, type SourceScalar } from './source.js';

/** `node` as the field that `schema` describes; undefined where nothing of it is left. */
export function convert(
  node: SourceNode,
  schema: Schema,
  spot: Spot,
  conversion: Conversion,
): OutNode | undefined {
  const type = typeOf(schema);
  if (node.kind === 'scalar' && node.value === null) {
    drop(node, spot, conversion, 'nothing stands there');
    return undefined;
  }
  if (type === 'object' && node.kind === 'map') {
    return convertMap(node.entries, node, schema, spot, conversion);
  }
  if (type === 'array' && node.kind === 'list') {
    return convertList(node, schema, spot, conversion);
  }
  if (type !== 'object' && type !== 'array' && node.kind === 'scalar') {
    return convertScalar(node, schema, spot, conversion);
  }
  const found = { scalar: 'a single value', list: 'a list', map: 'a mapping' }[node.kind];
  const expected = { object: 'a mapping', array: 'a list' }[type] ?? 'a single value';
  drop(node, spot, conversion, `it is ${found}, expected ${expected}`, true);
  return undefined;
}

function convertMap(
  entries: readonly SourceEntry[],
  node: SourceNode,
  schema: Schema,
  spot: Spot,
  conversion: Conversion,
): OutNode {
  const { report, subject } = conversion;
  if (entries.length === 0) {
    report.addLeaves(node, spot.from, { outcome: 'carried', resource: subject, to: spot.to });
  }
  const names = new Set<string>();
  const converted = entries.flatMap((entry): OutEntry[] => {
    const at = { from: [...spot.from, entry.key], to: spot.to };
    const name = findReference(schema, entry.key)?.field ?? nameOf(schema, entry.key);
    if (names.has(name)) {
      drop(entry.node, at, conversion, `${name} stands there in another spelling already`, true);
      return [];
    }
    names.add(name);
    const made = convertEntry(entry, schema, at, conversion);
    return made === undefined ? [] : [{ before: entry.before, ...made }];
  });
  return { kind: 'map', entries: converted, after: node.after };
}

function nameOf(schema: Schema, key: string): string {
  return fieldOfSchema(schema, key)?.name ?? key;
}

/** `spot.to` is that of the mapping. */
function convertEntry(
  entry: SourceEntry,
  schema: Schema,
  spot: Spot,
  conversion: Conversion,
): OutEntry | undefined {
  const reference = findReference(schema, entry.key);
  if (reference !== undefined) {
    return convertReference(entry.node, reference, spot, conversion);
  }
  const field = fieldOfSchema(schema, entry.key) ?? renamedField(schema, entry.key, spot);
  if (field === undefined) {
    const nearest = nearestName(entry.key, fieldNames(schema));
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    const reason = `App Mesh has no field ${entry.key} there, and ignored it in silence${hint}`;
    drop(entry.node, spot, conversion, reason, true);
    return undefined;
  }
  const to = [...spot.to, field.name];
  const rule = ruleFor(to);
  const ruled = rule?.(entry.node, { from: spot.from, to }, conversion);
  if (ruled !== undefined) {
    return ruled === 'gone' ? undefined : ruled;
  }
  if (field.refusal !== undefined) {
    drop(entry.node, spot, conversion, field.refusal, true);
    return undefined;
  }
  const node = convert(entry.node, field.schema, { from: spot.from, to }, conversion);
  return node === undefined ? undefined : { key: field.name, node };
}

/** The one field that App Mesh's API calls otherwise than its Kubernetes resources. */
function renamedField(schema: Schema, key: string, spot: Spot) {
  const isOfMesh = spot.to.length === 1 && /^serviceDiscovery$/i.test(key);
  return isOfMesh ? fieldOfSchema(schema, 'meshServiceDiscovery') : undefined;
}

function convertList(
  node: SourceNode & { readonly kind: 'list' },
  schema: Schema,
  spot: Spot,
  conversion: Conversion,
): OutNode {
  const { report, subject } = conversion;
  if (node.items.length === 0) {
    report.addLeaves(node, spot.from, { outcome: 'carried', resource: subject, to: spot.to });
  }
  const element = itemsOf(schema) as Schema;
  const items: OutItem[] = [];
  for (const [index, item] of node.items.entries()) {
    const at = { from: [...spot.from, index], to: [...spot.to, items.length] };
    const converted = convert(item.node, element, at, conversion);
    items.push(...(converted === undefined ? [] : [{ node: converted, before: item.before }]));
  }
  return { kind: 'list', items, after: node.after };
}

function convertReference(
  node: SourceNode,
  reference: Reference,
  spot: Spot,
  conversion: Conversion,
): OutEntry | undefined {
  const { names, definition, report, subject } = conversion;
  const found = names.resolve(node, reference.kind, definition);
  const to = [...spot.to, reference.field, 'name'];
  if (found === undefined) {
    drop(node, spot, conversion, `it names no ${reference.kind}`, true);
    return undefined;
  }
  for (const leaf of leavesOf(node)) {
    const from = [...spot.from, ...leaf.path];
    const value = leaf.node.kind === 'scalar' ? leaf.node.value : undefined;
    const isSame = value === found.name;
    const text = resolution(leaf.node);
    report.add({
      outcome: isSame && !text.isMissing ? 'carried' : 'changed',
      resource: subject,
      place: leaf.node.place,
      from,
      to,
      value,
      reason: [isSame ? '' : found.reason, text.reason].filter((part) => part !== '').join('; '),
    });
  }
  const name: OutNode = { kind: 'scalar', value: found.name, after: node.after };
  return { key: reference.field, node: { kind: 'map', entries: [{ key: 'name', node: name }] } };
}

function convertScalar(
  node: SourceScalar,
  schema: Schema,
  spot: Spot,
  conversion: Conversion,
): OutNode | undefined {
  const { report, subject, definition } = conversion;
  const value = valueFor(node, schema);
  const text = resolution(node);
  if (text.isMissing && typeof value === 'string' && typeOf(schema) !== 'string') {
    drop(node, spot, conversion, text.reason, true);
    return undefined;
  }
  const note = noteFor(definition.kind, spot.to, value);
  const isRetyped = value !== node.value && !isSpelling(node, value);
  const retyped = isRetyped ? `written as ${JSON.stringify(value)}` : '';
  report.add({
    outcome: text.isMissing || note !== undefined || isRetyped ? 'changed' : 'carried',
    resource: subject,
    place: node.place,
    from: spot.from,
    to: spot.to,
    value,
    reason: [text.reason, retyped, note?.reason ?? ''].filter((part) => part !== '').join('; '),
    isLoss: note?.isLoss === true,
  });
  return { kind: 'scalar', value, after: node.after };
}

/** CloudFormation is free to quote numbers and to write True, and a template's value is always a text. */
function isSpelling(node: SourceScalar, value: unknown): boolean {
  const text = typeof value === 'boolean' ? node.text.toLowerCase() : node.text;
  return String(value) === text;
}

function valueFor(node: SourceScalar, schema: Schema): string | number | boolean | null {
  const { text } = node;
  switch (typeOf(schema)) {
    case 'integer':
      return /^[-+]?[0-9]{1,15}$/.test(text) ? Number(text) : node.value;
    case 'boolean':
      if (/^(?:true|yes|on)$/i.test(text)) {
        return true;
      }
      return /^(?:false|no|off)$/i.test(text) ? false : node.value;
    case 'string': {
      const words = wordsOf(schema);
      return words.includes(text)
        ? text
        : (words.find((word) => word.toLowerCase() === text.toLowerCase()) ?? text);
    }
    default:
      return node.value;
  }
}
