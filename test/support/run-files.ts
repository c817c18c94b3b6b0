/**
 * Runs compiled test files, each in a Node process of its own, and reads from uvu's own closing lines
 * what became of them. A file fails where a test of it fails, where it ran none, where it left some out,
 * and where its process does not end by itself in time.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

export interface FileResult {
  readonly path: string;
  readonly passed: number;
  /** Failed tests, and 1 for a file that failed as a whole. */
  readonly failed: number;
  readonly durationMs: number;
  /** Processor time of the process and of those that it waited for; undefined where the system doesn't tell. */
  readonly processorMs?: number;
  /** Everything that the process printed. */
  readonly output: string;
  /** Why the file failed as a whole, where it did. */
  readonly reason?: string;
}

export interface RunOptions {
  readonly timeoutMs: number;
  /** Files that run at the same time. */
  readonly jobs: number;
  /** They have what processors others leave idle. */
  readonly isPatient?: boolean;
  /** Aborted: running files are killed and no other is started. */
  readonly signal: AbortSignal;
  /** Called as each file ends. */
  readonly onResult: (result: FileResult) => void;
}

/** The results, in the order in which the files ended. */
export async function runFiles(
  paths: readonly string[],
  options: RunOptions,
): Promise<readonly FileResult[]> {
  const results: FileResult[] = [];
  const waiting = [...paths];
  const work = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      if (options.signal.aborted) {
        return;
      }
      const result = await runFile(path, options);
      results.push(result);
      options.onResult(result);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  return results;
}

function runFile(
  path: string,
  { timeoutMs, signal, isPatient = false }: RunOptions,
): Promise<FileResult> {
  const startedMs = performance.now();
  // A process group of its own, so that what a test leaves behind is ended with it.
  const child = spawn(process.execPath, ['--enable-source-maps', path], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FORCE_COLOR: undefined, NO_COLOR: '1' },
  });
  if (isPatient && child.pid !== undefined) {
    setPriority(child.pid, constants.priority.PRIORITY_LOW);
  }
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  let isTimedOut = false;
  const timer = setTimeout(() => {
    isTimedOut = true;
    killGroup(child.pid);
  }, timeoutMs);
  const kill = (): void => killGroup(child.pid);
  signal.addEventListener('abort', kill);
  return new Promise((resolve) => {
    let processorMs: number | undefined;
    child.on('exit', () => {
      processorMs = processorTimeSinceLastExit();
      // What the test left behind may hold the output open, so it goes before that is read to its end.
      kill();
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
      const timeout = isTimedOut ? `did not end within ${timeoutMs / 1000}s` : undefined;
      const judged = judge(output, timeout ?? (code === 0 ? undefined : `exit code ${code}`));
      const durationMs = performance.now() - startedMs;
      resolve({ path, output, durationMs, processorMs, ...judged });
    });
  });
}

/** Linux adds a process's time, and its children's, to its parent's account when the parent learns of its end. */
let accountedMs = 0;

/** The processor time of the child that ended just now: what the account grew by. Undefined but on Linux. */
function processorTimeSinceLastExit(): number | undefined {
  if (process.platform !== 'linux') {
    return undefined;
  }
  // proc_pid_stat(5): fields 16 and 17, counted behind the name in brackets; 100 ticks a second.
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const nowMs = (Number(fields[13]) + Number(fields[14])) * 10;
  const grownMs = nowMs - accountedMs;
  accountedMs = nowMs;
  return grownMs;
}

/** SIGKILL to the process and all that it started; nothing where they are gone. */
function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) {
      process.kill(-pid, 'SIGKILL');
    }
  } catch {
    // They are gone.
  }
}

/** What uvu's closing lines in `output` say; `trouble` is what the process itself had. */
export function judge(
  output: string,
  trouble: string | undefined,
): Pick<FileResult, 'passed' | 'failed' | 'reason'> {
  const total = sum(output, 'Total');
  const passed = sum(output, 'Passed');
  const skipped = sum(output, 'Skipped');
  const failed = total - passed;
  if (skipped > 0) {
    return { passed, failed: failed + 1, reason: `${skipped} tests left out by only or skip` };
  }
  if (total === 0 && trouble === undefined) {
    return { passed, failed: 1, reason: 'ran no test' };
  }
  if (failed > 0 && trouble === undefined) {
    // uvu swallows what a hook of a whole suite throws, and ends well.
    return { passed, failed, reason: `${failed} tests did not run, since a hook threw` };
  }
  // Failed tests make the exit code 1, which says nothing new.
  const isExplained = failed > 0 && trouble === 'exit code 1';
  return trouble === undefined || isExplained
    ? { passed, failed }
    : { passed, failed: failed + 1, reason: trouble };
}

function sum(output: string, label: string): number {
  const counts = [...output.matchAll(new RegExp(`^  ${label}: +(\\d+)$`, 'gm'))];
  return counts.reduce((total, [, count]) => total + Number(count), 0);
}
