/** `headgate rollouts [ID]`: all rollouts that are known, or one in detail. */
import { Command } from 'commander';
import type { HistoryView } from '../api/history-view.js';
import type { RolloutView } from '../api/rollout-view.js';
import { getJson } from './client.js';
import type { Io, Style } from './io.js';
import { addHelp, addOutputOption, addServerOption, serverOf } from './options.js';
import {
  type OutputFormat,
  paintState,
  renderData,
  renderTable,
  showCommit,
  showPercent,
  showTime,
} from './print.js';
import { renderRollout } from './render-rollout.js';

interface RolloutsOptions {
  readonly server?: string;
  readonly output: OutputFormat;
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
      io.out(await (id === undefined ? list(server, options, io) : show(server, id, options, io)));
    });
  return addHelp(addServerOption(addOutputOption(command)), [
    'headgate rollouts',
    'headgate rollouts reviews-3',
    'headgate rollouts -o json',
  ]);
}

async function list(server: string, { output }: RolloutsOptions, io: Io): Promise<string> {
  const rollouts = await getJson<readonly RolloutView[]>(server, '/api/v1/rollouts');
  if (output !== 'table') {
    return renderData(rollouts, output);
  }
  if (rollouts.length === 0) {
    io.say('There are no rollouts.');
    return '';
  }
  return rolloutTable(rollouts, io.outStyle);
}

async function show(
  server: string,
  id: string,
  { output }: RolloutsOptions,
  io: Io,
): Promise<string> {
  const path = `/api/v1/rollouts/${encodeURIComponent(id)}`;
  const rollout = await getJson<RolloutView>(server, path);
  if (output !== 'table') {
    return renderData(rollout, output);
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

/** One line a rollout, with what it waits for or why it ended. */
export function rolloutTable(rollouts: readonly RolloutView[], style: Style): string {
  const rows = rollouts.map((rollout) => [
    rollout.id,
    rollout.mesh,
    paintState(rollout.phase, style),
    `${rollout.step.index}/${rollout.step.count}`,
    showPercent(rollout.progress),
    showCommit(rollout.revision),
    showTime(rollout.startedAt),
    rollout.endedAt === undefined && rollout.waitsFor !== undefined
      ? `waits for ${rollout.waitsFor}`
      : rollout.reason,
  ]);
  const headers = ['rollout', 'mesh', 'phase', 'step', 'progress', 'revision', 'started', 'reason'];
  return renderTable(headers, rows);
}
