/**
 * A commit that undoes another, on a branch of its own: what a person would make with `git revert`, but in
 * a bare repository, from trees alone, so nothing is checked out. Only whole files are merged: where one
 * that the commit touched was changed again since, a person has to look.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpError } from '../base/op-error.js';
import type { Clock } from '../loop/ports.js';
import { openCacheFolder } from './cache-folder.js';
import type { GitCredentials } from './credentials.js';
import { defaultSourceTimings } from './limits.js';
import { createLocalGit, type LocalGit } from './local-git.js';
import { createRemote, type Remote } from './remote.js';
import { checkBranch, checkRevisionText, parseRepository } from './repository.js';
import { RepositoryCache } from './repository-cache.js';

export interface RevertToPush {
  readonly repo: string;
  readonly credentials?: GitCredentials;
  /** Where the commit is, and where the revert is to go in the end. */
  readonly branch: string;
  /** The whole id of the commit to undo. */
  readonly commit: string;
  /** Made on the server; one that is there already is left as it is. */
  readonly newBranch: string;
  readonly message: string;
}

/** Commits behind the branch's head among which the bad one is usually found. */
const usualDepth = 50;

/** Whom the commit is from. */
const identity = ['-c', 'user.name=Headgate', '-c', 'user.email=headgate@localhost'];

const headRef = 'refs/headgate/head';

/**
 * Resolves once `newBranch` is on the server.
 * @throws OpError (stalled) `revert-impossible` where only a person can undo the commit; else as a poll
 * of `createGitSource`.
 */
export async function pushRevert(
  revert: RevertToPush,
  { clock, stop }: { readonly clock: Clock; readonly stop: AbortSignal },
): Promise<void> {
  const repository = parseRepository(revert.repo);
  const branch = checkBranch(revert.branch);
  const newBranch = checkBranch(revert.newBranch);
  const commit = checkRevisionText(revert.commit);
  const root = await mkdtemp(join(tmpdir(), 'headgate-revert-'));
  try {
    const folder = await openCacheFolder(root, clock);
    const { readTimeoutMs, remoteTimeoutMs } = defaultSourceTimings;
    const git = createLocalGit(folder, { clock, stop, timeoutMs: readTimeoutMs });
    const remote = createRemote(repository, {
      folder,
      credentials: revert.credentials ?? {},
      deadline: { clock, stop, timeoutMs: remoteTimeoutMs },
    });
    try {
      const refs = await remote.listRefs([`refs/heads/${branch}`, `refs/heads/${newBranch}`]);
      const head = refs.get(`refs/heads/${branch}`);
      if (refs.has(`refs/heads/${newBranch}`)) {
        return;
      }
      if (head === undefined) {
        throw impossible(`branch ${branch} does not exist any more`);
      }
      const cache = new RepositoryCache(folder, git);
      await cache.use(head.length === 64 ? 'sha256' : 'sha1', async (gitDir) => {
        await fetchHistory({ remote, git, gitDir }, branch, commit);
        const id = await makeRevert({ git, gitDir }, commit, revert.message);
        await remote.push(gitDir, `${id}:refs/heads/${newBranch}`);
      });
    } finally {
      await folder.close();
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

interface Tools {
  readonly git: LocalGit;
  readonly gitDir: string;
}

/** Fetches `branch` deep enough to hold `commit` and its parent. */
async function fetchHistory(
  { remote, git, gitDir }: Tools & { readonly remote: Remote },
  branch: string,
  commit: string,
): Promise<void> {
  const refspec = `refs/heads/${branch}:${headRef}`;
  await remote.fetch(gitDir, refspec, { depth: usualDepth });
  const args = ['rev-list', `--max-count=${usualDepth - 1}`, '--first-parent', headRef];
  if (!(await git.text(gitDir, args)).split('\n').includes(commit)) {
    // All of it: `--unshallow` would fail where the history is short.
    await remote.fetch(gitDir, refspec, { depth: 2 ** 31 - 1 });
  }
}

/** The id of a commit on top of the head, with the changes of `commit` taken back. */
async function makeRevert(
  { git, gitDir }: Tools,
  commit: string,
  message: string,
): Promise<string> {
  const run = async (...args: readonly string[]): Promise<string> =>
    (await git.text(gitDir, args)).trim();
  // Of a merge its first parent, which is what was deployed before.
  const parent = await run('rev-parse', '--verify', `${commit}^1`).catch((cause: unknown) => {
    throw impossible('it is not in the branch any more, or is its first commit', cause);
  });
  await run('read-tree', '-i', '-m', '--aggressive', commit, headRef, parent);
  const unmerged = await run('ls-files', '--unmerged');
  if (unmerged !== '') {
    const names = new Set(unmerged.split('\n').map((line) => line.slice(line.indexOf('\t') + 1)));
    throw impossible(`changed again since: ${[...names].slice(0, 5).join(', ')}`);
  }
  const tree = await run('write-tree');
  if (tree === (await run('rev-parse', `${headRef}^{tree}`))) {
    throw impossible('it was taken back already');
  }
  return run(...identity, 'commit-tree', tree, '-p', headRef, '-m', message);
}

function impossible(why: string, cause?: unknown): OpError {
  return new OpError('revert-impossible', `the commit cannot be reverted by itself: ${why}`, {
    retry: { kind: 'stalled' },
    cause,
  });
}
