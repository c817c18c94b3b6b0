/**
 * Where resources stand as rows of the store, one for each file: a commit that moves lines writes the files
 * that it changed. Versions before had one row of all, which is not read here: it goes with the first rows
 * that are written, so that a version before, beside this one or after it, does not take it for what is. A
 * leader of either version finds all places again when it first reads the repository; until then it may know
 * none, or those of before, and people are shown no YAML of a resource, or another part of its file.
 */
import { diffOrigins } from '../diff/diff-origins.js';
import type { FileOrigins, Origins } from '../mesh/origins.js';
import type { StoreWrite } from './ports.js';

const kind = 'fileOrigins';
const formerRow: StoreWrite = { kind: 'origins', key: '', json: null };

/** A row that was parsed; `value` is null where the file is gone, or has no resource any more. */
export interface OriginRow {
  readonly kind: typeof kind;
  readonly key: string;
  readonly value: FileOrigins | null;
}

export function isOriginRow(row: { readonly kind: string }): row is OriginRow {
  return row.kind === kind;
}

/** What must be written to bring the store from `before` to `after`. */
export function changedOrigins(before: Origins, after: Origins): readonly StoreWrite[] {
  if (before === after) {
    return [];
  }
  const { moved, gone } = diffOrigins(before, after);
  const writes = [
    ...moved.map(([key, file]) => ({ kind, key, json: JSON.stringify(file) })),
    ...gone.map((key) => ({ kind, key, json: null })),
  ];
  return writes.length === 0 ? [] : [...writes, formerRow];
}

/** `origins` with `rows`. */
export function takeOriginRows(origins: Origins, rows: readonly OriginRow[]): Origins {
  if (rows.length === 0) {
    return origins;
  }
  const files = new Map(origins);
  for (const { key, value } of rows) {
    if (value === null) {
      files.delete(key);
    } else {
      files.set(key, value);
    }
  }
  return files;
}
