/**
 * From YAML text to positioned trees. The parser is js-yaml's event stream: it never goes deeper
 * than its limit and its events carry offsets, so no second parser is needed for positions (`yaml`,
 * which has them too, aborts Node 20 on 900 nested brackets). The tree is built here within the
 * limits that bound every later walk over it. YAML 1.2 core schema, without merge keys.
 */
import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE } from 'js-yaml';
import { assert } from '../base/assert.js';
import type { LineIndex } from './line-index.js';
import { parserFault, tooDeep, type YamlFault, yamlLimits } from './yaml-fault.js';
import { scalarValue, unknownTag } from './yaml-scalar.js';
import type { YamlEntry, YamlMapping, YamlNode, YamlScalar, YamlSequence } from './yaml-tree.js';

/** One document of a file; with faults its tree is not to be used. */
export interface YamlDocument {
  readonly root: YamlNode;
  readonly faults: readonly YamlFault[];
}

/** The documents of `text`, or the one fault that kept the parser from reading any of them. */
export function parseYaml(
  text: string,
  positionOf: LineIndex,
): readonly YamlDocument[] | YamlFault {
  let events: readonly Event[];
  try {
    events = parseEvents(text, { maxDepth: yamlLimits.depthMax });
  } catch (error) {
    return parserFault(error);
  }
  const documents: YamlDocument[] = [];
  const reader: Reader = { text, positionOf, events, next: 0 };
  while (reader.next < events.length) {
    documents.push(buildDocument(reader));
  }
  return documents;
}

interface Reader {
  readonly text: string;
  readonly positionOf: LineIndex;
  readonly events: readonly Event[];
  /** Index of the event to read next. */
  next: number;
}

interface Build {
  readonly reader: Reader;
  readonly anchors: Map<string, YamlNode>;
  /** Anchors of collections that are still being read. */
  readonly openAnchors: Set<string>;
  readonly faults: YamlFault[];
  aliasCount: number;
}

/** Reads from a document's event to behind the one that closes it. */
function buildDocument(reader: Reader): YamlDocument {
  const build: Build = {
    reader,
    anchors: new Map(),
    openAnchors: new Set(),
    faults: [],
    aliasCount: 0,
  };
  reader.next += 1;
  const root = buildNode(build, 0, 1);
  reader.next += 1;
  if (root.size > yamlLimits.nodesMax) {
    const message =
      `the document has ${root.size} values with its aliases written out, at most ` +
      `${yamlLimits.nodesMax} are allowed; split it`;
    addFault(build, 'HG0206', root.start, message);
  }
  return { root, faults: build.faults };
}

type ScalarEvent = Extract<Event, { type: typeof EVENT_ID.SCALAR }>;
type CollectionEvent = Extract<Event, { start: number }>;
type AliasEvent = Extract<Event, { type: typeof EVENT_ID.ALIAS }>;

/** The node at the next event. `parentStart` is the place of what is empty and so has none. */
function buildNode(build: Build, parentStart: number, depth: number): YamlNode {
  const event = build.reader.events[build.reader.next];
  build.reader.next += 1;
  switch (event?.type) {
    case EVENT_ID.SCALAR:
      return buildScalar(build, event, parentStart);
    case EVENT_ID.SEQUENCE:
      return buildCollection(build, event, 'seq', () => buildSequence(build, event.start, depth));
    case EVENT_ID.MAPPING:
      return buildCollection(build, event, 'map', () => buildMapping(build, event.start, depth));
    case EVENT_ID.ALIAS:
      return resolveAlias(build, event, depth);
    default:
      throw new Error('assertion failed: a value was expected among the YAML events');
  }
}

function buildScalar(build: Build, event: ScalarEvent, parentStart: number): YamlScalar {
  const { text } = build.reader;
  const start = scalarStart(event) ?? parentStart;
  const result = scalarValue({
    text: getScalarValue(text, event),
    isPlain: event.style === SCALAR_STYLE.PLAIN,
    tag: event.tagStart === -1 ? undefined : text.slice(event.tagStart, event.tagEnd),
  });
  if (result.kind === 'fault') {
    addFault(build, result.code, start, result.message);
  }
  const node = scalar(start, result.kind === 'value' ? result.value : null);
  setAnchor(build, event, node);
  return node;
}

/** Events point behind the opening quote; undefined for an empty value. */
function scalarStart(event: ScalarEvent): number | undefined {
  if (event.valueStart === -1) {
    return undefined;
  }
  const isQuoted =
    event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
  return isQuoted ? event.valueStart - 1 : event.valueStart;
}

function scalar(start: number, value: YamlScalar['value']): YamlScalar {
  return { kind: 'scalar', start, size: 1, height: 1, value };
}

