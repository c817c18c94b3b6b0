/**
 * From a file's bytes to its documents. `yaml` reads it, since it keeps comments and tags; before that
 * the reader of our own repositories walks the text once within its limit of depth, because `yaml`
 * would end the process on brackets nested deep enough. JSON is read as the YAML that it is, also where
 * several answers of a command stand one after the other in a file. Nothing is ever executed, and what
 * aliases can blow up is counted while it grows.
 */
import { parseEvents } from 'js-yaml';
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
} from 'yaml';
import type { SourceFile } from '../base/revision.js';
import { lineIndex } from '../decode/line-index.js';
import { readText } from '../decode/text.js';
import { parserFault } from '../decode/yaml-fault.js';
import {
  FaultError,
  type Place,
  type SourceDocument,
  type SourceEntry,
  type SourceNode,
} from './source.js';

/** State machines written into templates are the deepest things that stand beside a mesh. */
const depthMax = 200;

/** Values of one file with its aliases written out: a template has at most 51,200 bytes as text. */
const nodesMax = 500_000;

/** @throws FaultError where `file` cannot be read. */
export function readSource(file: SourceFile): readonly SourceDocument[] {
  const content = readText(file);
  if (content.kind === 'unreadable') {
    const { line, column, message } = content.fault;
    throw new FaultError({ file: file.path, line, column }, message);
  }
  const positionOf = lineIndex(content.text);
  const placeOf = (offset: number): Place => ({ file: file.path, ...positionOf(offset) });
  const reader: Reader = { placeOf, nodes: 0, offset: 0 };
  const documents = splitJson(content.text).flatMap(({ text, offset }) =>
    readPart(text, { ...reader, offset }),
  );
  return documents
    .filter(({ root }) => root.kind !== 'scalar' || root.value !== null)
    .map((document, index) => ({ ...document, file: file.path, index }));
}

interface Reader {
  readonly placeOf: (offset: number) => Place;
  /** Where the part that is read begins in the file. */
  readonly offset: number;
  nodes: number;
}

function readPart(text: string, reader: Reader): readonly Pick<SourceDocument, 'root' | 'place'>[] {
  try {
    parseEvents(text, { maxDepth: depthMax });
  } catch (error) {
    const { offset, message } = parserFault(error);
    const isTooDeep = message.includes('levels stand inside one another');
    const said = isTooDeep ? `more than ${depthMax} levels stand inside one another` : message;
    throw new FaultError(reader.placeOf(reader.offset + offset), said);
  }
  const documents = parseAllDocuments(text, {
    logLevel: 'silent',
    prettyErrors: false,
    stringKeys: false,
    version: '1.2',
  });
  if (!Array.isArray(documents)) {
    return [];
  }
  return documents.map((document) => readDocument(document as Document.Parsed, reader));
}

function readDocument(
  document: Document.Parsed,
  reader: Reader,
): Pick<SourceDocument, 'root' | 'place'> {
  const [error] = document.errors;
  if (error !== undefined) {
    const place = reader.placeOf(reader.offset + error.pos[0]);
    throw new FaultError(place, `this is no valid YAML: ${error.message}`);
  }
  const { contents } = document;
  const start = contents?.range?.[0] ?? document.range[0];
  const place = reader.placeOf(reader.offset + start);
  if (contents === null) {
    return { root: { kind: 'scalar', value: null, text: '', place }, place };
  }
  const read: Read = { document, reader, parent: start, depth: 0 };
  return { root: readNode(contents, read, document.commentBefore ?? undefined), place };
}

interface Read {
  readonly document: Document.Parsed;
  readonly reader: Reader;
  /** Offset of what a value without one of its own stands in. */
  readonly parent: number;
  readonly depth: number;
}

