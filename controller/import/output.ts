/** What is to be written, before it is text: plain YAML with the comments that came along. */

export type OutNode = OutScalar | OutList | OutMap;

interface OutBase {
  readonly after?: string;
}

export interface OutScalar extends OutBase {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
}

export interface OutList extends OutBase {
  readonly kind: 'list';
  readonly items: readonly OutItem[];
}

export interface OutItem {
  readonly node: OutNode;
  readonly before?: string;
}

export interface OutMap extends OutBase {
  readonly kind: 'map';
  readonly entries: readonly OutEntry[];
}

export interface OutEntry extends OutItem {
  readonly key: string;
}

/** JSON as an output, without comments. */
export function outOf(value: unknown): OutNode {
  if (Array.isArray(value)) {
    return { kind: 'list', items: value.map((item) => ({ node: outOf(item) })) };
  }
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, held]) => held !== undefined);
    return { kind: 'map', entries: entries.map(([key, held]) => ({ key, node: outOf(held) })) };
  }
  return { kind: 'scalar', value: value as OutScalar['value'] };
}

export function fieldIn(node: OutNode | undefined, ...path: string[]): OutNode | undefined {
  return path.reduce(
    (parent, key) =>
      parent?.kind === 'map' ? parent.entries.find((entry) => entry.key === key)?.node : undefined,
    node,
  );
}

/** `node` with `key` set to `value`, at its end where it has none. */
export function withField(node: OutMap, key: string, value: OutNode): OutMap {
  const isThere = node.entries.some((entry) => entry.key === key);
  return {
    ...node,
    entries: isThere
      ? node.entries.map((entry) => (entry.key === key ? { ...entry, node: value } : entry))
      : [...node.entries, { key, node: value }],
  };
}

export const emptyOut: OutMap = { kind: 'map', entries: [] };
