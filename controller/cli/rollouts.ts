/** `headgate rollouts [ID]`: all rollouts that are known, or one in detail. */
import { Command } from 'commander';
import type { HistoryView } from '../api/history-view.js';
import type { RolloutView } from '../api/rollout-view.js';
import { getJson } from './client.js';
import { CliError, type Io, type Style, usageExitCode } from './io.js';
import { addHelp, addOutputOption, addServerOption, serverOf } from './options.js';
import {
  type ListFormat,
  listFormats,
  paintState,
  renderData,
  renderTable,
  showCommit,
  showTime,
} from './print.js';
import { renderRollout, showProgress } from './render-rollout.js';
import {
  addWaitOptions,
  addWatchOption,
  showOrWatch,
  timeoutExitCode,
  type WaitOptions,
  type WatchOptions,
  waitUntil,
} from './watch.js';

interface RolloutsOptions extends WatchOptions, WaitOptions {
  readonly server?: string;
  readonly output: ListFormat;
}

/** Entries that are looked through for those of one rollout: the last days of a busy mesh. */
const historyMax = 500;

export function rolloutsCommand(io: Io): Command {
  const command = new Command('rollouts')
    .summary('list rollouts, or show one')
    .description('Lists the rollouts, newest first, or shows one in detail.')
    .argument('[rollout]', 'id of a rollout')
    .action(async (id: string | undefined, options: RolloutsOptions) => {
      const server = serverOf(options, io.env);
      if (options.wait === true) {
        await waitForEnd(server, id, options, io);
      }
      await showOrWatch(options, io, () =>
        id === undefined ? list(server, options, io) : show(server, id, options, io),
      );
    });
  addWaitOptions(command, 'Wait for the end of the rollout; 1 where it did not succeed.');
  return addHelp(
    addWatchOption(addServerOption(addOutputOption(command, listFormats))),
    [
      'headgate rollouts',
      'headgate rollouts reviews-3 --watch',
      'headgate rollouts reviews-3 --wait --timeout 30m',
      'headgate rollouts -o json',
    ],
    [
      '0    done; with --wait, the rollout succeeded',
      '1    failed; with --wait, the rollout did not succeed',
      '2    the command line is wrong',
      `${timeoutExitCode}  --wait: it had not ended in time`,
    ],
  );
}

/** Returns when the rollout has ended; its end is the command's exit code. */
async function waitForEnd(
  server: string,
  id: string | undefined,
  { timeout }: RolloutsOptions,
  io: Io,
): Promise<void> {
  if (id === undefined) {
    throw new CliError('--wait needs the id of a rollout', usageExitCode);
  }
  const path = `/api/v1/rollouts/${encodeURIComponent(id)}`;
  const what = `rollout ${id} has not ended`;
  await waitUntil({ what, timeoutMs: timeout, io }, async () => {
    const { phase, endedAt } = await getJson<RolloutView>(server, path);
    io.exitCode = phase === 'Succeeded' ? 0 : 1;
    return endedAt !== undefined;
  });
}

async function list(server: string, { output }: RolloutsOptions, io: Io): Promise<string> {
  const rollouts = await getJson<readonly RolloutView[]>(server, '/api/v1/rollouts');
  if (output === 'json' || output === 'yaml') {
    return renderData(rollouts, output);
  }
  if (output === 'name') {
    return rollouts.map(({ id }) => `${id}\n`).join('');
  }
  if (rollouts.length === 0) {
    io.say('There are no rollouts.');
    return '';
  }
  return rolloutTable(rollouts, io.outStyle, output === 'wide');
}

async function show(
  server: string,
  id: string,
  { output }: RolloutsOptions,
  io: Io,
): Promise<string> {
  const path = `/api/v1/rollouts/${encodeURIComponent(id)}`;
  const rollout = await getJson<RolloutView>(server, path);
  if (output === 'json' || output === 'yaml') {
    return renderData(rollout, output);
  }
  if (output === 'name') {
    return `${rollout.id}\n`;
  }
  const kinds = ['rollout', 'command'].map((kind) =>
    getJson<readonly HistoryView[]>(server, `/api/v1/history?kind=${kind}&limit=${historyMax}`),
  );
  const events = (await Promise.all(kinds)).flat().filter((event) => event.rollout === rollout.id);
  return renderRollout(
    rollout,
    events.sort((left, right) => left.id - right.id),
    io.outStyle,
  );
}

/** What it waits for, and since when where that is not its own doing; or why it ended as it did. */
function whyNow(rollout: RolloutView): string {
  const { endedAt, waitsFor, isHeld, phase, since, reason } = rollout;
  if (endedAt !== undefined || waitsFor === undefined) {
    return isHeld === true ? `held, retry tries it again: ${reason}` : reason;
  }
  const isStopped = phase === 'Paused' || phase === 'Pending' || phase.startsWith('WaitingFor');
  return isStopped
    ? `waits since ${showTime(since)} for ${waitsFor}: ${reason}`
    : `waits for ${waitsFor}`;
}

/** One line a rollout, with what it waits for or why it ended. */
export function rolloutTable(
  rollouts: readonly RolloutView[],
  style: Style,
  isWide = false,
): string {
  const rows = rollouts.map((rollout) => [
    rollout.id,
    rollout.mesh,
    paintState(rollout.phase, style),
    `${rollout.step.index}/${rollout.step.count}`,
    showProgress(rollout),
    showCommit(rollout.revision),
    showTime(rollout.startedAt),
    ...(isWide ? [rollout.policy ?? '-', rollout.commit.author, rollout.commit.title] : []),
    // As long as it likes, so at the end.
    whyNow(rollout),
  ]);
  const headers = [
    ...['rollout', 'mesh', 'phase', 'step', 'progress', 'revision', 'started'],
    ...(isWide ? ['policy', 'author', 'title'] : []),
    'reason',
  ];
  return renderTable(headers, rows);
}
