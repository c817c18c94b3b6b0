/**
 * `headgate healthcheck`: whether the controller is alive, for containers that have no curl. Alive and
 * not ready, by default: restarting a controller that waits for Git would not bring Git back.
 */
import { Command, Option } from 'commander';
import { getText } from './client.js';
import { CliError, type Io } from './io.js';
import { addHelp, addServerOption, serverOf } from './options.js';

interface HealthcheckOptions {
  readonly server?: string;
  readonly ready?: boolean;
}

export function healthcheckCommand(io: Io): Command {
  const command = new Command('healthcheck')
    .summary('ask whether the controller is alive')
    .description('Asks whether the controller is alive, for the health check of a container.')
    .addOption(new Option('--ready', 'Ask whether it is ready to serve proxies too.'))
    .action(async (options: HealthcheckOptions) => {
      const path = options.ready === true ? '/readyz' : '/livez';
      const { status, text } = await getText(serverOf(options, io.env), path);
      io.out(text);
      if (status !== 200) {
        throw new CliError(`${path} answered ${status}`);
      }
    });
  return addHelp(addServerOption(command), [
    'headgate healthcheck',
    'headgate healthcheck --ready --server http://127.0.0.1:8080',
  ]);
}
