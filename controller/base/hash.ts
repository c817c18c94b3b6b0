/** Content hashes over deterministic text, so that the same meaning has the same version everywhere. */
import { createHash } from 'node:crypto';

/** SHA-256 of `content`, as 64 lower-case hexadecimal digits. */
export function contentHash(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The first 16 digits of the content hash: enough to tell apart what one mesh ever serves. */
export function shortHash(content: string | Uint8Array): string {
  return contentHash(content).slice(0, 16);
}

/** A share in [0, 1) that depends on `content` alone: the proxy's place in the order of waves. */
export function hashShare(content: string): number {
  return createHash('sha256').update(content).digest().readUInt32BE(0) / 2 ** 32;
}

/**
 * JSON with the keys of every object sorted and undefined members left out: equal values give equal
 * text. `value` must be plain JSON (objects, arrays, strings, finite numbers, booleans, null).
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sortKeys(value)) ?? 'null';
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sortKeys);
  }
  if (value === null || typeof value !== 'object') {
    return value;
  }
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  entries.sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, sortKeys(member)]));
}
