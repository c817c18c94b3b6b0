/** Showing a command's output again and again, until a signal or until what was waited for has happened. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../base/duration.js';
import { UnreachableError } from './client.js';
import { CliError, type Io } from './io.js';
import { untilStopped } from './signals.js';

/** How often the controller is asked: it answers in milliseconds, and steps take seconds. */
const intervalMs = 1_000;

/** Clears a terminal and what it has scrolled away, and puts the cursor at its top. */
const clear = '\u001b[2J\u001b[3J\u001b[H';

export interface WatchOptions {
  readonly watch?: boolean;
  /** As `-o` has it. */
  readonly output: string;
}

/** Adds `-w, --watch`. */
export function addWatchOption(command: Command): Command {
  return command.addOption(new Option('-w, --watch', 'Show it again whenever it changes.'));
}

/**
 * Writes what `read` gives, once; or with `watch` each time that it differs, until a signal. A terminal is
 * painted over; anything else gets the lines that are new, and of JSON and YAML each text in full. A
 * controller that has answered once is waited for where it is started anew.
 */
export async function showOrWatch(
  { watch, output }: WatchOptions,
  io: Io,
  read: () => Promise<string>,
): Promise<void> {
  if (watch !== true) {
    io.out(await read());
    return;
  }
  const isWhole = output === 'json' || output === 'yaml';
  let shown: string | undefined;
  await eachSecond(io, async () => {
    const text = await read();
    if (text === shown) {
      return;
    }
    if (io.isTerminal) {
      io.out(`${clear}${text}`);
    } else {
      io.out(shown === undefined || isWhole ? text : newLines(shown, text));
    }
    shown = text;
  });
}

/** Calls `turn` each second until a signal, through a restart of the controller. */
export async function eachSecond(io: Io, turn: () => Promise<void>): Promise<void> {
  const stopped = untilStopped().then(() => 'stopped' as const);
  const patiently = patience(io);
  do {
    await patiently(turn);
  } while ((await next(stopped)) === 'again');
}

/** Lines of `after` that are not in `before`; how wide a table's columns are makes no line new. */
function newLines(before: string, after: string): string {
  const plain = (line: string) => line.replace(/ {2,}/g, '  ').trimEnd();
  const known = new Set(before.split('\n').map(plain));
  return after
    .split('\n')
    .filter((line) => line !== '' && !known.has(plain(line)))
    .map((line) => `${line}\n`)
    .join('');
}

/**
 * Asks a controller that answered before, and gives undefined while it does not answer, which is said
 * once. Throws where it has never answered: then the address is wrong.
 */
function patience(io: Io): <T>(ask: () => Promise<T>) => Promise<T | undefined> {
  let hasAnswered = false;
  let isAway = false;
  return async (ask) => {
    try {
      const answer = await ask();
      if (isAway) {
        io.say('headgate: the controller answers again');
      }
      hasAnswered = true;
      isAway = false;
      return answer;
    } catch (error) {
      if (!(error instanceof UnreachableError) || !hasAnswered) {
        throw error;
      }
      if (!isAway) {
        io.say('headgate: the controller does not answer; trying again');
      }
      isAway = true;
      return undefined;
    }
  };
}

export interface WaitFor {
  /** What has not happened where the time is over: `rollout reviews-3 has not ended`. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly io: Io;
}

/**
 * Calls `isDone` each second until it says so. Throws a `CliError` where it has not within `timeoutMs`. A
 * controller that has answered once is waited for where it is started anew.
 */
export async function waitUntil(
  { what, timeoutMs, io }: WaitFor,
  isDone: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  const patiently = patience(io);
  while ((await patiently(isDone)) !== true) {
    if (performance.now() >= deadline) {
      throw new CliError(`${what} within the time of --timeout`, timeoutExitCode);
    }
    await pause();
  }
}

/** Adds `--wait`, which `help` tells, and `--timeout`. */
export function addWaitOptions(command: Command, help: string): Command {
  return command
    .addOption(new Option('--wait', help))
    .addOption(
      new Option('--timeout <duration>', 'How long to wait.')
        .argParser(readTimeout)
        .default(waitDefaultMs, '1h'),
    );
}

export interface WaitOptions {
  readonly wait?: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

/** A release over a working day says so itself. */
const waitDefaultMs = 3_600_000;

/** As timeout(1) ends. */
export const timeoutExitCode = 124;

/** Commander's reader for a duration; milliseconds. */
function readTimeout(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) {
    throw new InvalidArgumentError('It must be a duration, as 30s or 1h30m.');
  }
  return ms;
}

function next(stopped: Promise<'stopped'>): Promise<'stopped' | 'again'> {
  return Promise.race([stopped, pause().then(() => 'again' as const)]);
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, intervalMs));
}
