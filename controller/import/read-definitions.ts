/**
 * A file's documents → the definitions of App Mesh in them, in whichever form each is, and everything
 * else by name, as skipped.
 */
import type { FieldPath } from '../mesh/document.js';
import { isApiJson, type Listed, readApiJson } from './api-json.js';
import { isTemplate, readTemplate } from './cloudformation.js';
import type { Definition } from './definition.js';
import { appMeshGroup, readKubernetes } from './kubernetes.js';
import type { Report } from './report.js';
import { childOf, entryOf, type SourceDocument, type SourceNode, textOf } from './source.js';
import { fillPlaceholders, type Values } from './values.js';

export interface Reading {
  readonly report: Report;
  readonly values: Values;
  readonly definitions: Definition[];
  readonly namespaces: Map<string, ReadonlyMap<string, string>>;
  readonly listed: Listed[];
}

export function readDefinitions(document: SourceDocument, reading: Reading): void {
  readNode(document.root, [], document, reading);
}

function readNode(
  node: SourceNode,
  path: FieldPath,
  document: SourceDocument,
  reading: Reading,
): void {
  const { report, values, definitions } = reading;
  const items = listIn(node);
  if (items !== undefined) {
    skipOthers(node, items.path[0], path, 'what is around a list', report);
    for (const [index, item] of items.list.entries()) {
      readNode(item, [...path, ...items.path, index], document, reading);
    }
    return;
  }
  const body = entryOf(node, 'TemplateBody');
  if (body !== undefined && isTemplate(body.node)) {
    skipOthers(node, 'TemplateBody', path, 'what is around a template', report);
    readNode(body.node, [...path, 'TemplateBody'], document, reading);
    return;
  }
  const version = textOf(childOf(node, 'apiVersion')) ?? '';
  if (version.startsWith(appMeshGroup)) {
    const definition = readKubernetes(node, path, document, { report, values });
    definitions.push(...(definition === undefined ? [] : [definition]));
  } else if (isTemplate(node)) {
    definitions.push(...readTemplate(node, path, { report, values, document }));
  } else if (isApiJson(node)) {
    definitions.push(...readApiJson(node, path, reading));
  } else {
    skip(node, path, reading);
  }
}

/** A list at the root, or the items of a Kubernetes List. */
function listIn(
  node: SourceNode,
): { list: readonly SourceNode[]; path: readonly string[] } | undefined {
  if (node.kind === 'list' && node.items.some((item) => item.node.kind === 'map')) {
    return { list: node.items.map((item) => item.node), path: [] };
  }
  const items = childOf(node, 'items');
  const isList = textOf(childOf(node, 'kind'))?.endsWith('List') === true && items?.kind === 'list';
  return isList ? { list: items.items.map((item) => item.node), path: ['items'] } : undefined;
}

/** Names the fields of `node` but that of `key` as skipped. */
function skipOthers(
  node: SourceNode,
  key: string | undefined,
  path: FieldPath,
  reason: string,
  report: Report,
): void {
  for (const entry of node.kind === 'map' ? node.entries : []) {
    if (entry.key !== key) {
      const { place } = entry.node;
      const from = [...path, entry.key];
      report.add({ outcome: 'skipped', resource: '', place, from, reason });
    }
  }
}

function skip(node: SourceNode, path: FieldPath, reading: Reading): void {
  const kind = textOf(childOf(node, 'kind'));
  const filled = kind === 'Namespace' ? fillPlaceholders(node, reading.values) : node;
  const name = textOf(childOf(filled, 'metadata', 'name'));
  if (kind === 'Namespace' && name !== undefined) {
    reading.namespaces.set(name, labelsIn(filled));
  }
  const reason =
    kind === 'Namespace'
      ? `Namespace ${name}: there are none here; its labels were looked at where selectors ask for them`
      : `${whatIs(node)} is none of App Mesh's`;
  reading.report.add({ outcome: 'skipped', resource: '', place: node.place, from: path, reason });
}

function labelsIn(namespace: SourceNode): ReadonlyMap<string, string> {
  const labels = childOf(namespace, 'metadata', 'labels');
  const entries = labels?.kind === 'map' ? labels.entries : [];
  const name = textOf(childOf(namespace, 'metadata', 'name')) ?? '';
  return new Map([
    ['kubernetes.io/metadata.name', name],
    ...entries.map((entry) => [entry.key, textOf(entry.node) ?? ''] as const),
  ]);
}

function whatIs(node: SourceNode): string {
  const kind = textOf(childOf(node, 'kind'));
  if (kind !== undefined) {
    const name = textOf(childOf(node, 'metadata', 'name'));
    return name === undefined ? kind : `${kind} ${name}`;
  }
  if (childOf(node, 'containerDefinitions') ?? childOf(node, 'taskDefinition')) {
    return 'a task definition of ECS';
  }
  const keys = node.kind === 'map' ? node.entries.map((entry) => entry.key).slice(0, 5) : [];
  return keys.length > 0 ? `a document with ${keys.join(', ')}` : 'a document without fields';
}
