/** What stands elsewhere in the mesh repository now: in the reading thread's news, and in the store's rows. */
import { sameValue } from '../base/same-value.js';
import type { FileOrigins, Origins } from '../mesh/origins.js';

/** How to come from some places to others. Files, by their keys. */
export interface OriginChanges {
  /** New, or with something in them that stands elsewhere now. */
  readonly moved: readonly (readonly [key: string, file: FileOrigins])[];
  readonly gone: readonly string[];
}

export function diffOrigins(before: Origins, after: Origins): OriginChanges {
  return {
    moved: [...after].filter(([key, file]) => !sameValue(before.get(key), file)),
    gone: [...before.keys()].filter((key) => !after.has(key)),
  };
}
