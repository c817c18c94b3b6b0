/**
 * A commit in our bare repository → a Revision: `ls-tree` for names and sizes, the selection by limits,
 * then one `cat-file --batch` for the commit and the blobs. Nothing is checked out, so no symbolic
 * link, hook, filter, submodule or line-end conversion can come into play.
 */
import { present } from '../base/assert.js';
import { revisionId } from '../base/brand.js';
import { OpError } from '../base/op-error.js';
import type { Problem } from '../base/problem.js';
import type { Revision, SourceFile } from '../base/revision.js';
import { type Commit, commitBytesMax, parseCommit } from './commit.js';
import {
  type IsIgnored,
  ignoreBytesMax,
  ignoreFileName,
  ignoreProblem,
  parseIgnoreFile,
} from './ignore-file.js';
import type { SourceLimits } from './limits.js';
import type { LocalGit } from './local-git.js';
import { BatchReader, cacheCorrupt, parseTreeLines, type TreeLine } from './object-parser.js';
import { sourceProblem } from './problems.js';
import {
  concernsMesh,
  contentProblem,
  type Selection,
  type SourceEntry,
  selectFiles,
} from './select-files.js';

interface BlobEntry extends SourceEntry {
  readonly objectId: string;
}

export interface CommitToRead {
  readonly gitDir: string;
  /** The full object id. */
  readonly commitId: string;
  /** Where it was found, for people: `main`. */
  readonly ref: string;
  /** A folder from `checkPath`; empty for the root. */
  readonly path: string;
  readonly limits: SourceLimits;
  /** What `readCommit` answered for the commit before. */
  readonly known?: ReadFiles;
}

/**
 * The files of one commit by object id and path. An object id is a hash of the content, so what has both
 * is the same file, and it is neither read again nor another object.
 */
export type ReadFiles = ReadonlyMap<string, SourceFile>;

interface ReadCommit {
  readonly revision: Revision;
  readonly parents: readonly string[];
  readonly read: ReadFiles;
}

/**
 * The revision and the ids of its parents. Mistakes in the repository are problems of the revision.
 * @throws OpError `cache-corrupt`, `git-failed`, `git-timeout`: the cache is then not to be trusted.
 */
export async function readCommit(git: LocalGit, source: CommitToRead): Promise<ReadCommit> {
  const selection = await selectBlobs(git, source);
  const { commit, files } = await readObjects(git, source, selection.files);
  const contentProblems = files.flatMap((file) => contentProblem(file.path, file.bytes) ?? []);
  const pointers = new Set(contentProblems.map((problem) => problem.file));
  return {
    parents: commit.parents,
    read: new Map(
      selection.files.map((entry, index) => [fileKey(entry), present(files[index], entry.path)]),
    ),
    revision: {
      id: revisionId(source.commitId),
      ref: source.ref,
      author: commit.author,
      committedAtMs: commit.committedAtMs,
      message: commit.message,
      files: files.filter((file) => !pointers.has(file.path)),
      problems: [...selection.problems, ...contentProblems],
    },
  };
}

async function selectBlobs(git: LocalGit, source: CommitToRead): Promise<Selection<BlobEntry>> {
  const tree = source.path === '' ? source.commitId : await findTree(git, source);
  if (tree === undefined) {
    const message = `\`${source.path}\`, the configured path, is not a folder in this commit`;
    return { files: [], problems: [sourceProblem('HG0101', source.path, message)] };
  }
  const { isIgnored, problem } = await readIgnoreFile(git, source, tree);
  const entries = await git.stream(
    source.gitDir,
    ['ls-tree', '-r', '-z', '--long', tree],
    async (output, input) => {
      input.end();
      const found: BlobEntry[] = [];
      for await (const line of parseTreeLines(output)) {
        const entry = toEntry(line, source.path);
        if (concernsMesh(entry, source.path, isIgnored)) {
          found.push(entry);
        }
        if (found.length > source.limits.filesMax) {
          break;
        }
      }
      return found;
    },
  );
  const selection = selectFiles(entries, source.path, source.limits);
  return problem === undefined
    ? selection
    : { ...selection, problems: [problem, ...selection.problems] };
}

