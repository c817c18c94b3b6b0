/**
 * `headgate proxies ID --diff`: intended against acknowledged, and against what runs where Envoy's own config
 * dump is at hand. Envoy is asked by this command, not by the controller, so it needs to be reached from here
 * alone.
 */
import { readFileSync } from 'node:fs';
import type { ProxyConfigView, ProxyResourceView } from '../api/proxy-config-view.js';
import type { ProxyView } from '../api/proxy-view.js';
import { errorText } from '../base/op-error.js';
import { type HostPort, renderHostPort } from '../base/socket-address.js';
import type { ConfigDump } from '../envoy/config-dump.js';
import { getJson } from './client.js';
import { CliError, type Io, usageExitCode } from './io.js';
import { type ListFormat, renderData } from './print.js';

/** Where Envoy's config dump is; undefined, both: only what the controller knows is compared. */
export interface RunningOptions {
  readonly admin?: HostPort;
  readonly configDump?: string;
}

/** A proxy with thousands of clusters writes tens of megabytes. */
const adminTimeoutMs = 30_000;

const dumpPath = '/config_dump?include_eds';

/** Writes what differs; the exit code is 1 where anything does. */
export async function showDiff(
  server: string,
  id: string | undefined,
  options: RunningOptions & { readonly output: ListFormat },
  io: Io,
): Promise<void> {
  if (id === undefined) {
    throw new CliError('--diff needs the id of a proxy', usageExitCode);
  }
  const path = `/api/v1/proxies/${encodeURIComponent(id)}`;
  const { resources } = await getJson<ProxyConfigView>(server, `${path}/config`);
  const dump = await readDump(options);
  if (dump === undefined) {
    await showKnown(id, resources, options.output, io);
    return;
  }
  const { node } = await getJson<ProxyView>(server, path);
  if (dump.nodeId !== undefined && dump.nodeId !== node) {
    throw new CliError(`the config dump is of ${dump.nodeId}, and ${id} is ${node}`);
  }
  await showRunning(id, resources, dump, options.output, io);
}

async function showKnown(
  id: string,
  resources: readonly ProxyResourceView[],
  output: ListFormat,
  io: Io,
): Promise<void> {
  const { renderProxyDiff } = await import('./render-proxy-diff.js');
  const differing = resources.filter(
    ({ desired, running }) => desired?.version !== running?.version,
  );
  io.exitCode = differing.length === 0 ? 0 : 1;
  const render = () => renderProxyDiff(differing, io.outStyle);
  io.out(await inForm(output, { data: differing, differing, render }));
  if (differing.length === 0) {
    io.say(`${id} has acknowledged all ${resources.length} resources as they are to be.`);
  }
}

async function showRunning(
  id: string,
  resources: readonly ProxyResourceView[],
  dump: ConfigDump,
  output: ListFormat,
  io: Io,
): Promise<void> {
  const [{ compareRunning }, { renderRunningDiff }] = await Promise.all([
    import('./compare-running.js'),
    import('./render-proxy-diff.js'),
  ]);
  const compared = compareRunning(resources, dump);
  const differing = compared.filter(({ differs }) => differs);
  const untold = compared.filter(({ runs }) => runs === 'notTold');
  io.exitCode = differing.length === 0 ? 0 : 1;
  const render = () => renderRunningDiff(differing, io.outStyle);
  io.out(await inForm(output, { data: compared, differing, render }));
  if (untold.length > 0) {
    const types = [...new Set(untold.map(({ type }) => type))].join(', ');
    io.say(`The config dump tells nothing of ${types}; ask for ${dumpPath}.`);
  }
  if (differing.length === 0) {
    const count = compared.length - untold.length;
    io.say(`${id} has acknowledged and runs all ${count} resources as they are to be.`);
  }
}

interface Forms {
  readonly data: unknown;
  readonly differing: readonly { readonly type: string; readonly name: string }[];
  readonly render: () => string;
}

async function inForm(output: ListFormat, { data, differing, render }: Forms): Promise<string> {
  if (output === 'json' || output === 'yaml') {
    return renderData(data, output);
  }
  return output === 'name'
    ? differing.map(({ type, name }) => `${type}/${name}\n`).join('')
    : render();
}

async function readDump({ admin, configDump }: RunningOptions): Promise<ConfigDump | undefined> {
  if (admin === undefined && configDump === undefined) {
    return undefined;
  }
  const [text, where] =
    admin === undefined
      ? [readDumpFile(configDump ?? ''), `the file ${configDump}`]
      : [await askEnvoy(admin), renderHostPort(admin)];
  const { readConfigDump } = await import('../envoy/config-dump.js');
  const dump = readConfigDump(parseJson(text));
  if (dump === undefined) {
    throw new CliError(`${where} gives no config dump of an Envoy (${dumpPath}, as JSON)`);
  }
  return dump;
}

async function askEnvoy(admin: HostPort): Promise<string> {
  const where = renderHostPort(admin);
  try {
    const answer = await fetch(`http://${where}${dumpPath}`, {
      redirect: 'error',
      signal: AbortSignal.timeout(adminTimeoutMs),
    });
    return await answer.text();
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new CliError(
      `cannot ask Envoy at ${where}: ${errorText(cause)}; is that its admin interface? ` +
        'Where it listens on another machine, fetch the dump there and name it with --config-dump',
    );
  }
}

function readDumpFile(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new CliError(`the config dump cannot be read: ${errorText(error)}`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
