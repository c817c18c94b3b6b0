/** `headgate status`: the controller on one page: what Git asks for, what is served, what waits. */
import { Command } from 'commander';
import type { RepositoryView, SourceView } from '../api/repository-view.js';
import type { StatusView } from '../api/view.js';
import { getJson } from './client.js';
import { nextSteps, renderHeadline, renderNextSteps } from './headline.js';
import type { Io, Style } from './io.js';
import { addHelp, addOutputOption, addServerOption, serverOf } from './options.js';
import {
  type Cell,
  type ListFormat,
  listFormats,
  paintState,
  renderData,
  renderFields,
  renderTable,
  showCommit,
  showTime,
} from './print.js';
import { rolloutTable } from './rollouts.js';
import { addWatchOption, showOrWatch, type WatchOptions } from './watch.js';

interface StatusOptions extends WatchOptions {
  readonly server?: string;
  readonly output: ListFormat;
}

export function statusCommand(io: Io): Command {
  const command = new Command('status')
    .summary('show what is served and what waits')
    .description('Shows what Git asks for, what is served, and what waits for whom.')
    .action(async (options: StatusOptions) => {
      const server = serverOf(options, io.env);
      await showOrWatch(options, io, async () => {
        const status = await getJson<StatusView>(server, '/api/v1/status');
        return render(status, options.output, io.outStyle);
      });
    });
  return addHelp(addWatchOption(addServerOption(addOutputOption(command, listFormats))), [
    'headgate status',
    'headgate status --watch',
    'headgate status -o json --server http://headgate.internal:8080',
  ]);
}

/** `name`: what moves or waits, for other commands. */
async function render(status: StatusView, output: ListFormat, style: Style): Promise<string> {
  switch (output) {
    case 'table':
    case 'wide':
      return renderStatus(status, style, output === 'wide');
    case 'name':
      return [...status.rollouts.map(({ id }) => id), ...status.held.map(({ rollout }) => rollout)]
        .map((id) => `${id}\n`)
        .join('');
    default:
      return renderData(status, output);
  }
}

function renderStatus(status: StatusView, style: Style, isWide: boolean): string {
  const { repositories, proxies, held, rollouts } = status;
  const counts = `${proxies.connected} connected, ${proxies.synced} synced`;
  const fields: (readonly [string, string | Cell])[] =
    repositories.length === 0
      ? repositoryFields(status, { ...status, name: '' }, style)
      : repositories.flatMap((one) => [
          [
            `Repository ${one.name}`,
            one.revision.desired === null ? 'nothing read yet' : '',
          ] as const,
          ...repositoryFields(status, one, style).map(
            ([name, value]) => [`  ${name}`, value] as const,
          ),
        ]);
  for (const mesh of status.meshes) {
    fields.push([`Mesh ${mesh.name}`, paintState(mesh.sync, style)]);
  }
  fields.push([
    'Proxies',
    proxies.rejected === 0
      ? counts
      : { text: `${counts}, ${proxies.rejected} rejected`, paint: style.red },
  ]);
  const parts = [renderHeadline(status, style), renderFields(fields)];
  if (rollouts.length > 0) {
    parts.push(rolloutTable(rollouts, style, isWide));
  }
  if (held.length > 0) {
    const rows = held.map((change) => [
      change.rollout,
      change.mesh,
      showCommit(change.revision),
      showTime(change.since),
      change.reason,
    ]);
    parts.push(renderTable(['held', 'mesh', 'revision', 'since', 'reason'], rows));
  }
  if (status.replicas !== undefined && status.replicas.replicas.length > 1) {
    parts.push(replicaTable(status.replicas, style));
  }
  const next = renderNextSteps(nextSteps(status), style);
  if (next !== '') {
    parts.push(next);
  }
  return parts.join('\n');
}

type Replicas = NonNullable<StatusView['replicas']>;

/** Who is there, of several: the one that was asked first. */
function replicaTable({ replicas, leader }: Replicas, style: Style): string {
  const rows = replicas.map(({ name, role, proxies, silentMs, xds, version }, index) => [
    index === 0 ? `${name} (asked)` : name,
    paintRole(role, style),
    String(proxies),
    index === 0 ? '-' : `${Math.round(silentMs / 1000)}s ago`,
    xds,
    version,
  ]);
  const table = renderTable(['replica', 'role', 'proxies', 'heard', 'xds', 'version'], rows);
  return leader === undefined ? `${table}${style.red('Nobody leads: nothing advances.')}\n` : table;
}

function paintRole(role: Replicas['role'], style: Style): Cell {
  const paint = {
    leading: style.green,
    following: style.dim,
    held: style.red,
    leftBehind: style.red,
  }[role];
  return { text: role, paint };
}

function repositoryFields(
  status: StatusView,
  { source, revision }: RepositoryView,
  style: Style,
): (readonly [string, string | Cell])[] {
  const { desired, applied, error } = revision;
  return [
    ['Source', describeSource(source, style)],
    ['Desired', describeCommit(status, desired)],
    ['Applied', describeCommit(status, applied)],
    ...(error === undefined ? [] : [['Rejected', { text: error, paint: style.red }] as const]),
  ];
}

function describeSource(source: SourceView, style: Style): string | Cell {
  const { state, lastSuccessAt, fetchedPercent, error } = source;
  if (fetchedPercent !== undefined) {
    return `cloning, ${fetchedPercent} %`;
  }
  const last =
    lastSuccessAt === null ? 'it never answered' : `last answer ${showTime(lastSuccessAt)}`;
  return error === undefined
    ? `${state}, ${last}`
    : { text: `${state}, ${last}: ${error.message} (${error.code})`, paint: style.red };
}

function describeCommit({ commits }: StatusView, id: string | null): string {
  const commit = id === null ? undefined : commits[id];
  return commit === undefined
    ? showCommit(id)
    : [showCommit(id), commit.title, commit.author && `(${commit.author})`]
        .filter(Boolean)
        .join('  ');
}
