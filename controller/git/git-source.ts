/**
 * A branch or tag of a Git repository → revisions. One poll asks the server what it points to
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
import { type ReadFiles, readCommit } from './read-commit.js';
import {
  type RefNames,
  type RefSelector,
  refSelector,
  type SelectedRef,
  selectRef,
} from './ref-selector.js';
import { createRemote, type Remote } from './remote.js';
import { checkPath, parseRepository, type Repository } from './repository.js';
import { RepositoryCache } from './repository-cache.js';
import { SignatureChecker, type SignatureTrust } from './signature.js';

export interface GitSourceSettings extends RefNames {
  /** A local path, `file://`, `https://`, `ssh://` or `user@host:path`. */
  readonly repo: string;
  /** Whose signatures count; undefined: a commit needs none. */
  readonly trust?: SignatureTrust;
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

/**
 * A source that begins to work with `start` and needs neither network nor disk before.
 * @throws OpError (stalled) `repository-refused`, `path-refused` or what `refSelector` refuses at once,
 * where a setting could be read as an option or a command.
 */
/** Git itself says how far it is many times a second. */
const progressMs = 1_000;

export function createGitSource(settings: GitSourceSettings, deps: SourceDeps): Source {
  const repository = parseRepository(settings.repo);
  const selector = refSelector(settings);
  const path = checkPath(settings.path);
  const timings = settings.timings ?? defaultSourceTimings;
  const poll = new GitPoll({ ...settings, selector, path, repository, timings }, deps);
  return createPoller({
    ...deps,
    pollMs: settings.pollMs,
    timings,
    poll: (stop) => poll.run(stop),
    close: () => poll.close(),
  });
}

interface PollSettings extends GitSourceSettings {
  readonly selector: RefSelector;
  readonly repository: Repository;
  readonly timings: SourceTimings;
}

/** What one poll needs while it runs. */
interface Tools {
  readonly remote: Remote;
  readonly git: LocalGit;
  readonly cache: RepositoryCache;
  readonly signatures: SignatureChecker;
}

/** Where the fetched commit is kept in our own repository. */
const ownRef = 'refs/headgate/head';

/** Failures that a new cache would not mend. */
const notOfCache: ReadonlySet<string> = new Set(['git-timeout', 'signature-keys']);

class GitPoll {
  readonly #settings: PollSettings;
  readonly #deps: SourceDeps;
  #folder: CacheFolder | undefined;
  #tools: Tools | undefined;
  /** The head that was last handed on; only then is it known. */
  #knownHead: string | undefined;
  /** Those of the commit that was read last. */
  #knownFiles: ReadFiles = new Map();

  constructor(settings: PollSettings, deps: SourceDeps) {
    this.#settings = settings;
    this.#deps = deps;
  }

  async run(stop: AbortSignal): Promise<Revision | undefined> {
    const tools = await this.#open(stop);
    const selected = await selectRef(tools.remote, this.#settings.selector);
    if (selected.commitId === this.#knownHead) {
      return undefined;
    }
    const revision = await this.#readHead(tools, selected);
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
    const { repository, credentials = {}, timings, cacheFolder, trust = {} } = this.#settings;
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
      signatures: new SignatureChecker(trust, folder, git),
    };
    return this.#tools;
  }

  /** Reads what was selected; a cache that fails is replaced once before the failure counts as one. */
  async #readHead(tools: Tools, selected: SelectedRef): Promise<Revision> {
    const wasUsed = tools.cache.isUsed;
    try {
      return await this.#fetchAndRead(tools, selected);
    } catch (error) {
      const isOurs = !(error instanceof OpError && notOfCache.has(error.code));
      if (!wasUsed || !isOurs) {
        throw error;
      }
      this.#deps.logger.warn('source.cacheDiscarded', { message: errorText(error) });
      return this.#fetchAndRead(tools, selected);
    }
  }

  async #fetchAndRead(tools: Tools, selected: SelectedRef): Promise<Revision> {
    const { cache, git, remote, signatures } = tools;
    const { selector, path, limits = defaultSourceLimits } = this.#settings;
    return cache.use(selected.commitId.length === 64 ? 'sha256' : 'sha1', async (gitDir) => {
      const onProgress = this.#progress();
      await remote.fetch(gitDir, `${selected.source}:${ownRef}`, { depth: 1, onProgress });
      // A branch may have moved on since it was asked for; what was fetched is what counts.
      const args = ['rev-parse', '--verify', `${ownRef}^{commit}`];
      const commitId = (await git.text(gitDir, args)).trim();
      const known = this.#knownFiles;
      const source = { gitDir, commitId, ref: selected.name, path, limits, known };
      const { revision, parents, read } = await readCommit(git, source);
      this.#knownFiles = read;
      if (selector.kind === 'branch') {
        await this.#reportRewrite({ gitDir, git, remote }, commitId, parents);
      }
      const unsigned = await signatures.check(gitDir, commitId);
      return unsigned === undefined
        ? revision
        : { ...revision, files: [], problems: [unsigned, ...revision.problems] };
    });
  }

  /** Who hears how the first fetch goes on: later ones bring little. */
  #progress(): ((percent: number) => void) | undefined {
    const { clock, onProgress } = this.#deps;
    if (onProgress === undefined || this.#knownHead !== undefined) {
      return undefined;
    }
    let toldAtMs = Number.NEGATIVE_INFINITY;
    return (percent) => {
      if (clock.now() - toldAtMs >= progressMs) {
        toldAtMs = clock.now();
        onProgress(percent);
      }
    };
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
    const log = { from, to: commitId, branch };
    try {
      await remote.fetch(gitDir, `refs/heads/${branch}:${ownRef}`, { depth: ancestryDepth });
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