function buildCollection<Node extends YamlNode>(
  build: Build,
  event: CollectionEvent,
  tagName: 'seq' | 'map',
  buildContent: () => Node,
): Node {
  const { text } = build.reader;
  const tag = event.tagStart === -1 ? '!' : text.slice(event.tagStart, event.tagEnd);
  if (tag !== '!' && tag !== `!!${tagName}`) {
    addFault(build, 'HG0208', event.tagStart, unknownTag(tag));
  }
  if (event.anchorStart !== -1) {
    build.openAnchors.add(text.slice(event.anchorStart, event.anchorEnd));
  }
  const node = buildContent();
  setAnchor(build, event, node);
  return node;
}

function buildSequence(build: Build, start: number, depth: number): YamlSequence {
  const items: YamlNode[] = [];
  while (!isAtEnd(build.reader)) {
    items.push(buildNode(build, start, depth + 1));
  }
  build.reader.next += 1;
  return { kind: 'sequence', start, items, ...measure(items) };
}

function buildMapping(build: Build, start: number, depth: number): YamlMapping {
  const entries = new Map<string, YamlEntry>();
  const values: YamlNode[] = [];
  while (!isAtEnd(build.reader)) {
    const key = buildNode(build, start, depth + 1);
    const value = buildNode(build, key.start, depth + 1);
    values.push(value);
    addEntry(build, entries, key, value);
  }
  build.reader.next += 1;
  return { kind: 'mapping', start, entries, ...measure(values) };
}

function isAtEnd(reader: Reader): boolean {
  assert(reader.next < reader.events.length, 'a collection of YAML events ends');
  return reader.events[reader.next]?.type === EVENT_ID.POP;
}

function measure(children: readonly YamlNode[]): { size: number; height: number } {
  let size = 1;
  let height = 0;
  for (const child of children) {
    size += child.size;
    height = Math.max(height, child.height);
  }
  return { size, height: height + 1 };
}

function addEntry(
  build: Build,
  entries: Map<string, YamlEntry>,
  key: YamlNode,
  value: YamlNode,
): void {
  if (key.kind !== 'scalar' || typeof key.value !== 'string') {
    const message = `a field's name is ${keyText(key)}, expected text; put it in quotes`;
    addFault(build, 'HG0210', key.start, message);
    return;
  }
  if (key.value === '<<') {
    const message =
      'merge keys (<<) are not part of YAML 1.2; repeat the fields, or alias the whole value';
    addFault(build, 'HG0211', key.start, message);
    return;
  }
  const first = entries.get(key.value);
  if (first === undefined) {
    entries.set(key.value, { keyStart: key.start, value });
    return;
  }
  const { line } = build.reader.positionOf(first.keyStart);
  const message = `the field ${keyText(key)} stands twice here, first at line ${line}; keep one`;
  addFault(build, 'HG0207', key.start, message);
}

function keyText(key: YamlNode): string {
  if (key.kind === 'scalar') {
    return key.value === null ? 'empty' : String(key.value).slice(0, 60);
  }
  return key.kind === 'sequence' ? 'a list' : 'a mapping';
}

function setAnchor(build: Build, event: ScalarEvent | CollectionEvent, node: YamlNode): void {
  if (event.anchorStart !== -1) {
    const name = build.reader.text.slice(event.anchorStart, event.anchorEnd);
    build.openAnchors.delete(name);
    build.anchors.set(name, node);
  }
}

/** What an alias stands for: the same node, so that a problem in it is reported at its anchor. */
function resolveAlias(build: Build, event: AliasEvent, depth: number): YamlNode {
  const start = event.anchorStart - 1;
  const name = build.reader.text.slice(event.anchorStart, event.anchorEnd);
  const target = build.anchors.get(name);
  build.aliasCount += 1;
  if (build.aliasCount > yamlLimits.aliasesMax) {
    if (build.aliasCount === yamlLimits.aliasesMax + 1) {
      const message = `more than ${yamlLimits.aliasesMax} aliases stand in the document; write values out`;
      addFault(build, 'HG0206', start, message);
    }
  } else if (build.openAnchors.has(name)) {
    const message = `the alias *${name} stands inside what it stands for; write the value out`;
    addFault(build, 'HG0206', start, message);
  } else if (target === undefined) {
    const message = `no anchor &${name} stands before the alias *${name} in this document`;
    addFault(build, 'HG0204', start, message);
  } else if (depth + target.height > yamlLimits.depthMax) {
    addFault(build, 'HG0205', start, tooDeep);
  } else {
    return target;
  }
  return scalar(start, null);
}

function addFault(build: Build, code: YamlFault['code'], offset: number, message: string): void {
  build.faults.push({ code, offset, message });
}
