/**
 * A plain directory on this machine → a Revision, by the same selection as a commit. A file that was
 * replaced or written between its listing and its reading, be it by a symbolic link, makes the whole
 * reading void: half of a save must not be taken for a mesh with fewer resources.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { revisionId } from '../base/brand.js';
import { canonicalJson, contentHash } from '../base/hash.js';
import { errorText, OpError } from '../base/op-error.js';
import type { Revision, SourceFile } from '../base/revision.js';
import { type DiskEntry, type Listing, listDirectory } from './directory-listing.js';
import { defaultSourceLimits, type SourceLimits } from './limits.js';
import { contentProblem } from './select-files.js';

/** Open files at once: well below the 256 that some systems allow a process. */
const parallelReads = 32;

/** Times that a directory which is being written to is read anew before that is an error. */
const attemptsMax = 5;

/**
 * Reads the files of `directory` as they are on disk, for `validate` and `plan`; in a work tree that
 * is what stands there and not what was committed.
 * @throws OpError `directory-missing`, `directory-unreadable`, or `directory-changing` where it was
 * written to during each of five attempts.
 */
export async function readDirectory(
  directory: string,
  limits: SourceLimits = defaultSourceLimits,
): Promise<Revision> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const revision = await readListed(await listDirectory(directory, '', limits));
    if (revision !== undefined) {
      return revision;
    }
  }
  throw new OpError('directory-changing', `${directory} is being written to; try again`);
}

/**
 * The listed files as a revision; undefined where the directory has changed since. Of `known`, the files
 * of the revision before, those stay that say the same.
 */
export async function readListed(
  listing: Listing,
  known: readonly SourceFile[] = [],
): Promise<Revision | undefined> {
  const { directory, path, limits, selection } = listing;
  const files: SourceFile[] = [];
  const knownByPath = new Map(known.map((file) => [file.path, file]));
  for (let first = 0; first < selection.files.length; first += parallelReads) {
    const entries = selection.files.slice(first, first + parallelReads);
    const read = await Promise.all(entries.map(readEntry));
    files.push(
      ...read.flatMap((file) => (file === undefined ? [] : [sameFile(knownByPath, file) ?? file])),
    );
  }
  const after = await listDirectory(directory, path, limits);
  if (files.length < selection.files.length || after.fingerprint !== listing.fingerprint) {
    return undefined;
  }
  const contentProblems = files.flatMap((file) => contentProblem(file.path, file.bytes) ?? []);
  const pointers = new Set(contentProblems.map((problem) => problem.file));
  const readable = files.filter((file) => !pointers.has(file.path));
  const problems = [...selection.problems, ...contentProblems];
  const names = readable.map((file) => `${contentHash(file.bytes)} ${file.path}\n`);
  return {
    // With the problems, which a removed symbolic link changes and the files' bytes do not.
    id: revisionId(`dir-${contentHash(names.join('') + canonicalJson(problems))}`),
    ref: directory,
    author: '',
    committedAtMs: Math.round(
      selection.files.reduce((latest, file) => Math.max(latest, file.changedAtMs), 0),
    ),
    message: '',
    files: readable,
    problems,
  };
}

function sameFile(
  known: ReadonlyMap<string, SourceFile>,
  { path, bytes }: SourceFile,
): SourceFile | undefined {
  const file = known.get(path);
  return file !== undefined && Buffer.compare(file.bytes, bytes) === 0 ? file : undefined;
}

/** The file's content; undefined where it is no longer the file that was listed. */
async function readEntry(entry: DiskEntry): Promise<SourceFile | undefined> {
  // O_NONBLOCK: opening a pipe that has taken the file's place must not wait for its other end.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(entry.diskPath, flags);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EACCES') {
      throw new OpError('directory-unreadable', errorText(cause), { cause });
    }
    return undefined;
  }
  try {
    const opened = await file.stat();
    if (!opened.isFile() || opened.ino !== entry.inode || opened.size !== entry.sizeBytes) {
      return undefined;
    }
    const bytes = new Uint8Array(entry.sizeBytes);
    const { bytesRead } = await file.read(bytes, 0, entry.sizeBytes, 0);
    return bytesRead === entry.sizeBytes ? { path: entry.path, bytes } : undefined;
  } finally {
    await file.close();
  }
}
