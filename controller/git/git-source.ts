/**
 * A branch of a Git repository → revisions. One poll asks the server for the branch's head
 * (`ls-remote`), and only where that is new fetches the commit and reads it. Failures are events, and
 * the source goes on polling; what is served is never its business.
 */
import { errorText, OpError } from '../base/op-error.js';
import type { Revision } from '../base/revision.js';
import type { Source } from '../loop/ports.js';
import { type CacheFolder, openCacheFolder } from './cache-folder.js';
import type { GitCredentials } from './credentials.js';
import type { Deadline } from './deadline.js';
import {
  defaultSourceLimits,
  defaultSourceTimings,
  type SourceLimits,
  type SourceTimings,
} from './limits.js';
import { createLocalGit, type LocalGit } from './local-git.js';
import { createPoller, type SourceDeps } from './poller.js';
import { readCommit } from './read-commit.js';
import { createRemote, type Remote } from './remote.js';
import { checkBranch, checkPath, parseRepository, type Repository } from './repository.js';
import { RepositoryCache } from './repository-cache.js';

export interface GitSourceSettings {
  /** A local path, `file://`, `https://`, `ssh://` or `user@host:path`. */
  readonly repo: string;
  readonly branch: string;
  /** Folder of the mesh inside the repository; `.` is its root. */
  readonly path: string;
  /** Milliseconds between two polls that succeed. */
  readonly pollMs: number;
  /** A folder for this source alone; made where it is missing. Its content is worth nothing. */
  readonly cacheFolder: string;
  readonly credentials?: GitCredentials;
  readonly limits?: SourceLimits;
  readonly timings?: SourceTimings;
}

/** Commits of a new head that are looked at for the old one, to tell a push from a force-push. */
const ancestryDepth = 50;

/** Branches that an error names, so that a typing mistake shows. */
const namedBranchesMax = 5;

/**
 * A source that begins to work with `start` and needs neither network nor disk before.
 * @throws OpError (stalled) `repository-refused`, `branch-refused` or `path-refused` at once, where
 * a setting could be read as an option or a command.
 */
export function createGitSource(settings: GitSourceSettings, deps: SourceDeps): Source {
  const repository = parseRepository(settings.repo);
  const branch = checkBranch(settings.branch);
  const path = checkPath(settings.path);
  const timings = settings.timings ?? defaultSourceTimings;
  const poll = new GitPoll({ ...settings, branch, path, repository, timings }, deps);
  return createPoller({
    ...deps,
    pollMs: settings.pollMs,
    timings,
    poll: (stop) => poll.run(stop),
    close: () => poll.close(),
  });
}

interface PollSettings extends GitSourceSettings {
  readonly repository: Repository;
  readonly timings: SourceTimings;
}

/** What one poll needs while it runs. */
interface Tools {
  readonly remote: Remote;
  readonly git: LocalGit;
  readonly cache: RepositoryCache;
}

class GitPoll {
  readonly #settings: PollSettings;
  readonly #deps: SourceDeps;
  #folder: CacheFolder | undefined;
  #tools: Tools | undefined;
  /** The head that was last handed on; only then is it known. */
  #knownHead: string | undefined;

  constructor(settings: PollSettings, deps: SourceDeps) {
    this.#settings = settings;
    this.#deps = deps;
  }

