/**
 * The entries of a tree or a directory → the files that make up a revision, and the problems of those
 * that cannot. Names and sizes decide, so nothing is opened that is then refused. One rule for both
 * kinds of source: `validate DIR` must say what `serve` would say of the same commit.
 */
import { compareProblems, compareText, type Problem } from '../base/problem.js';
import type { IsIgnored } from './ignore-file.js';
import type { SourceLimits } from './limits.js';
import { sourceProblem } from './problems.js';

export interface SourceEntry {
  /** From the repository's root, `/` as separator. */
  readonly path: string;
  readonly kind: 'file' | 'link' | 'submodule' | 'special';
  readonly sizeBytes: number;
}

export interface Selection<Entry extends SourceEntry> {
  /** Sorted by path; empty where the revision as a whole is over a limit. */
  readonly files: readonly Entry[];
  readonly problems: readonly Problem[];
}

/**
 * Whether `entry`, below `root` (a folder's path or empty), has a say in the mesh. Names that begin
 * with a dot have none, nor what lies in such folders: they belong to other tools (`.github`).
 * A link without an extension has one, since it may stand for a folder of mesh files, and so has a
 * submodule: were they passed over in silence, resources that moved there would look deleted.
 */
export function concernsMesh(
  { path, kind }: SourceEntry,
  root: string,
  isIgnored: IsIgnored,
): boolean {
  const below = root === '' ? path : path.slice(root.length + 1);
  if (/(^|\/)\./.test(below) || isIgnored(kind === 'submodule' ? `${path}/` : path)) {
    return false;
  }
  const isYaml = /\.ya?ml$/.test(below);
  const hasExtension = /\.[^/]*$/.test(below);
  return isYaml || kind === 'submodule' || (kind === 'link' && !hasExtension);
}

/** Sorts out `entries`, each of which concerns the mesh. `root` is the configured path. */
export function selectFiles<Entry extends SourceEntry>(
  entries: readonly Entry[],
  root: string,
  limits: SourceLimits,
): Selection<Entry> {
  const files = entries.filter((entry) => entry.kind === 'file');
  files.sort((left, right) => compareText(left.path, right.path));
  const problems = entries.flatMap((entry) => entryProblem(entry, limits) ?? []);
  problems.push(...twinProblems(entries));
  const whole = revisionProblem(entries.length, files, root, limits);
  if (whole !== undefined) {
    return { files: [], problems: [whole, ...problems.toSorted(compareProblems)] };
  }
  return {
    files: files.filter((file) => isReadable(file, limits)),
    problems: problems.toSorted(compareProblems),
  };
}

function isReadable(file: SourceEntry, limits: SourceLimits): boolean {
  return file.sizeBytes <= limits.fileBytesMax && isPrintable(file.path);
}

function entryProblem(entry: SourceEntry, limits: SourceLimits): Problem | undefined {
  const file = printable(entry.path);
  if (!isPrintable(entry.path)) {
    return sourceProblem(
      'HG0108',
      file,
      `the name \`${file}\` contains control characters or is not UTF-8; rename it`,
    );
  }
  switch (entry.kind) {
    case 'link':
      return sourceProblem(
        'HG0105',
        file,
        `\`${file}\` is a symbolic link, which is never followed; put the file itself there`,
      );
    case 'submodule':
      return sourceProblem(
        'HG0106',
        file,
        `\`${file}\` is a submodule, whose files are not read; move the mesh files into this repository or the submodule out of the mesh's path`,
      );
    case 'special':
      return sourceProblem('HG0110', file, `\`${file}\` is not a regular file; remove it`);
    case 'file':
      return entry.sizeBytes > limits.fileBytesMax ? sizeProblem(entry, limits) : undefined;
  }
}

function sizeProblem({ path, sizeBytes }: SourceEntry, { fileBytesMax }: SourceLimits): Problem {
  return sourceProblem(
    'HG0102',
    path,
    `\`${path}\` has ${sizeBytes} bytes, at most ${fileBytesMax} are allowed; split it`,
    { found: `${sizeBytes} bytes`, allowed: `at most ${fileBytesMax} bytes` },
  );
}

/** What stands against reading anything at all. */
function revisionProblem(
  entryCount: number,
  files: readonly SourceEntry[],
  root: string,
  limits: SourceLimits,
): Problem | undefined {
  const place = root === '' ? 'the repository' : `\`${root}\``;
  if (files.length > limits.filesMax) {
    return sourceProblem(
      'HG0104',
      '',
      `${place} has more than ${limits.filesMax} YAML files; put several resources into one file`,
      { found: `more than ${limits.filesMax} files`, allowed: `at most ${limits.filesMax} files` },
    );
  }
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  if (totalBytes > limits.totalBytesMax) {
    return sourceProblem(
      'HG0103',
      '',
      `the YAML files of ${place} have ${totalBytes} bytes together, at most ${limits.totalBytesMax} are allowed`,
      { found: `${totalBytes} bytes`, allowed: `at most ${limits.totalBytesMax} bytes` },
    );
  }
  if (entryCount === 0) {
    // Taken literally this would delete every resource; far more likely a path is wrong.
    return sourceProblem(
      'HG0111',
      root,
      `${place} has no file named \`*.yaml\` or \`*.yml\`; an empty mesh is not applied`,
    );
  }
  return undefined;
}

/** Names that are one name on a disk that ignores case or composes accents, as macOS and Windows do. */
function twinProblems(entries: readonly SourceEntry[]): Problem[] {
  const firstByName = new Map<string, string>();
  const problems: Problem[] = [];
  for (const { path } of entries.toSorted((left, right) => compareText(left.path, right.path))) {
    const name = path.normalize('NFC').toLowerCase();
    const first = firstByName.get(name);
    if (first === undefined) {
      firstByName.set(name, path);
    } else if (isPrintable(path)) {
      problems.push(
        sourceProblem(
          'HG0109',
          path,
          `\`${path}\` and \`${first}\` differ only in case or accents; rename one of them`,
        ),
      );
    }
  }
  return problems;
}

/** A character that moves a terminal's cursor, or one that stands for bytes that are not UTF-8. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]/g;

function isPrintable(path: string): boolean {
  return path.search(unprintable) < 0;
}

/** `path` with every unprintable character as its code point, for messages. */
export function printable(path: string): string {
  return path.replace(unprintable, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** The problem of a file whose content is a stand-in that Git LFS has not replaced. */
export function contentProblem(path: string, bytes: Uint8Array): Problem | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 64));
  if (!start.toString('latin1').startsWith('version https://git-lfs.github.com/spec/')) {
    return undefined;
  }
  return sourceProblem(
    'HG0107',
    path,
    `\`${path}\` is a Git LFS pointer, and LFS files are not fetched; commit the YAML itself`,
  );
}
