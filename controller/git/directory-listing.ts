/**
 * A directory on this machine → what in it concerns the mesh, by name, kind, size and time, without a
 * byte of content. Symbolic links are listed as such and never followed. Two equal listings mean that
 * nothing has changed, so a poll of a quiet directory reads no file.
 */
import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, OpError } from '../base/op-error.js';
import type { Problem } from '../base/problem.js';
import {
  type IsIgnored,
  ignoreBytesMax,
  ignoreFileName,
  ignoreProblem,
  parseIgnoreFile,
} from './ignore-file.js';
import type { SourceLimits } from './limits.js';
import { sourceProblem } from './problems.js';
import { concernsMesh, type Selection, type SourceEntry, selectFiles } from './select-files.js';

/** Names, sizes and times of a directory's mesh files. */
export interface Listing {
  /** The directory as it was named. */
  readonly directory: string;
  readonly path: string;
  readonly limits: SourceLimits;
  readonly selection: Selection<DiskEntry>;
  /** Equal for two listings between which no file was added, removed, replaced or written. */
  readonly fingerprint: string;
}

export interface DiskEntry extends SourceEntry {
  /** Where it is read. */
  readonly diskPath: string;
  readonly changedAtMs: number;
  /** The file's number on its disk; another one means that it was replaced. */
  readonly inode: number;
}

/**
 * Lists what lies below `path` (from `checkPath`) in `directory`.
 * @throws OpError `directory-missing`, `directory-unreadable`.
 */
export async function listDirectory(
  directory: string,
  path: string,
  limits: SourceLimits,
): Promise<Listing> {
  const root = await findRoot(directory);
  const start = path === '' ? root : join(root, path);
  if (!(await isFolderItself(start))) {
    const message = `\`${path}\`, the configured path, is not a folder in ${directory}`;
    const selection = { files: [], problems: [sourceProblem('HG0101', path, message)] };
    return { directory, path, limits, selection, fingerprint: message };
  }
  const { isIgnored, problem } = await readIgnoreFile(start, path);
  const entries = await walk({ root, path, filesMax: limits.filesMax, isIgnored });
  const selection = selectFiles(entries, path, limits);
  return {
    directory,
    path,
    limits,
    selection: problem === undefined ? selection : withProblem(selection, problem),
    fingerprint: entries.map(identityOf).sort().join('\n'),
  };
}

function withProblem(selection: Selection<DiskEntry>, problem: Problem): Selection<DiskEntry> {
  return { ...selection, problems: [problem, ...selection.problems] };
}

/** What `.headgateignore` in the folder `start` says; nothing is ignored where there is none. */
async function readIgnoreFile(
  start: string,
  path: string,
): Promise<{ readonly isIgnored: IsIgnored; readonly problem?: Problem }> {
  const file = join(start, ignoreFileName);
  const stats = await lstat(file).catch(() => undefined);
  if (stats === undefined) {
    return { isIgnored: () => false };
  }
  if (!stats.isFile() || stats.size > ignoreBytesMax) {
    return { isIgnored: () => false, problem: ignoreProblem(path) };
  }
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new OpError('directory-unreadable', errorText(cause), { cause });
  });
  return { isIgnored: parseIgnoreFile(text, path) };
}

/** A name holds no NUL, so no two entries share a text. */
function identityOf({ path, kind, sizeBytes, changedAtMs, inode }: DiskEntry): string {
  return [path, kind, sizeBytes, changedAtMs, inode].join('\0');
}

/** The directory's own path; the one that was named may itself be a link, as its owner's choice. */
async function findRoot(directory: string): Promise<string> {
  const root = await realpath(directory).catch((cause: unknown) => {
    throw new OpError('directory-missing', `${directory} cannot be opened: ${errorText(cause)}`, {
      cause,
    });
  });
  if (!(await stat(root)).isDirectory()) {
    throw new OpError('directory-missing', `${directory} is not a directory`);
  }
  return root;
}

/** False for what is missing, for a file, and for a folder that is reached through a link. */
async function isFolderItself(path: string): Promise<boolean> {
  try {
    return (await realpath(path)) === path && (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

interface Walk {
  readonly root: string;
  readonly path: string;
  readonly filesMax: number;
  readonly isIgnored: IsIgnored;
}

/** Everything below `path` that concerns the mesh; it ends early once there are too many files. */
async function walk({ root, path, filesMax, isIgnored }: Walk): Promise<DiskEntry[]> {
  const found: DiskEntry[] = [];
  const folders = [path];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const children = await listFolder(join(root, folder));
    if (folder !== path && children.some((child) => child.name === '.git')) {
      // Git would see a submodule here, or nothing at all.
      const entry = { path: folder, kind: 'submodule', sizeBytes: 0 } as const;
      const isSeen = concernsMesh(entry, path, isIgnored);
      const described = isSeen ? await describe(root, entry) : undefined;
      found.push(...(described === undefined ? [] : [described]));
      continue;
    }
    const below = folder === '' ? '' : `${folder}/`;
    const visible = children.filter((child) => !child.name.startsWith('.'));
    const subfolders = visible.filter((child) => child.isDirectory());
    folders.push(...subfolders.map((child) => below + child.name));
    const entries = visible
      .filter((child) => !child.isDirectory())
      .map((child) => ({ path: below + child.name, kind: entryKind(child), sizeBytes: 0 }))
      .filter((entry) => concernsMesh(entry, path, isIgnored));
    const described = await Promise.all(entries.map((entry) => describe(root, entry)));
    found.push(...described.flatMap((entry) => entry ?? []));
    if (found.length > filesMax) {
      break;
    }
  }
  return found;
}

interface FolderChild {
  readonly name: string;
  isDirectory(): boolean;
  isFile(): boolean;
  isSymbolicLink(): boolean;
}

async function listFolder(path: string): Promise<readonly FolderChild[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (cause) {
    throw new OpError('directory-unreadable', `${path} cannot be listed: ${errorText(cause)}`, {
      cause,
    });
  }
}

function entryKind(child: FolderChild): SourceEntry['kind'] {
  if (child.isSymbolicLink()) {
    return 'link';
  }
  return child.isFile() ? 'file' : 'special';
}

/** `entry` with what the disk says of it; undefined where it has vanished since. */
async function describe(root: string, entry: SourceEntry): Promise<DiskEntry | undefined> {
  const diskPath = join(root, entry.path);
  try {
    const { size, mtimeMs, ino } = await lstat(diskPath);
    const sizeBytes = entry.kind === 'file' ? size : 0;
    return { ...entry, sizeBytes, diskPath, changedAtMs: mtimeMs, inode: ino };
  } catch {
    // A name that is not UTF-8 cannot be found again by its text; it is reported by its name.
    return entry.path.includes('\ufffd')
      ? { ...entry, diskPath, changedAtMs: 0, inode: 0 }
      : undefined;
  }
}