  async run(stop: AbortSignal): Promise<Revision | undefined> {
    const tools = await this.#open(stop);
    const head = await findHead(tools.remote, this.#settings.branch);
    if (head === this.#knownHead) {
      return undefined;
    }
    const revision = await this.#readHead(tools, head);
    this.#knownHead = revision.id;
    return revision;
  }

  async close(): Promise<void> {
    const folder = this.#folder;
    this.#folder = undefined;
    await folder?.close();
  }

  /** The tools; where the folder was lost to another process, it is asked for again. */
  async #open(stop: AbortSignal): Promise<Tools> {
    if (this.#folder !== undefined && this.#tools !== undefined) {
      try {
        await this.#folder.verify();
        return this.#tools;
      } catch (error) {
        await this.close();
        throw error;
      }
    }
    const { clock } = this.#deps;
    const { repository, credentials = {}, timings, cacheFolder } = this.#settings;
    const deadline = (timeoutMs: number): Deadline => ({ clock, timeoutMs, stop });
    const folder = await openCacheFolder(cacheFolder, clock);
    const git = createLocalGit(folder, deadline(timings.readTimeoutMs));
    this.#folder = folder;
    this.#tools = {
      git,
      remote: createRemote(repository, {
        folder,
        credentials,
        deadline: deadline(timings.remoteTimeoutMs),
      }),
      cache: new RepositoryCache(folder, git),
    };
    return this.#tools;
  }

  /** Reads `head`; a cache that fails is replaced once before the failure counts as one. */
  async #readHead(tools: Tools, head: string): Promise<Revision> {
    const wasUsed = tools.cache.isUsed;
    try {
      return await this.#fetchAndRead(tools, head);
    } catch (error) {
      const isOurs = !(error instanceof OpError && error.code === 'git-timeout');
      if (!wasUsed || !isOurs) {
        throw error;
      }
      this.#deps.logger.warn('source.cacheDiscarded', { message: errorText(error) });
      return this.#fetchAndRead(tools, head);
    }
  }

  async #fetchAndRead({ cache, git, remote }: Tools, head: string): Promise<Revision> {
    const { branch, path, limits = defaultSourceLimits } = this.#settings;
    const ref = `refs/heads/${branch}`;
    return cache.use(head.length === 64 ? 'sha256' : 'sha1', async (gitDir) => {
      await remote.fetch(gitDir, `${ref}:${ref}`, { depth: 1 });
      // The branch may have moved on since it was asked for; what was fetched is what counts.
      const commitId = (await git.text(gitDir, ['rev-parse', '--verify', ref])).trim();
      const source = { gitDir, commitId, ref: branch, path, limits };
      const { revision, parents } = await readCommit(git, source);
      await this.#reportRewrite({ gitDir, git, remote }, commitId, parents);
      return revision;
    });
  }

  /** Says so where the branch no longer holds the commit that it pointed to at the last poll. */
  async #reportRewrite(
    { gitDir, git, remote }: Pick<Tools, 'git' | 'remote'> & { readonly gitDir: string },
    commitId: string,
    parents: readonly string[],
  ): Promise<void> {
    const from = this.#knownHead;
    if (from === undefined || from === commitId || parents.includes(from)) {
      return;
    }
    // A shallow commit has no ancestors to look at; they are fetched only in this rare case.
    const { branch } = this.#settings;
    const ref = `refs/heads/${branch}`;
    const log = { from, to: commitId, branch };
    try {
      await remote.fetch(gitDir, `${ref}:${ref}`, { depth: ancestryDepth });
      const args = ['rev-list', `--max-count=${ancestryDepth}`, commitId];
      if (!(await git.text(gitDir, args)).split('\n').includes(from)) {
        const message = `the former head is not among the newest ${ancestryDepth} commits`;
        this.#deps.logger.warn('source.rewritten', { code: 'history-rewritten', message, ...log });
      }
    } catch (error) {
      // The revision has been read; not to know where it comes from is no reason to keep it back.
      const message = errorText(error);
      this.#deps.logger.warn('source.ancestryUnknown', { message, ...log });
    }
  }
}

/** The commit that `branch` points to. @throws OpError `branch-missing`, `empty-repository`. */
async function findHead(remote: Remote, branch: string): Promise<string> {
  const ref = `refs/heads/${branch}`;
  const head = (await remote.listRefs([ref])).get(ref);
  if (head !== undefined) {
    return head;
  }
  const all = await remote.listRefs([]);
  if (all.size === 0) {
    throw new OpError('empty-repository', `the repository has no commits; push branch ${branch}`);
  }
  const branches = [...all.keys()].flatMap((name) => /^refs\/heads\/(.+)$/.exec(name)?.[1] ?? []);
  const named = branches.slice(0, namedBranchesMax).join(', ') || 'none';
  const more = branches.length > namedBranchesMax ? ', …' : '';
  throw new OpError(
    'branch-missing',
    `branch ${branch} does not exist; the repository's branches: ${named}${more}`,
  );
}
