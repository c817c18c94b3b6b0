/** `headgate history`: revisions, transitions, commands and refusals, newest first. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { HistoryView } from '../api/history-view.js';
import { getJson } from './client.js';
import type { Io } from './io.js';
import { addHelp, addOutputOption, addServerOption, serverOf } from './options.js';
import {
  type ListFormat,
  listFormats,
  renderData,
  renderLineOf,
  renderTable,
  showTime,
} from './print.js';
import { eachSecond, type WatchOptions } from './watch.js';

interface HistoryOptions extends Pick<WatchOptions, 'watch'> {
  readonly server?: string;
  readonly output: ListFormat;
  readonly kind?: string;
  readonly rollout?: string;
  readonly limit: string;
}

/** The kinds that the loop writes. */
const kinds = ['revision', 'rollout', 'command', 'proxy'];
const kindWidth = Math.max(...kinds.map((kind) => kind.length));

export function historyCommand(io: Io): Command {
  const command = new Command('history')
    .alias('events')
    .summary('list what happened')
    .description('Lists revisions, transitions of rollouts, commands and refusals, newest first.')
    .addOption(new Option('--kind <kind>', 'Only entries of this kind.').choices(kinds))
    .addOption(new Option('--rollout <rollout>', 'Only entries about this rollout.'))
    .addOption(new Option('-w, --watch', 'Print the oldest first, and each new one as it comes.'))
    .addOption(
      new Option('--limit <count>', 'How many entries, at most 500.')
        .default('50')
        .argParser(readLimit),
    )
    .action((options: HistoryOptions) =>
      options.watch === true ? follow(options, io) : list(options, io),
    );
  return addHelp(addServerOption(addOutputOption(command, listFormats)), [
    'headgate history',
    'headgate history --rollout reviews-3 --watch',
    'headgate history --kind command --limit 10 -o yaml',
  ]);
}

async function list(options: HistoryOptions, io: Io): Promise<void> {
  const { output } = options;
  const entries = await read(options, io);
  if (output === 'json' || output === 'yaml') {
    io.out(await renderData(entries, output));
  } else if (output === 'name') {
    io.out(entries.map(({ id }) => `${id}\n`).join(''));
  } else if (entries.length === 0) {
    const isFiltered = options.kind !== undefined || options.rollout !== undefined;
    io.say(isFiltered ? 'There is no such entry.' : 'Nothing has happened yet.');
  } else {
    io.out(
      renderTable(
        headersOf(output),
        entries.map((entry) => rowOf(entry, output)),
      ),
    );
  }
}

/** Until a signal: the newest entries, and from then on each one that comes. */
async function follow(options: HistoryOptions, io: Io): Promise<void> {
  let newest = -1;
  await eachSecond(io, async () => {
    const entries = await read(options, io);
    const fresh = entries.filter(({ id }) => id > newest).reverse();
    newest = fresh.at(-1)?.id ?? newest;
    for (const entry of fresh) {
      io.out(await renderLine(entry, options.output));
    }
  });
}

/** One entry by itself: a line, or a document of YAML. */
async function renderLine(entry: HistoryView, output: ListFormat): Promise<string> {
  switch (output) {
    case 'json':
      return `${JSON.stringify(entry)}\n`;
    case 'yaml':
      return `---\n${await renderData(entry, output)}`;
    case 'name':
      return `${entry.id}\n`;
    default:
      // Each is printed before the next one is known, so the column cannot be as wide as its texts.
      return renderLineOf(rowOf({ ...entry, kind: entry.kind.padEnd(kindWidth) }, output));
  }
}

function read({ kind, rollout, limit, ...options }: HistoryOptions, io: Io) {
  const query = new URLSearchParams({
    limit,
    ...(kind === undefined ? {} : { kind }),
    ...(rollout === undefined ? {} : { rollout }),
  });
  return getJson<readonly HistoryView[]>(serverOf(options, io.env), `/api/v1/history?${query}`);
}

function headersOf(output: ListFormat): readonly string[] {
  return output === 'wide' ? ['id', 'at', 'kind', 'rollout', 'event'] : ['at', 'kind', 'event'];
}

function rowOf({ id, at, kind, rollout = '-', text }: HistoryView, output: ListFormat) {
  const isWide = output === 'wide';
  return [
    ...(isWide ? [String(id)] : []),
    ...[showTime(at), kind],
    ...(isWide ? [rollout] : []),
    text,
  ];
}

function readLimit(text: string): string {
  if (!/^\d{1,3}$/.test(text) || Number(text) < 1 || Number(text) > 500) {
    throw new InvalidArgumentError('It must be a number from 1 to 500.');
  }
  return text;
}
