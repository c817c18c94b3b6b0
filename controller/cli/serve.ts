/** `headgate serve`: runs the controller until it is told to stop. */
import { Command } from 'commander';
import { setFailpoint } from '../base/failpoint.js';
import type { SettingProblem } from '../config/setting-problem.js';
import { variableOf } from '../config/table.js';
import type { Settings } from '../config.js';
import type { Logger } from '../loop/ports.js';
import { CliError, type Io, usageExitCode } from './io.js';
import { nodeAdvice } from './node-version.js';
import { addHelp } from './options.js';
import { addConfigOption, readConfigFile } from './read-config.js';
import { addSettingOptions } from './setting-options.js';
import { untilStopped } from './signals.js';

/** As of a process that SIGTERM ended. */
const stoppedEarlyExitCode = 143;

/** For the log's reader to take the last lines. */
const lastLinesMs = 1_000;

/** What a stop may take beyond the drain before the process ends anyway. */
const stopMarginMs = 5_000;

export function serveCommand(io: Io): Command {
  const command = new Command('serve')
    .summary('run the controller')
    .description(
      'Runs the controller. Each option is also a variable (--ack-deadline is ' +
        `${variableOf('ackDeadline')}) and a key of the config file (ackDeadline); options win over ` +
        'variables, and those over the file. Secrets come from files or variables only.',
    );
  addSettingOptions(addConfigOption(command));
  command.action(async (flags: Readonly<Record<string, string | boolean | undefined>>) => {
    await serve(flags, io);
  });
  return addHelp(
    command,
    [
      'headgate serve --repo https://git.example/mesh.git',
      'headgate serve --repo ../mesh --poll 1s --state /var/lib/headgate/headgate.db',
      'HEADGATE_REPO=git@git.example:mesh.git headgate serve --config /etc/headgate.yaml',
    ],
    ['0  stopped by a signal', '1  failed', '2  the settings are wrong'],
  );
}

async function serve(
  { config, ...flags }: Readonly<Record<string, string | boolean | undefined>>,
  io: Io,
): Promise<void> {
  const { settings, warnings } = await readSettings(
    typeof config === 'string' ? config : undefined,
    flags,
    io,
  );
  const { createLogger } = await import('../log.js');
  const logger = createLogger(settings);
  for (const { place, message } of warnings) {
    logger.warn('setting.unknown', { place, message });
  }
  const advice = nodeAdvice(process.versions.node);
  if (advice !== undefined) {
    logger.warn('node.outdated', { advice });
  }
  armFailpoint(io, logger);
  const { startApp } = await import('../app.js');
  // A start may wait for a database that is starting too, and nothing else keeps the process up by then.
  const waiting = setInterval(() => {}, 1_000);
  const stopped = untilStopped();
  let isServing = false;
  // Until it serves there is nobody to say goodbye to.
  void stopped.then(() => isServing || process.exit(stoppedEarlyExitCode));
  const app = await startApp(settings, { logger }).finally(() => clearInterval(waiting));
  isServing = true;
  await stopped;
  const limit = setTimeout(() => process.exit(1), settings.drainMs + stopMarginMs);
  await app.stop();
  clearTimeout(limit);
  // Lines of the log that nobody reads would keep the process up.
  setTimeout(() => process.exit(), lastLinesMs).unref();
}

/** For tests that kill the program at a place of their choice; two variables, so that none does by chance. */
function armFailpoint({ env }: Io, logger: Logger): void {
  const point = env.HEADGATE_FAILPOINT;
  if (point && env.NODE_ENV === 'test') {
    setFailpoint(point, () => process.kill(process.pid, 'SIGKILL'));
    logger.warn('failpoint.armed', { point });
  }
}

async function readSettings(
  named: string | undefined,
  flags: Readonly<Record<string, string | boolean | undefined>>,
  io: Io,
): Promise<{ readonly settings: Settings; readonly warnings: readonly SettingProblem[] }> {
  const { resolveSettings } = await import('../config.js');
  const file = await readConfigFile(named, io.env);
  const { settings, problems } = resolveSettings({ flags, env: io.env, file });
  if (settings === undefined) {
    for (const { severity, place, message } of problems) {
      io.say(io.sayStyle.red(`headgate: ${severity}: ${place}: ${message}`));
    }
    throw new CliError('the settings are wrong; see `headgate serve --help`', usageExitCode);
  }
  return { settings, warnings: problems };
}