/** `above`: comments that no part of the tree has yet; the first entry takes them. */
function readNode(node: Node, read: Read, above?: string): SourceNode {
  const { reader } = read;
  const offset = node.range?.[0] ?? read.parent;
  const place = reader.placeOf(reader.offset + offset);
  reader.nodes += 1;
  if (reader.nodes > nodesMax || read.depth > depthMax) {
    throw new FaultError(
      place,
      `the file has more than ${nodesMax} values with its aliases written out; write them out or split it`,
    );
  }
  if (isAlias(node)) {
    const target = node.resolve(read.document);
    if (target === undefined) {
      throw new FaultError(place, `no anchor &${node.source} stands before this alias`);
    }
    return readNode(target, { ...read, parent: offset, depth: read.depth + 1 });
  }
  const inside: Read = { ...read, parent: offset, depth: read.depth + 1 };
  const base = { place, tag: ownTag(node.tag), after: node.comment ?? undefined };
  if (isSeq(node)) {
    const items = node.items.filter(isNode).map((item, index) => ({
      node: readNode(item, inside),
      before: joined(
        index === 0 ? joined(above, node.commentBefore) : undefined,
        item.commentBefore,
      ),
    }));
    return { kind: 'list', ...base, items };
  }
  if (isMap(node)) {
    const comments = joined(above, node.commentBefore);
    const own: SourceEntry[] = [];
    const merged: SourceEntry[] = [];
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const entry = readEntry(pair, inside, own.length === 0 ? comments : undefined);
      if (entry.key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN') {
        merged.push(...entriesToMerge(entry));
      } else {
        own.push(entry);
      }
    }
    const names = new Set(own.map((entry) => entry.key));
    const entries = [...merged.filter((entry) => !names.has(entry.key)), ...own];
    return { kind: 'map', ...base, entries };
  }
  const value = isScalar(node) ? node.value : null;
  return { kind: 'scalar', ...base, ...scalarValue(value, isScalar(node) ? node.source : '') };
}

function readEntry(pair: Pair<Node, Node | null>, read: Read, above?: string): SourceEntry {
  const { key, value } = pair;
  const offset = key.range?.[0] ?? read.parent;
  const keyPlace = read.reader.placeOf(read.reader.offset + offset);
  if (!isScalar(key)) {
    throw new FaultError(keyPlace, 'the name of a field is a list or a mapping, expected text');
  }
  const node =
    value === null
      ? ({ kind: 'scalar', value: null, text: '', place: keyPlace } as const)
      : readNode(value, { ...read, parent: offset });
  const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
  return { key: name, keyPlace, node, before: joined(above, key.commentBefore) };
}

/** By YAML 1.1's `<<`, which Kubernetes and CloudFormation take: what comes first wins. */
function entriesToMerge({ node, keyPlace }: SourceEntry): readonly SourceEntry[] {
  const maps = node.kind === 'list' ? node.items.map((item) => item.node) : [node];
  const entries: SourceEntry[] = [];
  for (const map of maps) {
    if (map.kind !== 'map') {
      throw new FaultError(keyPlace, 'only a mapping, or a list of them, can be merged with <<');
    }
    const known = new Set(entries.map((entry) => entry.key));
    entries.push(...map.entries.filter((entry) => !known.has(entry.key)));
  }
  return entries;
}

function scalarValue(value: unknown, source: string | undefined) {
  switch (typeof value) {
    case 'string':
      return { value, text: value };
    case 'number':
      return { value, text: source ?? String(value) };
    case 'boolean':
      return { value, text: source ?? String(value) };
    default:
      return { value: null, text: '' };
  }
}

/** Tags of YAML's own types say nothing that the value does not; any other has to be understood. */
function ownTag(tag: string | undefined): string | undefined {
  const own = /^tag:yaml\.org,2002:(.*)$/.exec(tag ?? '')?.[1];
  const isKnown = own !== undefined && /^(?:str|int|float|bool|null|map|seq)$/.test(own);
  return isKnown || tag === '!' ? undefined : tag?.replace(/^tag:yaml\.org,2002:/, '!!');
}

function joined(...comments: (string | null | undefined)[]): string | undefined {
  const present = comments.filter((comment) => typeof comment === 'string' && comment !== '');
  return present.length === 0 ? undefined : present.join('\n');
}

interface Part {
  readonly text: string;
  readonly offset: number;
}

/** JSON values that follow one another without a separator, each by itself; other text as it is. */
function splitJson(text: string): readonly Part[] {
  if (!/^\s*[{[]/.test(text)) {
    return [{ text, offset: 0 }];
  }
  const parts: Part[] = [];
  let start = 0;
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\\n]|\\.)*"|[{}[\]]/g)) {
    depth += token === '{' || token === '[' ? 1 : 0;
    if (token === '}' || token === ']') {
      depth -= 1;
      if (depth === 0 && /^\s*[{[]/.test(text.slice(index + 1, index + 200))) {
        parts.push({ text: text.slice(start, index + 1), offset: start });
        start = index + 1;
      }
    }
  }
  return [...parts, { text: text.slice(start), offset: start }];
}
