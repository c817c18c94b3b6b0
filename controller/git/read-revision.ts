/**
 * One revision of a repository, named as a person names it, for `plan --from REV --to REV`. A branch,
 * a tag or a full commit id costs one shallow fetch; anything else (`main~2`, a short id) only git can
 * resolve, and only with the whole history.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpError } from '../base/op-error.js';
import type { Revision } from '../base/revision.js';
import type { Clock } from '../loop/ports.js';
import { openCacheFolder } from './cache-folder.js';
import type { GitCredentials } from './credentials.js';
import {
  defaultSourceLimits,
  defaultSourceTimings,
  type SourceLimits,
  type SourceTimings,
} from './limits.js';
import { createLocalGit, type LocalGit } from './local-git.js';
import { readCommit } from './read-commit.js';
import { createRemote, type Remote } from './remote.js';
import { checkPath, checkRevisionText, parseRepository } from './repository.js';
import { RepositoryCache } from './repository-cache.js';

export interface RevisionToRead {
  readonly repo: string;
  /** A branch, a tag, a commit id or an expression of gitrevisions(7). */
  readonly revision: string;
  readonly path: string;
  /** Where to work; all of it is removed again. The system's temporary folder by default. */
  readonly cacheFolder?: string;
  readonly credentials?: GitCredentials;
  readonly limits?: SourceLimits;
  readonly timings?: SourceTimings;
}

/**
 * Reads one revision and leaves nothing behind.
 * @throws OpError as a poll of `createGitSource` does, and `revision-missing` where the repository
 * does not have it.
 */
export async function readRevision(
  toRead: RevisionToRead,
  { clock }: { readonly clock: Clock },
): Promise<Revision> {
  const repository = parseRepository(toRead.repo);
  const path = checkPath(toRead.path);
  const ref = checkRevisionText(toRead.revision);
  const { credentials = {}, limits = defaultSourceLimits, timings = defaultSourceTimings } = toRead;
  const stop = new AbortController().signal;
  const root = await mkdtemp(join(toRead.cacheFolder ?? tmpdir(), 'headgate-read-'));
  try {
    const folder = await openCacheFolder(root, clock);
    const readDeadline = { clock, stop, timeoutMs: timings.readTimeoutMs };
    const git = createLocalGit(folder, readDeadline);
    const remote = createRemote(repository, {
      folder,
      credentials,
      deadline: { clock, stop, timeoutMs: timings.remoteTimeoutMs },
    });
    try {
      const refs = await remote.listRefs([]);
      const cache = new RepositoryCache(folder, git);
      return await cache.use(objectFormat(refs), async (gitDir) => {
        const commitId = await fetchRevision({ remote, git, gitDir }, refs, ref);
        const { revision } = await readCommit(git, { gitDir, commitId, ref, path, limits });
        return revision;
      });
    } finally {
      await folder.close();
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

type Refs = ReadonlyMap<string, string>;

interface Tools {
  readonly remote: Remote;
  readonly git: LocalGit;
  readonly gitDir: string;
}

/** Where a fetched revision is kept in our own repository. */
const ownRef = 'refs/headgate/revision';

/** Fetches the commit that `text` means and returns its id. */
async function fetchRevision(tools: Tools, refs: Refs, text: string): Promise<string> {
  const { remote, git, gitDir } = tools;
  // A ref's name holds none of these; what follows them walks from it (`main~2`, `v1^`).
  const [, name = text, walk = ''] = /^([^~^:@]+|@)(.*)$/s.exec(text) ?? [];
  const id = isFullId(name) ? name : findRef(refs, name);
  if (id !== undefined) {
    const depth = walk === '' ? 1 : undefined;
    await remote.fetch(gitDir, `${id}:${ownRef}`, { depth });
  } else {
    await remote.fetch(gitDir, 'refs/*:refs/*', {});
  }
  const expression = `${id ?? name}${walk}^{commit}`;
  try {
    const args = ['rev-parse', '--verify', '--end-of-options', expression];
    return (await git.text(gitDir, args)).trim();
  } catch (cause) {
    const known = [...refs.keys()].flatMap((ref) => /^refs\/heads\/(.+)$/.exec(ref)?.[1] ?? []);
    throw new OpError(
      'revision-missing',
      `revision ${text} does not exist; name a commit, a tag or a branch (${known.slice(0, namedRefsMax).join(', ') || 'there is none'})`,
      { retry: { kind: 'stalled' }, cause },
    );
  }
}

/** Branches that an error names. */
const namedRefsMax = 5;

/** The object id of a name, by the order of gitrevisions(7); of a tag, the commit that it is on. */
function findRef(refs: Refs, name: string): string | undefined {
  const full = name === '@' ? 'HEAD' : name;
  for (const prefix of ['', 'refs/', 'refs/tags/', 'refs/heads/', 'refs/remotes/']) {
    const id = refs.get(`${prefix}${full}^{}`) ?? refs.get(`${prefix}${full}`);
    if (id !== undefined) {
      return id;
    }
  }
  return undefined;
}

function isFullId(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

function objectFormat(refs: Refs): 'sha1' | 'sha256' {
  const [first = ''] = refs.values();
  return first.length === 64 ? 'sha256' : 'sha1';
}
