/**
 * The log: one JSON object a line on stderr, or coloured lines where stderr is a terminal. Each line is
 * an event with a stable dotted name (`rollout.step`) and its fields; prose is for the API and for chat.
 * Fields are cleaned here, once for all callers: no credential and no control character gets out.
 */
import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { printable, redacted } from './base/printable.js';
import type { Settings } from './config.js';
import { createLogOutput, type LogOutput } from './log-output.js';
import type { Logger } from './loop/ports.js';

export { lostLines } from './log-output.js';

/** Which lines are written, and how. */
export type LogSettings = Pick<Settings, 'logLevel' | 'logFormat'>;

/** Names of fields that hold secrets whatever is in them. */
const secretNames = /secret|token|password|authorization|cookie|api.?key/i;

/** Deeper members are left out: no event has reason to nest so far. */
const depthMax = 6;

/** A logger to stderr. `write` takes the lines instead, each with its newline. */
export function createLogger(settings: LogSettings, write?: (line: string) => void): Logger {
  const isTerminal = write === undefined && process.stderr.isTTY === true;
  const isPretty = settings.logFormat === 'pretty' || (settings.logFormat === 'auto' && isTerminal);
  const output = write === undefined ? createLogOutput() : { write };
  const lines = pino(
    {
      level: settings.logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    isPretty ? pretty(output, isTerminal) : output,
  );
  return {
    info: (event, fields) => lines.info({ event, ...cleanFields(fields) }),
    warn: (event, fields) => lines.warn({ event, ...cleanFields(fields) }),
    error: (event, fields) => lines.error({ event, ...cleanFields(fields) }),
  };
}

/** Turns each JSON line into one for people, and hands it on. */
function pretty(output: LogOutput, colorize: boolean): LogOutput {
  const render = prettyFactory({
    colorize,
    messageKey: 'event',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  return { write: (line: string) => output.write(render(line)) };
}

/** `fields` as they may be shown. */
export function cleanFields(
  fields: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, cleanField(name, value, 0)]),
  );
}

function cleanField(name: string, value: unknown, depth: number): unknown {
  if (secretNames.test(name) && value !== undefined && value !== null) {
    return '[redacted]';
  }
  if (typeof value === 'string') {
    return printable(redacted(value));
  }
  if (value instanceof Error) {
    // A stack is of use for a bug of ours; an operating error's message says all.
    const stack = value.name === 'OpError' ? undefined : redacted(value.stack ?? '');
    return { message: printable(redacted(value.message)), stack };
  }
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'bigint' ? String(value) : value;
  }
  if (depth >= depthMax) {
    return '[deep]';
  }
  return Array.isArray(value)
    ? value.map((element) => cleanField('', element, depth + 1))
    : Object.fromEntries(
        Object.entries(value).map(([key, member]) => [key, cleanField(key, member, depth + 1)]),
      );
}
