/** What a source hands to the pipeline: one state of the mesh repository, and nothing of how it was got. */
import type { RevisionId } from './brand.js';
import type { Problem } from './problem.js';

/** What a repository that is the only one is called where several would go by their names. */
export const onlyRepository = '';

export interface Revision {
  readonly id: RevisionId;
  /** The repository's name in the configuration; undefined where there is only one. */
  readonly repository?: string;
  /** Branch, tag or directory that it was read from, for people. */
  readonly ref: string;
  /** `Name <address>`; empty for a plain directory. */
  readonly author: string;
  /** Milliseconds since 1970. For show only: clocks of committers prove nothing about order. */
  readonly committedAtMs: number;
  /** First line and body, cut to 64 KiB. */
  readonly message: string;
  /** The YAML files below the configured path, sorted by path in code-unit order. */
  readonly files: readonly SourceFile[];
  /** What the source itself refuses: symlinks, submodules, LFS pointers, sizes over the limit. */
  readonly problems: readonly Problem[];
}

/**
 * A file whose path and content did not change is the same object in the next revision of its source, so
 * that whoever made something of it finds that by identity.
 */
export interface SourceFile {
  /** Relative to the repository's root, `/` as separator. */
  readonly path: string;
  readonly bytes: Uint8Array;
}
