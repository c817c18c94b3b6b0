/** The config file, for the commands that read it: named by `--config`, by a variable, or just there. */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { errorText } from '../base/op-error.js';
import type { ConfigFile } from '../config/file.js';
import type { ProviderName } from '../mesh/gates.js';
import { CliError, type Io, usageExitCode } from './io.js';

/** Read where it is there; one that is named must be there. */
const defaultConfigFile = 'headgate.yaml';

/** Adds `--config FILE`, which is also `HEADGATE_CONFIG`. */
export function addConfigOption(command: Command): Command {
  const help = `Config file (or HEADGATE_CONFIG; default: ${defaultConfigFile}, where there is one).`;
  return command.addOption(new Option('--config <file>', help));
}

/** The file that `named` or the environment names, or the usual one; undefined where there is none. */
export async function readConfigFile(
  named: string | undefined,
  env: Io['env'],
): Promise<ConfigFile | undefined> {
  const wanted = named ?? (env.HEADGATE_CONFIG || undefined);
  const path = wanted ?? defaultConfigFile;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (wanted === undefined) {
      return undefined;
    }
    throw new CliError(`the config file cannot be read: ${errorText(error)}`, usageExitCode);
  }
  const { parseConfigFile } = await import('../config/file.js');
  return parseConfigFile(path, text);
}

/**
 * The providers of the config file, which gates may name; undefined where there is no such file. One that
 * has mistakes ends the command: what it says would not be what the controller goes by.
 */
export async function readProviderNames(
  named: string | undefined,
  io: Io,
): Promise<readonly ProviderName[] | undefined> {
  const file = await readConfigFile(named, io.env);
  const [problem] = file?.problems ?? [];
  if (problem !== undefined) {
    throw new CliError(`${problem.place}: ${problem.message}`, usageExitCode);
  }
  return file?.providers.map(({ name, kind }) => ({ name, kind }));
}
