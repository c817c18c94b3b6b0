/** Options that several commands share, and how their texts are read. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { errorText } from '../base/op-error.js';
import { parseHostPort } from '../base/socket-address.js';
import { CliError, type Io, usageExitCode } from './io.js';
import { type OutputFormat, outputFormats } from './print.js';

export const defaultServer = 'http://127.0.0.1:8080';

/** Adds `--server URL`, which is also `HEADGATE_SERVER`. */
export function addServerOption(command: Command): Command {
  const help = `The controller's address (or HEADGATE_SERVER; default: ${defaultServer}).`;
  return command.addOption(new Option('--server <url>', help).argParser(parseServer));
}

/** The server to ask, without a slash at its end. */
export function serverOf(options: { readonly server?: string }, env: Io['env']): string {
  try {
    return options.server ?? parseServer(env.HEADGATE_SERVER || defaultServer);
  } catch (error) {
    // Commander tells of its options alone.
    throw new CliError(
      `HEADGATE_SERVER is ${env.HEADGATE_SERVER}: ${errorText(error)}`,
      usageExitCode,
    );
  }
}

/** Commander's reader for a controller's address; the answer has no slash at its end. */
export function parseServer(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new InvalidArgumentError('It must be an http or https URL without a password.');
  }
  return url.origin + url.pathname.replace(/\/+$/, '');
}

/** Adds `-o`, which takes `formats`. */
export function addOutputOption(
  command: Command,
  formats: readonly string[] = outputFormats,
): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'Form of the output.')
      .choices(formats)
      .default('table' satisfies OutputFormat),
  );
}

/** Commander's reader for `HOST:PORT`. */
export function readHostPort(text: string) {
  const value = parseHostPort(text);
  if (value === undefined) {
    throw new InvalidArgumentError('It must be HOST:PORT, as 127.0.0.1:9901 or [::1]:9901.');
  }
  return value;
}

/** Help begins with what people copy, and ends with what their scripts check. */
export function addHelp(
  command: Command,
  examples: readonly string[],
  exitCodes: readonly string[] = ['0  done', '1  failed', '2  the command line is wrong'],
): Command {
  const indent = (lines: readonly string[]) => lines.map((line) => `  ${line}`).join('\n');
  return command
    .addHelpText('before', `Examples:\n${indent(examples)}\n`)
    .addHelpText('after', `\nExit codes:\n${indent(exitCodes)}`);
}
