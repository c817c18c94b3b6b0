/** `headgate state`: moves the state between a file and PostgreSQL, backs it up, and accepts a loss. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { errorText } from '../base/op-error.js';
import { redacted } from '../base/printable.js';
import type { StatePlace } from '../store/move-state.js';
import { CliError, type Io, usageExitCode } from './io.js';
import { addHelp } from './options.js';
import { addConfigOption, readConfigFile } from './read-config.js';

type StateSetting = 'state' | 'stateUrlFile' | 'statePasswordFile';

interface StateOptions {
  readonly state?: string;
  readonly stateUrlFile?: string;
  readonly statePasswordFile?: string;
  readonly config?: string;
}

export function stateCommand(io: Io): Command {
  const command = new Command('state')
    .summary('move, back up or repair the state')
    .description(
      'Moves the state of the controller between a file and PostgreSQL, and backs it up.',
    );
  command.addCommand(exportCommand(io));
  command.addCommand(importCommand(io));
  command.addCommand(acceptCommand(io));
  return addHelp(command, [
    'headgate state export --state headgate.db > state.jsonl',
    'headgate state import --state postgres://headgate@db/headgate < state.jsonl',
  ]);
}

function exportCommand(io: Io): Command {
  const command = new Command('export')
    .summary('print the whole state')
    .description(
      'Prints the whole state, to be imported elsewhere or kept as a backup. PostgreSQL may be in use ' +
        'meanwhile; a file may not.',
    )
    .action(async (options: StateOptions) => {
      const { exportState } = await import('../store/move-state.js');
      const { renderArchive } = await import('../store/archive.js');
      const archive = await exportState(await placeOf(options, io), await deps());
      io.out(renderArchive(archive));
      io.say(tell('exported', archive));
    });
  return addHelp(addStateOptions(command), ['headgate state export --state headgate.db > backup']);
}

function importCommand(io: Io): Command {
  const command = new Command('import')
    .summary('fill an empty state')
    .description('Fills an empty state with what was exported. No controller may have it open.')
    .argument('[file]', 'what `headgate state export` printed (default: standard input)')
    .action(async (file: string | undefined, options: StateOptions) => {
      const { importState } = await import('../store/move-state.js');
      const { parseArchive } = await import('../store/archive.js');
      const archive = parseArchive(readInput(file));
      await importState(await placeOf(options, io), archive, await deps());
      io.say(tell('imported', archive));
    });
  return addHelp(addStateOptions(command), [
    'headgate state import backup --state postgres://headgate@db/headgate',
    'headgate state export --state headgate.db | headgate state import --state-url-file url',
  ]);
}

function acceptCommand(io: Io): Command {
  const command = new Command('accept')
    .summary('go on from a database that has lost commits')
    .description(
      'Says that what the database has counts, although replicas have seen more: they go on from it, ' +
        'and may serve something older than now.',
    )
    .action(async (options: StateOptions) => {
      const { acceptState } = await import('../store/move-state.js');
      await acceptState(await placeOf(options, io), await deps());
      io.say('accepted: the replicas go on from what the database has');
    });
  return addHelp(addStateOptions(command), [
    'headgate state accept --state postgres://headgate@db/headgate --state-password-file password',
  ]);
}

function addStateOptions(command: Command): Command {
  return addConfigOption(command)
    .addOption(
      new Option('--state <file|url>', 'The state (or HEADGATE_STATE, or of the config file).'),
    )
    .addOption(new Option('--state-url-file <file>', "File with the state's PostgreSQL URL."))
    .addOption(new Option('--state-password-file <file>', 'File with the password for it.'));
}

async function placeOf(options: StateOptions, { env }: Io): Promise<StatePlace> {
  const file = await readConfigFile(options.config, env);
  const given = (flag: string | undefined, variable: string, key: StateSetting) =>
    flag ?? (env[variable] || undefined) ?? file?.values.get(key)?.text;
  if (options.state !== undefined && redacted(options.state) !== options.state) {
    throw new CliError(
      '--state holds a password, which every user of this machine can see; set HEADGATE_STATE, or ' +
        'give --state-password-file',
      usageExitCode,
    );
  }
  const urlFile = given(options.stateUrlFile, 'HEADGATE_STATE_URL_FILE', 'stateUrlFile');
  const passwordFile = given(
    options.statePasswordFile,
    'HEADGATE_STATE_PASSWORD_FILE',
    'statePasswordFile',
  );
  const { readSecret } = await import('../secrets.js');
  const read = (path: string) => readSecret({ kind: 'file', path }, env);
  const url = options.state ?? (urlFile === undefined ? undefined : read(urlFile));
  return {
    url: url ?? given(undefined, 'HEADGATE_STATE', 'state') ?? 'headgate.db',
    readPassword: passwordFile === undefined ? undefined : () => read(passwordFile),
  };
}

async function deps() {
  const { createClock } = await import('../clock.js');
  const { createLogger } = await import('../log.js');
  const logger = createLogger({ logLevel: 'error', logFormat: 'auto' });
  return { clock: createClock(), logger };
}

function readInput(file: string | undefined): string {
  try {
    return readFileSync(file ?? 0, 'utf8');
  } catch (error) {
    throw new CliError(`the archive cannot be read: ${errorText(error)}`);
  }
}

function tell(
  what: string,
  {
    values,
    history,
    outbox,
  }: { readonly [Part in 'values' | 'history' | 'outbox']: readonly unknown[] },
): string {
  return (
    `${what} ${values.length} values, ${history.length} entries of the history, ` +
    `${outbox.length} notifications`
  );
}