/** What the commit's `.headgateignore` says; nothing is ignored where it has none. */
async function readIgnoreFile(
  git: LocalGit,
  { gitDir, path }: CommitToRead,
  tree: string,
): Promise<{ readonly isIgnored: IsIgnored; readonly problem?: Problem }> {
  const args = ['ls-tree', '-z', '--long', tree, '--', ignoreFileName];
  const line = await git.stream(gitDir, args, async (output, input) => {
    input.end();
    let found: TreeLine | undefined;
    for await (const entry of parseTreeLines(output)) {
      found = entry;
    }
    return found;
  });
  if (line === undefined) {
    return { isIgnored: () => false };
  }
  if (entryKind(line.mode) !== 'file' || line.sizeBytes > ignoreBytesMax) {
    return { isIgnored: () => false, problem: ignoreProblem(path) };
  }
  const { bytes } = await git.stream(gitDir, ['cat-file', '--batch'], (output, input) => {
    input.end(`${line.objectId}\n`);
    return new BatchReader(output).read(line.objectId, ignoreBytesMax);
  });
  return { isIgnored: parseIgnoreFile(bytes.toString('utf8'), path) };
}

/** The id of the folder `source.path`, or undefined where there is none of that name. */
async function findTree(git: LocalGit, source: CommitToRead): Promise<string | undefined> {
  const args = ['ls-tree', '-z', '--long', source.commitId, '--', source.path];
  return git.stream(source.gitDir, args, async (output, input) => {
    input.end();
    let tree: string | undefined;
    for await (const line of parseTreeLines(output)) {
      tree = line.mode === '040000' ? line.objectId : undefined;
    }
    return tree;
  });
}

function toEntry({ mode, objectId, sizeBytes, name }: TreeLine, root: string): BlobEntry {
  const below = Buffer.from(name).toString('utf8');
  const path = root === '' ? below : `${root}/${below}`;
  return { path, kind: entryKind(mode), sizeBytes, objectId };
}

/** The modes that git knows: 100644 and 100755 (also old forms as 100664), 120000 and 160000. */
function entryKind(mode: string): SourceEntry['kind'] {
  if (mode === '120000') {
    return 'link';
  }
  if (mode === '160000') {
    return 'submodule';
  }
  return mode.startsWith('100') ? 'file' : 'special';
}

async function readObjects(
  git: LocalGit,
  { gitDir, commitId, known }: CommitToRead,
  entries: readonly BlobEntry[],
): Promise<{ readonly commit: Commit; readonly files: readonly SourceFile[] }> {
  const fresh = entries.filter((entry) => known?.has(fileKey(entry)) !== true);
  const sizes = new Map(fresh.map((entry) => [entry.objectId, entry.sizeBytes]));
  return git.stream(gitDir, ['cat-file', '--batch'], async (output, input) => {
    input.end(`${[commitId, ...sizes.keys()].join('\n')}\n`);
    const reader = new BatchReader(output);
    const commit = await reader.read(commitId, commitBytesMax);
    if (commit.type !== 'commit') {
      throw new OpError('revision-missing', `${commitId} is a ${commit.type} and not a commit`);
    }
    const contents = new Map<string, Buffer>();
    for (const [objectId, sizeBytes] of sizes) {
      const blob = await reader.read(objectId, sizeBytes);
      if (blob.sizeBytes !== sizeBytes) {
        throw cacheCorrupt(`blob ${objectId} has not the size that its listing says`);
      }
      contents.set(objectId, blob.bytes);
    }
    const files = entries.map((entry) => {
      const { path, objectId } = entry;
      const bytes = () => present(contents.get(objectId), `blob ${objectId}`);
      return known?.get(fileKey(entry)) ?? { path, bytes: bytes() };
    });
    return { commit: parseCommit(commit.bytes), files };
  });
}

function fileKey({ objectId, path }: BlobEntry): string {
  return `${objectId} ${path}`;
}
