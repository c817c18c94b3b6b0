/**
 * The bounds of one revision. They are checked on names and sizes, before a single byte of content is
 * read, since whoever may push to the mesh repository would otherwise choose how much memory we use.
 */

export interface SourceLimits {
  /** Bytes of one file. */
  readonly fileBytesMax: number;
  /** Bytes of all YAML files together. */
  readonly totalBytesMax: number;
  /** Number of YAML files. */
  readonly filesMax: number;
}

export const defaultSourceLimits: SourceLimits = {
  // A hand-written mesh file has a few kilobytes; a parsed one takes up to 100 times its size in memory.
  fileBytesMax: 1024 * 1024,
  // The content of two revisions is in memory while they are compared.
  totalBytesMax: 32 * 1024 * 1024,
  // Twice the largest mesh that we measure ourselves with (10,000 resources, one a file).
  filesMax: 20_000,
};

export interface SourceTimings {
  /** A command that talks to the Git server is killed after this time. */
  readonly remoteTimeoutMs: number;
  /** Reading objects from the cache on our own disk is given up after this time. */
  readonly readTimeoutMs: number;
  /** Wait after the first failure; it doubles with each further one. */
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** A watched directory is read once it has been quiet for this time. */
  readonly debounceMs: number;
}

export const defaultSourceTimings: SourceTimings = {
  // As Flux gives a clone: a shallow fetch of YAML takes seconds even over a slow link.
  remoteTimeoutMs: 60_000,
  // 20,000 files are read in well under a second; a disk that takes a minute is broken.
  readTimeoutMs: 60_000,
  backoffMinMs: 1_000,
  // Long enough to leave a struggling server alone, short enough to follow its return unattended.
  backoffMaxMs: 300_000,
  // An editor's save or a copy of a folder comes as a burst of events.
  debounceMs: 100,
};
