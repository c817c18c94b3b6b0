/**
 * The Git server, through simple-git: which refs it has, and the objects of one of them. Arguments are
 * fixed but for the URL and the refs, which were parsed before (`repository.ts`) and stand after `--`.
 * Every command has a time limit, after which it and all its children are killed.
 */
import { fileURLToPath } from 'node:url';
import { GitError, type SimpleGit, simpleGit } from 'simple-git';
import { OpError } from '../base/op-error.js';
import type { CacheFolder } from './cache-folder.js';
import { type GitCredentials, readSecret } from './credentials.js';
import { type Deadline, withDeadline } from './deadline.js';
import { localEnvironment, remoteEnvironment } from './environment.js';
import { remoteError } from './git-error.js';
import type { Repository } from './repository.js';
import { isUnstarted, surviveUnstarted, unstartedText } from './unstarted.js';

export interface Remote {
  /** Names and object ids of the refs that `patterns` match (all without any), as git-ls-remote(1). */
  listRefs(patterns: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Fetches `refspec` into the bare repository `gitDir`, with the newest `depth` commits, or with all
   * of them where the server has no shallow fetch or `depth` is left out. `onProgress` hears how much of
   * it has come, in whole percent.
   */
  fetch(gitDir: string, refspec: string, options: FetchOptions): Promise<void>;
  /** Pushes `refspec` from `gitDir`, never by force. */
  push(gitDir: string, refspec: string): Promise<void>;
}

export interface FetchOptions {
  readonly depth?: number;
  readonly onProgress?: (percent: number) => void;
}

surviveUnstarted();

const launcher = fileURLToPath(new URL('./git-launcher.js', import.meta.url));

const config = [
  'http.followRedirects=false',
  // A bare repository that is thrown away needs no upkeep, and upkeep would outlive the command.
  'gc.auto=0',
  'maintenance.auto=false',
];

/** @throws OpError (from its methods) with the codes of `git-error.ts`, `git-timeout` among them. */
export function createRemote(
  repository: Repository,
  options: {
    readonly folder: CacheFolder;
    readonly credentials: GitCredentials;
    readonly deadline: Deadline;
  },
): Remote {
  const { folder, credentials } = options;
  const run = async (
    gitDir: string | undefined,
    args: readonly string[],
    onProgress?: (percent: number) => void,
  ): Promise<string> => {
    const secret = await readSecret(repository, credentials);
    const secrets = [secret?.password, repository.password].filter((text) => text !== undefined);
    const environment = remoteEnvironment(localEnvironment(folder, gitDir), {
      folder,
      transport: repository.transport,
      credentials,
      secret,
    });
    return withDeadline(options.deadline, `git ${args[0]}`, async (signal) => {
      const git = startableGit(folder, environment, credentials, signal);
      if (onProgress !== undefined) {
        git.outputHandler((_command, _stdout, stderr) => {
          stderr.on('data', (chunk: Buffer) => {
            progressIn(chunk.toString('utf8')).forEach(onProgress);
          });
        });
      }
      try {
        return await git.raw([...args]);
      } catch (error) {
        if (!(error instanceof GitError)) {
          throw error;
        }
        throw remoteError(isUnstarted(error.message) ? unstartedText : error.message, secrets);
      }
    });
  };
  return {
    async push(gitDir, refspec) {
      await run(gitDir, ['push', '--quiet', '--', repository.url, refspec]);
    },
    async listRefs(patterns) {
      const text = await run(undefined, ['ls-remote', '--', repository.url, ...patterns]);
      return parseRefs(text);
    },
    async fetch(gitDir, refspec, { depth, onProgress }) {
      const talk = onProgress === undefined ? '--quiet' : '--progress';
      const args = [talk, '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules'];
      const target = ['--', repository.url, `+${refspec}`];
      if (depth === undefined) {
        await run(gitDir, ['fetch', ...args, ...target], onProgress);
        return;
      }
      try {
        await run(gitDir, ['fetch', ...args, `--depth=${depth}`, ...target], onProgress);
      } catch (error) {
        if (!(error instanceof OpError && /shallow/.test(error.message))) {
          throw error;
        }
        // A web server without Git's own protocol ("dumb http") has no shallow fetch.
        await run(gitDir, ['fetch', ...args, ...target], onProgress);
      }
    },
  };
}

/** The percents in what git says while a pack comes; of one with a handful of objects it says nothing. */
function progressIn(text: string): readonly number[] {
  const found = text.matchAll(/Receiving objects:\s+(\d{1,3})%/g);
  return [...found].map(([, percent]) => Number(percent));
}

function startableGit(
  folder: CacheFolder,
  environment: Readonly<Record<string, string>>,
  credentials: GitCredentials,
  signal: AbortSignal,
): SimpleGit {
  return simpleGit({
    baseDir: folder.home,
    binary: [process.execPath, launcher],
    abort: signal,
    config: [
      ...config,
      ...(credentials.caFile === undefined ? [] : [`http.sslCAInfo=${credentials.caFile}`]),
    ],
    // simple-git refuses these from a caller whose input may reach them; all of ours are constants.
    allowEnvironment: Object.keys(environment),
    unsafe: {
      allowUnsafeAskPass: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeCustomBinary: true,
      allowUnsafeSshCommand: true,
      allowUnsafeTemplateDir: true,
    },
    // By itself it takes a git that was killed without a word for one that succeeded with no output.
    errors: (_error, { exitCode, stdErr }) => (exitCode === 0 ? undefined : Buffer.concat(stdErr)),
  }).env(environment);
}

/** Lines of `<object id> TAB <ref>`; anything else is not from git. */
function parseRefs(text: string): ReadonlyMap<string, string> {
  const refs = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, id, name] = /^([0-9a-f]{40}|[0-9a-f]{64})\t(\S+)$/.exec(line) ?? [];
    if (id !== undefined && name !== undefined) {
      refs.set(name, id);
    }
  }
  return refs;
}
