/** `headgate alerts`: the alert rules for Prometheus, with links to runbooks where there is a page to link to. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Io } from './io.js';
import { addHelp } from './options.js';

interface AlertsOptions {
  readonly runbookUrl?: string;
}

export function alertsCommand(io: Io): Command {
  const command = new Command('alerts')
    .summary('print alert rules for Prometheus')
    .description(
      'Prints the alert rules for Prometheus. With the address at which your people read the runbooks ' +
        '(docs/operations/runbooks.md) each rule links to its part of that page, as runbook_url.',
    )
    .addOption(
      new Option(
        '--runbook-url <url>',
        'Page with the runbooks; without it no rule links.',
      ).argParser(readPage),
    )
    .action(async ({ runbookUrl }: AlertsOptions) => {
      const { renderAlertRules } = await import('../monitoring/alert-rules.js');
      io.out(renderAlertRules(runbookUrl));
    });
  return addHelp(command, [
    'headgate alerts > alerts.yaml',
    'headgate alerts --runbook-url https://wiki.example/headgate/runbooks > alerts.yaml',
  ]);
}

function readPage(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hash !== '') {
    throw new InvalidArgumentError('It must be an http or https URL without a fragment.');
  }
  return url.href;
}
