/** `headgate proxies [ID]`: what each connected proxy was sent, acknowledged and refused. */
import { Command, Option } from 'commander';
import type { ProxyTypeName, ProxyView } from '../api/proxy-view.js';
import { getJson } from './client.js';
import type { Io, Style } from './io.js';
import { addHelp, addOutputOption, addServerOption, readHostPort, serverOf } from './options.js';
import {
  type Cell,
  type ListFormat,
  listFormats,
  paintState,
  renderData,
  renderFields,
  renderTable,
  showTime,
} from './print.js';
import { type RunningOptions, showDiff } from './proxy-diff.js';
import { addWatchOption, showOrWatch, type WatchOptions } from './watch.js';

interface ProxiesOptions extends WatchOptions, RunningOptions {
  readonly server?: string;
  readonly output: ListFormat;
  readonly diff?: boolean;
}

const types: readonly ProxyTypeName[] = ['cds', 'eds', 'lds', 'rds', 'sds'];

export function proxiesCommand(io: Io): Command {
  const command = new Command('proxies')
    .summary('list connected proxies, or show one')
    .description('Lists the connected proxies and how far each is, or shows one in detail.')
    .argument('[proxy]', 'id of a proxy')
    .addOption(
      new Option(
        '--diff',
        'Show what one is to have against what it acknowledged, and with one of the next two against ' +
          'what its Envoy runs; 1 where they differ.',
      ),
    )
    .addOption(
      new Option(
        '--admin <host:port>',
        "The admin interface of that proxy's Envoy; asked from here.",
      )
        .argParser(readHostPort)
        .implies({ diff: true })
        .conflicts('configDump'),
    )
    .addOption(
      new Option(
        '--config-dump <file>',
        "What its /config_dump?include_eds answered; '-' reads it from standard input.",
      ).implies({ diff: true }),
    )
    .action(async (id: string | undefined, options: ProxiesOptions) => {
      const server = serverOf(options, io.env);
      if (options.diff === true) {
        await showDiff(server, id, options, io);
        return;
      }
      await showOrWatch(options, io, () =>
        id === undefined ? list(server, options, io) : show(server, id, options, io),
      );
    });
  return addHelp(addWatchOption(addServerOption(addOutputOption(command, listFormats))), [
    'headgate proxies',
    'headgate proxies --watch',
    'headgate proxies proxy-7 --diff',
    'headgate proxies proxy-7 --diff --admin 127.0.0.1:9901',
    'headgate proxies -o json',
  ]);
}

async function list(server: string, { output }: ProxiesOptions, io: Io): Promise<string> {
  const proxies = await getJson<readonly ProxyView[]>(server, '/api/v1/proxies');
  if (output === 'json' || output === 'yaml') {
    return renderData(proxies, output);
  }
  if (output === 'name') {
    return proxies.map(({ id }) => `${id}\n`).join('');
  }
  if (proxies.length === 0) {
    io.say('No proxy is connected.');
    return '';
  }
  const isWide = output === 'wide';
  // Who refuses something is why somebody looks.
  const hasErrors = isWide || proxies.some((proxy) => errorOf(proxy) !== '');
  const rows = proxies.map((proxy) => [
    proxy.id,
    proxy.node,
    proxy.address,
    ...types.map((type) => stateCell(proxy, type, io.outStyle)),
    proxy.userAgent,
    ...(isWide ? [showTime(proxy.connectedAt)] : []),
    ...(hasErrors ? [errorOf(proxy)] : []),
  ]);
  const more = [...(isWide ? ['connected'] : []), ...(hasErrors ? ['error'] : [])];
  return renderTable(['proxy', 'node', 'address', ...types, 'version', ...more], rows);
}

async function show(
  server: string,
  id: string,
  { output }: ProxiesOptions,
  io: Io,
): Promise<string> {
  const proxy = await getJson<ProxyView>(server, `/api/v1/proxies/${encodeURIComponent(id)}`);
  if (output === 'json' || output === 'yaml') {
    return renderData(proxy, output);
  }
  if (output === 'name') {
    return `${proxy.id}\n`;
  }
  const fields = renderFields([
    ['Proxy', proxy.id],
    ['Node', proxy.node],
    ['Address', proxy.address],
    ['Version', proxy.userAgent],
    ['Connected', showTime(proxy.connectedAt)],
    ['State', paintState(proxy.state, io.outStyle)],
  ]);
  const rows = types.flatMap((type) => {
    const status = proxy.types[type];
    return status === undefined
      ? []
      : [
          [
            type,
            stateCell(proxy, type, io.outStyle),
            showTime(status.since),
            status.version || '-',
            status.ackedVersion || '-',
            status.error ?? '',
          ],
        ];
  });
  const headers = ['type', 'state', 'since', 'version', 'acknowledged', 'error'];
  return rows.length === 0 ? fields : `${fields}\n${renderTable(headers, rows)}`;
}

/** Envoy's own words on the first thing that it refused. */
function errorOf({ types: all }: ProxyView): string {
  return Object.values(all).find(({ error }) => error !== undefined)?.error ?? '';
}

/** Upper case, as istioctl's users know it; a dash where the proxy has not asked for the type. */
function stateCell(proxy: ProxyView, type: ProxyTypeName, style: Style): Cell {
  const status = proxy.types[type];
  const words = { synced: 'SYNCED', stale: 'STALE', rejected: 'REJECTED', notSent: 'NOT SENT' };
  return status === undefined
    ? { text: '-' }
    : { ...paintState(status.state, style), text: words[status.state] };
}
