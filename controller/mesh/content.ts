/** What names the content of a resource: equal for two that say the same, wherever and whenever they are read. */
import { canonicalJson, contentHash } from '../base/hash.js';
import { memo } from '../base/memo.js';
import type { Resource } from './model.js';

/** null: the resource is not there. */
export function hashOf(resource: Resource | null): string | null {
  return resource === null ? null : contentOf(resource);
}

const contentOf = memo((resource: Resource): string => contentHash(canonicalJson(resource)));
