/**
 * App Mesh definitions as they were written: a tree of what a file holds, in which each part knows its
 * place, its tag and the comments around it. The values of templates (`!Ref`, `${VAR}`) are put in by
 * making another such tree, so that everything behind reads one form.
 */
import type { FieldPath } from '../mesh/document.js';

export interface Place {
  /** As the user named it, `/` as separator. */
  readonly file: string;
  /** From 1; 0 where the file as a whole is meant. */
  readonly line: number;
  readonly column: number;
}

export type SourceNode = SourceScalar | SourceList | SourceMap;

interface NodeBase {
  readonly place: Place;
  /** As `!Ref`; undefined where the value has none. */
  readonly tag?: string;
  /** The comment at the end of its line, or behind the last line of a collection. */
  readonly after?: string;
  /** Where the value was put in for an expression. */
  readonly resolved?: Resolved;
}

/** What an expression of a template became. */
export interface Resolved {
  /** As `!Ref MeshName`. */
  readonly expression: string;
  /** Names that no value is known of, for which something that can be written stands in. */
  readonly standIns: readonly string[];
}

export interface SourceScalar extends NodeBase {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** As it is written, without quotes. */
  readonly text: string;
}

export interface SourceList extends NodeBase {
  readonly kind: 'list';
  readonly items: readonly SourceItem[];
}

export interface SourceItem {
  readonly node: SourceNode;
  /** The comment lines above it. */
  readonly before?: string;
}

export interface SourceMap extends NodeBase {
  readonly kind: 'map';
  readonly entries: readonly SourceEntry[];
}

export interface SourceEntry extends SourceItem {
  readonly key: string;
  readonly keyPlace: Place;
}

/** One document of a file. */
export interface SourceDocument {
  readonly file: string;
  /** From 0, among the file's documents. */
  readonly index: number;
  readonly root: SourceNode;
  readonly place: Place;
}

/** What keeps a file from being read, or an expression from being worked out. */
export interface Fault {
  readonly place: Place;
  readonly message: string;
}

/** Thrown inside the importer and caught at its edge: the whole import is given up, with this said. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
  readonly fault: Fault;

  constructor(place: Place, message: string) {
    super(message);
    this.fault = { place, message };
  }
}

export function entryOf(node: SourceNode | undefined, key: string): SourceEntry | undefined {
  return node?.kind === 'map' ? node.entries.find((entry) => entry.key === key) : undefined;
}

export function childOf(node: SourceNode | undefined, ...path: string[]): SourceNode | undefined {
  return path.reduce((parent, key) => entryOf(parent, key)?.node, node);
}

/** The text of a scalar that is not empty; undefined for everything else. */
export function textOf(node: SourceNode | undefined): string | undefined {
  const isText = node?.kind === 'scalar' && node.value !== null && node.text !== '';
  return isText ? node.text : undefined;
}

export interface Leaf {
  readonly path: FieldPath;
  readonly node: SourceNode;
}

/** Every scalar and every empty collection below `node`, in the order of the text. */
export function leavesOf(node: SourceNode, path: FieldPath = []): readonly Leaf[] {
  if (node.kind === 'list' && node.items.length > 0) {
    return node.items.flatMap((item, index) => leavesOf(item.node, [...path, index]));
  }
  if (node.kind === 'map' && node.entries.length > 0) {
    return node.entries.flatMap((entry) => leavesOf(entry.node, [...path, entry.key]));
  }
  return [{ path, node }];
}

/** A collection as JSON would have it, for values that are shown or compared. */
export function plainOf(node: SourceNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map((item) => plainOf(item.node));
    case 'map':
      return Object.fromEntries(node.entries.map((entry) => [entry.key, plainOf(entry.node)]));
  }
}
