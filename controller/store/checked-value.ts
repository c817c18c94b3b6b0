/**
 * Invariant H2: what is read of the state is what was written. Each value is stored with a hash of itself;
 * one that has another is damage, or somebody's hand, and nothing of it is served.
 */
import { contentHash } from '../base/hash.js';
import type { OpError } from '../base/op-error.js';

export interface StoredValue {
  readonly kind: string;
  readonly key: string;
  readonly json: string;
}

/** What is stored beside the value. */
export function valueHash(json: string): string {
  return contentHash(json);
}

/** `value`, where it has the hash that it was stored with; else throws what `refuse` makes of the reason. */
export function checkedValue(
  value: StoredValue,
  hash: unknown,
  refuse: (reason: string) => OpError,
): StoredValue {
  if (valueHash(value.json) !== hash) {
    throw refuse(`holds a value (${value.kind} ${value.key}) that is not what was written`);
  }
  return value;
}
