/**
 * The disk of `headgate import`: which files are read, and the rule for those that are written. A manifest
 * in the result says what was written and with which content; a file that it does not know, or that
 * somebody has edited since, is never written over without `--force`. What an earlier import wrote and
 * this one does not is removed.
 */
import { lstat, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { contentHash } from '../base/hash.js';
import { errorText } from '../base/op-error.js';
import { compareText } from '../base/problem.js';
import type { SourceFile } from '../base/revision.js';
import type { ImportedFile } from '../import/import-app-mesh.js';
import { CliError, usageExitCode } from './io.js';

/** A template has at most 1 MB; an export of a large mesh in one file has a few. */
const fileBytesMax = 16 * 1024 * 1024;
const totalBytesMax = 64 * 1024 * 1024;
const filesMax = 20_000;

const manifestName = '.headgate-import.json';

export interface Sources {
  readonly files: readonly SourceFile[];
  /** Paths of those that were not named, and lay in a folder that was. */
  readonly found: ReadonlySet<string>;
}

/**
 * The files that `paths` name: each as it is, and what lies in folders by its ending. `out`, where the
 * result goes, is never read: importing twice would find the first result.
 */
export async function readSources(paths: readonly string[], out: string): Promise<Sources> {
  const found: string[] = [];
  const inFolders: string[] = [];
  for (const path of paths) {
    const kind = await kindOf(path);
    if (kind === 'missing') {
      throw new CliError(`${path} is not there`, usageExitCode);
    }
    if (kind === 'directory') {
      const below = await filesIn(path, resolve(out));
      found.push(...below);
      inFolders.push(...below);
    } else {
      found.push(path);
    }
  }
  const names = [...new Set(found)];
  if (names.length > filesMax) {
    throw new CliError(
      `${names.length} files are more than ${filesMax}; name fewer`,
      usageExitCode,
    );
  }
  const files: SourceFile[] = [];
  let total = 0;
  for (const path of names) {
    const bytes = await readBounded(path);
    total += bytes.length;
    if (total > totalBytesMax) {
      throw new CliError(
        `${path}: the files have more than ${totalBytesMax} bytes together; import them in parts`,
        usageExitCode,
      );
    }
    files.push({ path: withSlashes(path), bytes });
  }
  const named = new Set(paths);
  const others = inFolders.filter((path) => !named.has(path)).map(withSlashes);
  return { files, found: new Set(others) };
}

function withSlashes(path: string): string {
  return path.replaceAll('\\', '/');
}

async function kindOf(path: string): Promise<'missing' | 'directory' | 'file'> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'file';
  } catch {
    return 'missing';
  }
}

/** YAML, JSON and templates below `directory`, in code-unit order; links and names with a dot are not followed. */
async function filesIn(directory: string, out: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  entries.sort((left, right) => compareText(left.name, right.name));
  const found: string[] = [];
  for (const entry of entries.filter(
    ({ name }) => !name.startsWith('.') && name !== 'node_modules',
  )) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && resolve(path) !== out) {
      found.push(...(await filesIn(path, out)));
    } else if (entry.isFile() && /\.(ya?ml|json|template)$/i.test(entry.name)) {
      found.push(path);
    }
    if (found.length > filesMax) {
      break;
    }
  }
  return found;
}

async function readBounded(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > fileBytesMax) {
        throw new CliError(
          `${path}:0:0: the file has ${size} bytes, at most ${fileBytesMax} are read`,
          usageExitCode,
        );
      }
      return new Uint8Array(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof CliError
      ? error
      : new CliError(`${path}: ${errorText(error)}`, usageExitCode);
  }
}

type Manifest = Readonly<Record<string, string>>;

/** Writes `files` below `out`; nothing is written where any of them may not be. */
export async function writeResult(
  out: string,
  files: readonly ImportedFile[],
  { force }: { readonly force: boolean },
): Promise<void> {
  const known = await readManifest(out);
  const conflicts: string[] = [];
  for (const { path, text } of files) {
    const there = await hashOnDisk(out, path);
    const isOurs = there === undefined || there === known[path] || there === contentHash(text);
    conflicts.push(...(isOurs ? [] : [path]));
  }
  if (conflicts.length > 0 && !force) {
    const shown = conflicts.slice(0, 5).join(', ');
    const more = conflicts.length > 5 ? ` and ${conflicts.length - 5} more` : '';
    throw new CliError(
      `${out}: ${shown}${more} would be written over, and no import wrote what stands there; choose another folder, or say --force`,
    );
  }
  const written = new Set(files.map((file) => file.path));
  for (const [path, hash] of Object.entries(known)) {
    if (!written.has(path) && (await hashOnDisk(out, path)) === hash) {
      await rm(join(out, path));
    }
  }
  for (const { path, text } of files) {
    await mkdir(dirname(join(out, path)), { recursive: true });
    await writeFile(join(out, path), text);
  }
  const hashes = files.map(({ path, text }) => [path, contentHash(text)] as const);
  const manifest = Object.fromEntries(
    hashes.toSorted(([left], [right]) => compareText(left, right)),
  );
  await writeFile(join(out, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

async function readManifest(out: string): Promise<Manifest> {
  try {
    const value: unknown = JSON.parse(await readFile(join(out, manifestName), 'utf8'));
    const entries = Object.entries(value ?? {}).filter(
      ([path, hash]) => isBelow(path) && typeof hash === 'string',
    );
    return Object.fromEntries(entries) as Manifest;
  } catch {
    return {};
  }
}

function isBelow(path: string): boolean {
  return !path.startsWith('/') && !path.split('/').includes('..');
}

/** Of the file at `path`; undefined: there is none. A link is never one of ours, wherever it leads. */
async function hashOnDisk(out: string, path: string): Promise<string | undefined> {
  const parts = path.split('/');
  for (let count = 1; count <= parts.length; count += 1) {
    const at = join(out, ...parts.slice(0, count));
    const found = await lstat(at).catch(() => undefined);
    if (found === undefined) {
      return undefined;
    }
    const isExpected = count === parts.length ? found.isFile() : found.isDirectory();
    if (!isExpected) {
      return 'something else';
    }
  }
  return contentHash(new Uint8Array(await readFile(join(out, path))));
}
