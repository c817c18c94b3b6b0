/** Showing a command's output again and again, until a signal or until what was waited for has happened. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../base/duration.js';
import { CliError, type Io } from './io.js';
import { untilStopped } from './signals.js';

/** How often the controller is asked: it answers in milliseconds, and steps take seconds. */
const intervalMs = 1_000;

/** Clears a terminal and what it has scrolled away, and puts the cursor at its top. */
const clear = '\u001b[2J\u001b[3J\u001b[H';

export interface WatchOptions {
  readonly watch?: boolean;
}

/** Adds `-w, --watch`. */
export function addWatchOption(command: Command): Command {
  return command.addOption(new Option('-w, --watch', 'Show it again whenever it changes.'));
}

/**
 * Writes what `read` gives, once; or with `watch` each time that it differs, until a signal. A terminal is
 * painted over, anything else gets one text after the other.
 */
export async function showOrWatch(
  { watch }: WatchOptions,
  io: Io,
  read: () => Promise<string>,
): Promise<void> {
  if (watch !== true) {
    io.out(await read());
    return;
  }
  const stopped = untilStopped().then(() => 'stopped' as const);
  let shown: string | undefined;
  for (let turn: 'stopped' | 'again' = 'again'; turn === 'again'; turn = await next(stopped)) {
    const text = await read();
    if (text !== shown) {
      io.out(`${io.isTerminal ? clear : ''}${text}`);
      shown = text;
    }
  }
}

/** Calls `isDone` each second until it says so. Throws a `CliError` where it has not within `timeoutMs`. */
export async function waitUntil(
  what: string,
  timeoutMs: number,
  isDone: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isDone())) {
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
