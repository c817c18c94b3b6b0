/**
 * Where a command's words go: data to stdout, talk to stderr, each with colours or without by what it
 * is connected to. Commands write through this and never to `process`, so tests can read along.
 */
import picocolors from 'picocolors';

export type Style = ReturnType<typeof picocolors.createColors>;

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes data; the text brings its own newlines. */
  out(text: string): void;
  /** Writes one line of talk. */
  say(line: string): void;
  readonly outStyle: Style;
  readonly sayStyle: Style;
  /** True where a person sees the data appear, and it may be painted over. */
  readonly isTerminal: boolean;
  /** True where a person sees the talk appear: progress is of use to nobody else. */
  readonly isTalkSeen: boolean;
  /** The command's result; 0 until a command sets it. */
  exitCode: number;
}

/** What a stream must be for colours to be of use. */
interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export function createIo(
  env: Io['env'],
  outputs: { readonly stdout: Output; readonly stderr: Output },
): Io {
  const { stdout, stderr } = outputs;
  return {
    env,
    out: (text) => stdout.write(text),
    say: (line) => stderr.write(`${line}\n`),
    outStyle: picocolors.createColors(wantsColor(env, stdout)),
    sayStyle: picocolors.createColors(wantsColor(env, stderr)),
    isTerminal: stdout.isTTY === true && env.TERM !== 'dumb',
    isTalkSeen: stderr.isTTY === true,
    exitCode: 0,
  };
}

/** By no-color.org and force-color.org: a person's wish wins over what the stream is. */
export function wantsColor(env: Io['env'], { isTTY }: Pick<Output, 'isTTY'>): boolean {
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') {
    return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  }
  return isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}

/** Ends a command with `exitCode` and a message for the person, without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The command line itself is wrong. */
export const usageExitCode = 2;
