/** `headgate history`: revisions, transitions, commands and refusals, newest first. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { HistoryView } from '../api/history-view.js';
import { getJson } from './client.js';
import type { Io } from './io.js';
import { addHelp, addOutputOption, addServerOption, serverOf } from './options.js';
import { type ListFormat, listFormats, renderData, renderTable, showTime } from './print.js';

interface HistoryOptions {
  readonly server?: string;
  readonly output: ListFormat;
  readonly kind?: string;
  readonly limit: string;
}

/** The kinds that the loop writes. */
const kinds = ['revision', 'rollout', 'command', 'proxy'];

export function historyCommand(io: Io): Command {
  const command = new Command('history')
    .summary('list what happened')
    .description('Lists revisions, transitions of rollouts, commands and refusals, newest first.')
    .addOption(new Option('--kind <kind>', 'Only entries of this kind.').choices(kinds))
    .addOption(
      new Option('--limit <count>', 'How many entries, at most 500.')
        .default('50')
        .argParser(readLimit),
    )
    .action(async ({ kind, limit, ...options }: HistoryOptions) => {
      const query = new URLSearchParams({ limit, ...(kind === undefined ? {} : { kind }) });
      const path = `/api/v1/history?${query}`;
      const entries = await getJson<readonly HistoryView[]>(serverOf(options, io.env), path);
      if (options.output === 'json' || options.output === 'yaml') {
        io.out(await renderData(entries, options.output));
      } else if (options.output === 'name') {
        io.out(entries.map(({ id }) => `${id}\n`).join(''));
      } else if (entries.length === 0) {
        io.say('Nothing has happened yet.');
      } else {
        const isWide = options.output === 'wide';
        const rows = entries.map(({ id, at, kind: of, rollout = '-', text }) => [
          ...(isWide ? [String(id)] : []),
          ...[showTime(at), of],
          ...(isWide ? [rollout] : []),
          text,
        ]);
        const headers = isWide ? ['id', 'at', 'kind', 'rollout', 'event'] : ['at', 'kind', 'event'];
        io.out(renderTable(headers, rows));
      }
    });
  return addHelp(addServerOption(addOutputOption(command, listFormats)), [
    'headgate history',
    'headgate history --kind command --limit 10 -o yaml',
  ]);
}

function readLimit(text: string): string {
  if (!/^\d{1,3}$/.test(text) || Number(text) < 1 || Number(text) > 500) {
    throw new InvalidArgumentError('It must be a number from 1 to 500.');
  }
  return text;
}
