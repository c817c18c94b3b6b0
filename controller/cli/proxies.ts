/** `headgate proxies [ID]`: what each connected proxy was sent, acknowledged and refused. */
import { Command } from 'commander';
import type { ProxyTypeName, ProxyView } from '../api/proxy-view.js';
import { getJson } from './client.js';
import type { Io, Style } from './io.js';
import { addHelp, addOutputOption, addServerOption, serverOf } from './options.js';
import {
  type Cell,
  type OutputFormat,
  paintState,
  renderData,
  renderFields,
  renderTable,
  showTime,
} from './print.js';
import { addWatchOption, showOrWatch, type WatchOptions } from './watch.js';

interface ProxiesOptions extends WatchOptions {
  readonly server?: string;
  readonly output: OutputFormat;
}

const types: readonly ProxyTypeName[] = ['cds', 'eds', 'lds', 'rds', 'sds'];

export function proxiesCommand(io: Io): Command {
  const command = new Command('proxies')
    .summary('list connected proxies, or show one')
    .description('Lists the connected proxies and how far each is, or shows one in detail.')
    .argument('[proxy]', 'id of a proxy')
    .action(async (id: string | undefined, options: ProxiesOptions) => {
      const server = serverOf(options, io.env);
      await showOrWatch(options, io, () =>
        id === undefined ? list(server, options, io) : show(server, id, options, io),
      );
    });
  return addHelp(addWatchOption(addServerOption(addOutputOption(command))), [
    'headgate proxies',
    'headgate proxies --watch',
    'headgate proxies -o json',
  ]);
}

async function list(server: string, { output }: ProxiesOptions, io: Io): Promise<string> {
  const proxies = await getJson<readonly ProxyView[]>(server, '/api/v1/proxies');
  if (output !== 'table') {
    return renderData(proxies, output);
  }
  if (proxies.length === 0) {
    io.say('No proxy is connected.');
    return '';
  }
  const rows = proxies.map((proxy) => [
    proxy.id,
    proxy.node,
    proxy.address,
    ...types.map((type) => stateCell(proxy, type, io.outStyle)),
    proxy.userAgent,
  ]);
  return renderTable(['proxy', 'node', 'address', ...types, 'version'], rows);
}

async function show(
  server: string,
  id: string,
  { output }: ProxiesOptions,
  io: Io,
): Promise<string> {
  const proxy = await getJson<ProxyView>(server, `/api/v1/proxies/${encodeURIComponent(id)}`);
  if (output !== 'table') {
    return renderData(proxy, output);
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

/** Upper case, as istioctl's users know it; a dash where the proxy has not asked for the type. */
function stateCell(proxy: ProxyView, type: ProxyTypeName, style: Style): Cell {
  const status = proxy.types[type];
  const words = { synced: 'SYNCED', stale: 'STALE', rejected: 'REJECTED', notSent: 'NOT SENT' };
  return status === undefined
    ? { text: '-' }
    : { ...paintState(status.state, style), text: words[status.state] };
}
