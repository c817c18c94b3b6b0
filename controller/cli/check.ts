/** `headgate check [--pre]`: what is well, what is not, and what to do, before set-up and after it. */
import { Command, Option } from 'commander';
import { printable } from '../base/printable.js';
import type { Ask } from '../check/controller.js';
import type { Category, Result } from '../check/result.js';
import type { Settings } from '../config.js';
import { getAnswer } from './client.js';
import { CliError, type Io, type Style, usageExitCode } from './io.js';
import { nodeAdvice } from './node-version.js';
import { addHelp, addServerOption, serverOf } from './options.js';
import { renderData } from './print.js';
import { addConfigOption, readConfigFile } from './read-config.js';
import { addSettingOptions } from './setting-options.js';

type Flags = Readonly<Record<string, string | boolean | undefined>>;

export function checkCommand(io: Io): Command {
  const command = new Command('check')
    .summary('check a set-up, before it runs and while it does')
    .description(
      'Checks what the settings of `serve` point to (repository, state, ports, certificates, tokens) ' +
        'and the controller that runs; with --pre, that it could be started here. Nothing is changed. ' +
        'Without settings only the controller is asked. It takes every option of `serve`.',
    )
    .addOption(new Option('--pre', 'Before set-up: ports must be free, no controller is asked.'))
    .addOption(
      new Option('-o, --output <format>', 'Form of the output.')
        .choices(['table', 'json', 'yaml'])
        .default('table'),
    );
  addSettingOptions(addConfigOption(addServerOption(command)));
  command.action(async ({ pre, output, server, config, ...flags }: Flags) => {
    const categories = await check({ pre: pre === true, server, config, flags }, io);
    const hasFailed = categories.some(({ checks }) =>
      checks.some(({ result }) => result === 'error'),
    );
    io.out(
      output === 'table'
        ? renderCategories(categories, io.outStyle)
        : await renderData(
            { success: !hasFailed, categories },
            output === 'yaml' ? 'yaml' : 'json',
          ),
    );
    io.exitCode = hasFailed ? 1 : 0;
  });
  return addHelp(
    command,
    [
      'headgate check --pre --config /etc/headgate.yaml',
      'headgate check --pre --repo https://git.example/mesh.git --git-token-file token',
      'headgate check',
      'headgate check -o json --server http://headgate.internal:8080',
    ],
    [
      '0  nothing has failed; warnings may be there',
      '1  a check has failed',
      '2  the command line is wrong',
    ],
  );
}

interface CheckOptions {
  readonly pre: boolean;
  readonly server: Flags[string];
  readonly config: Flags[string];
  readonly flags: Flags;
}

async function check(options: CheckOptions, io: Io): Promise<readonly Category[]> {
  const { pre, config, flags } = options;
  const { runChecks } = await import('../check/run.js');
  const settings = await readSettings(typeof config === 'string' ? config : undefined, flags, io);
  if (pre && settings === undefined) {
    throw new CliError(
      '--pre needs settings: name the repository with --repo, or a file with --config',
      usageExitCode,
    );
  }
  const named = typeof options.server === 'string' ? options.server : undefined;
  const server = serverOf({ server: named }, io.env);
  const ask: Ask = (path) => getAnswer(server, path);
  return runChecks({
    settings,
    env: io.env,
    nodeAdvice: nodeAdvice(process.versions.node),
    controller: pre ? undefined : { server, ask },
    onCategory: (name) => {
      if (io.isTalkSeen) {
        io.say(io.sayStyle.dim(`checking: ${name}`));
      }
    },
  });
}

/** Undefined where no repository is named anywhere: then there are no settings to check. */
async function readSettings(
  config: string | undefined,
  flags: Flags,
  io: Io,
): Promise<Settings | undefined> {
  const file = await readConfigFile(config, io.env);
  const isNamed =
    Object.keys(flags).length > 0 || file !== undefined || Boolean(io.env.HEADGATE_REPO);
  if (!isNamed) {
    return undefined;
  }
  const { resolveSettings } = await import('../config.js');
  const { settings, problems } = resolveSettings({ flags, env: io.env, file });
  for (const { severity, place, message } of problems) {
    const paint = severity === 'error' ? io.sayStyle.red : io.sayStyle.yellow;
    io.say(paint(`headgate: ${severity}: ${place}: ${message}`));
  }
  if (settings === undefined) {
    throw new CliError('the settings are wrong; see `headgate serve --help`', usageExitCode);
  }
  return settings;
}

const marks: Readonly<Record<Result, string>> = { ok: '✔', warning: '!', error: '✖', skipped: '-' };

export function renderCategories(categories: readonly Category[], style: Style): string {
  const paint = { ok: style.green, warning: style.yellow, error: style.red, skipped: style.dim };
  const width = Math.max(
    ...categories.flatMap(({ checks }) => checks.map(({ name }) => name.length)),
  );
  const blocks = categories.map(({ name, checks }) => {
    const lines = checks.flatMap((one) => [
      `  ${paint[one.result](marks[one.result])} ${one.name.padEnd(width)}   ${printable(one.detail)}`.trimEnd(),
      ...(one.hint === undefined ? [] : [`    ${' '.repeat(width)}   → ${printable(one.hint)}`]),
    ]);
    return `${style.bold(name)}\n${lines.join('\n')}\n`;
  });
  const count = (result: Result) =>
    categories.flatMap(({ checks }) => checks).filter((one) => one.result === result).length;
  const [failed, warned] = [count('error'), count('warning')];
  const verdict = failed > 0 ? style.red(`${failed} failed`) : style.green('nothing has failed');
  return `${blocks.join('\n')}\n${verdict}${warned > 0 ? `, ${warned} to look at` : ''}\n`;
}
