/** A span as it is when it is over, and ids that follow from what it is about. */
import { contentHash, shortHash } from '../base/hash.js';

export interface Span {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 of them. */
  readonly spanId: string;
  /** Undefined: the first of its trace. */
  readonly parentId?: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly attributes: SpanAttributes;
  /** Why it did not end well; undefined: it did. */
  readonly error?: string;
}

export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * The trace of a commit: the first 32 digits of its id, so that whoever knows the commit finds the trace,
 * and a controller that takes over goes on with it. A plain directory's revision is hashed first.
 */
export function traceIdOf(revision: string): string {
  return /^[0-9a-f]{40,64}$/.test(revision)
    ? revision.slice(0, 32)
    : contentHash(revision).slice(0, 32);
}

/** The same parts, the same id: also after a restart, and on another replica. */
export function spanIdOf(...parts: readonly (string | number)[]): string {
  return shortHash(JSON.stringify(parts));
}
