/**
 * Git commands that read our own bare repository, as streams: simple-git gathers all output as text,
 * while blobs are bytes and a tree listing has no bound. They see the environment of
 * `environment.ts`, reach no server, and are killed with their children at the deadline.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { errorText, OpError } from '../base/op-error.js';
import type { CacheFolder } from './cache-folder.js';
import { type Deadline, withDeadline } from './deadline.js';
import { localEnvironment } from './environment.js';
import { gitMessage } from './git-error.js';

export interface LocalGit {
  /**
   * Runs git in `gitDir` and hands its streams to `consume`; done when both have ended. `consume` may
   * return early: what git still had to say is then not wanted, and git is ended.
   * @throws OpError `git-failed` where git reports an error, `git-timeout`.
   */
  stream<T>(
    gitDir: string,
    args: readonly string[],
    consume: (output: Readable, input: Writable) => Promise<T>,
  ): Promise<T>;
  /** The standard output of a command that prints a line or two. */
  text(gitDir: string, args: readonly string[]): Promise<string>;
  /** Runs another program as git would, in the same environment, and gives it `input`. Throws as `stream`. */
  program(name: 'gpg', args: readonly string[], input: Uint8Array): Promise<void>;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Of git's error text and of short answers; the rest is not kept. */
const textBytesMax = 64 * 1024;

export function createLocalGit(folder: CacheFolder, deadline: Deadline): LocalGit {
  const run = <T>(
    { name, args, gitDir }: Command,
    consume: (output: Readable, input: Writable) => Promise<T>,
  ): Promise<T> =>
    withDeadline(deadline, describe({ name, args }), async (signal) => {
      const child: Child = spawn(name, args, {
        cwd: folder.home,
        env: localEnvironment(folder, gitDir),
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
      });
      const ended = exitOf(child);
      if (child.stdin === undefined) {
        // Node.js makes no streams where there are no descriptors for them.
        throw unstarted(name, (await ended).startError);
      }
      const onAbort = (): void => endGroup(child);
      signal.addEventListener('abort', onAbort);
      // A write to a git that has ended fails; its exit code and error text say why.
      child.stdin.on('error', () => {});
      try {
        const result = await consume(child.stdout, child.stdin);
        await throwOnFailure(child, { name, args }, ended);
        return result;
      } catch (error) {
        // Output that makes no sense is git's failure first, where it reports one.
        await throwOnFailure(child, { name, args }, ended);
        throw error;
      } finally {
        endGroup(child);
        await ended;
        signal.removeEventListener('abort', onAbort);
      }
    });
  const stream: LocalGit['stream'] = (gitDir, args, consume) =>
    run({ name: 'git', args, gitDir }, consume);
  return {
    stream,
    program: (name, args, content) =>
      run({ name, args }, async (output, input) => {
        input.end(content);
        await readText(output);
      }),
    text: (gitDir, args) =>
      stream(gitDir, args, (output, input) => {
        input.end();
        return readText(output);
      }),
  };
}

interface Command {
  readonly name: 'git' | 'gpg';
  readonly args: readonly string[];
  readonly gitDir?: string;
}

/** `git ls-tree`, `gpg --import`: without options that come before it. */
function describe({ name, args }: Pick<Command, 'name' | 'args'>): string {
  const options = name === 'git' && args[0] === '-c' ? args.filter((arg) => arg !== '-c') : args;
  const verb = name === 'git' ? options.find((arg) => !arg.includes('=')) : options.at(-1);
  return `${name} ${verb}`;
}

interface Exit {
  /** Undefined where git was ended by a signal. */
  readonly code: number | undefined;
  readonly stderr: string;
  readonly startError?: Error;
}

function exitOf(child: Child): Promise<Exit> {
  const stderr = readText(child.stderr).catch(errorText);
  return new Promise((resolve) => {
    child.on('error', (startError) => resolve({ code: undefined, stderr: '', startError }));
    child.on('close', async (code) => resolve({ code: code ?? undefined, stderr: await stderr }));
  });
}

/**
 * Where the output was read to its end, only exit code 0 says that this was all of it: a killed git
 * leaves a listing that looks whole.
 */
async function throwOnFailure(
  child: Child,
  command: Pick<Command, 'name' | 'args'>,
  ended: Promise<Exit>,
): Promise<void> {
  if (!child.stdout.readableEnded && child.pid !== undefined) {
    return;
  }
  const { code, stderr, startError } = await ended;
  if (startError !== undefined) {
    throw unstarted(command.name, startError);
  }
  if (code !== 0) {
    const reason = code === undefined ? 'it was killed' : gitMessage(stderr, []);
    throw new OpError('git-failed', `${describe(command)}: ${reason}`);
  }
}

function unstarted(name: string, error: Error | undefined): OpError {
  return new OpError('git-missing', `${name} cannot be started: ${errorText(error)}`);
}

async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let lengthBytes = 0;
  for await (const chunk of stream) {
    if (lengthBytes < textBytesMax) {
      chunks.push(chunk);
      lengthBytes += chunk.length;
    }
  }
  return Buffer.concat(chunks).toString('utf8');
}

function endGroup(child: Child): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself in the meantime.
    }
  }
}
