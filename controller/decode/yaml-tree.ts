/**
 * A YAML document as a tree that remembers where each part stands, and the ways to read it: as
 * plain JSON for the validator, and by path for the place of a problem.
 */
import type { FieldPath } from '../mesh/document.js';
import type { ScalarValue } from './yaml-scalar.js';

export type YamlNode = YamlScalar | YamlSequence | YamlMapping;

interface NodeBase {
  /** Offset of its first character. */
  readonly start: number;
  /** Nodes in it, itself included, aliases counted in full. */
  readonly size: number;
  /** 1 for a scalar or an empty collection. */
  readonly height: number;
}

export interface YamlScalar extends NodeBase {
  readonly kind: 'scalar';
  readonly value: ScalarValue;
}

export interface YamlSequence extends NodeBase {
  readonly kind: 'sequence';
  readonly items: readonly YamlNode[];
}

export interface YamlMapping extends NodeBase {
  readonly kind: 'mapping';
  readonly entries: ReadonlyMap<string, YamlEntry>;
}

export interface YamlEntry {
  /** Offset of the key. */
  readonly keyStart: number;
  readonly value: YamlNode;
}

/** `node` as JSON. A key such as `__proto__` becomes a member like any other. */
export function plainValue(node: YamlNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'sequence':
      return node.items.map(plainValue);
    case 'mapping':
      return Object.fromEntries(
        [...node.entries].map(([key, { value }]) => [key, plainValue(value)]),
      );
  }
}

/** The value of `key` in `node`, where that is a mapping that has it. */
export function fieldOf(node: YamlNode | undefined, key: string): YamlNode | undefined {
  return node?.kind === 'mapping' ? node.entries.get(key)?.value : undefined;
}

/** Offset of the value at `path`, or of the innermost part of `path` that exists. */
export function valueOffset(root: YamlNode, path: FieldPath): number {
  let node = root;
  for (const part of path) {
    const child = childOf(node, part);
    if (child === undefined) {
      return node.start;
    }
    node = child;
  }
  return node.start;
}

/** Offset of the key that `path` ends with, where there is one; else as `valueOffset`. */
export function keyOffset(root: YamlNode, path: FieldPath): number {
  let node: YamlNode | undefined = root;
  for (const part of path.slice(0, -1)) {
    node = node === undefined ? undefined : childOf(node, part);
  }
  const entry = node?.kind === 'mapping' ? node.entries.get(String(path.at(-1))) : undefined;
  return entry?.keyStart ?? valueOffset(root, path);
}

function childOf(node: YamlNode, part: string | number): YamlNode | undefined {
  if (node.kind === 'sequence') {
    return typeof part === 'number' ? node.items[part] : undefined;
  }
  return fieldOf(node, String(part));
}
