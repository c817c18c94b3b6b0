/** The program as a shell runs it, in a process of its own; and the same in this one, which is quicker. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createIo } from '../../controller/cli/io.js';
import { runCli } from '../../controller/cli/program.js';

export const mainFile = fileURLToPath(new URL('../../controller/main.js', import.meta.url));

export interface MainResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MainOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the program without any variable of this process but the path. */
export function startMain(args: readonly string[], options: MainOptions = {}): ChildProcess {
  return spawn(process.execPath, [mainFile, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH ?? '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs the program to its end. */
export async function runMain(
  args: readonly string[],
  options: MainOptions = {},
): Promise<MainResult> {
  const child = startMain(args, options);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** Runs the command line in this process. Nothing is a terminal, and `env` is all the environment. */
export async function runHere(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<MainResult> {
  const texts = { stdout: '', stderr: '' };
  const write = (stream: keyof typeof texts) => ({
    write: (text: string) => {
      texts[stream] += text;
    },
  });
  const io = createIo(env, { stdout: write('stdout'), stderr: write('stderr') });
  const code = await runCli(args, io);
  return { code, ...texts };
}
