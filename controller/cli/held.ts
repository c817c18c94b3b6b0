/** What a running controller holds, for commands that look at revisions: asked where one is named. */
import { type Command, Option } from 'commander';
import type { StatusView } from '../api/view.js';
import type { Held } from '../plan/held.js';
import { getJson } from './client.js';
import { CliError, type Io } from './io.js';
import { parseServer, serverOf } from './options.js';

/** Adds `--server URL`, without a default: files are looked at where no controller is, too. */
export function addHeldOption(command: Command): Command {
  const help =
    'A controller (or HEADGATE_SERVER), to tell what it holds: changes that Git asks for and that are not served.';
  return command.addOption(new Option('--server <url>', help).argParser(parseServer));
}

/** undefined: no controller is named, or it does not answer, which is said and stops nothing. */
export async function readHeld(
  options: { readonly server?: string },
  io: Io,
): Promise<readonly Held[] | undefined> {
  if (options.server === undefined && !io.env.HEADGATE_SERVER) {
    return undefined;
  }
  try {
    const { held } = await getJson<StatusView>(serverOf(options, io.env), '/api/v1/status');
    return held;
  } catch (error) {
    if (!(error instanceof CliError)) {
      throw error;
    }
    io.say(io.sayStyle.yellow(`! what is held is not known: ${error.message}`));
    return undefined;
  }
}
