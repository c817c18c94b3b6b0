/**
 * `npm run bench:xds -- [--clients 100,500] [--services 100,1000] [--variants delta,sotw] [--runs 3]
 * [--servers ours,shared,linear]`: our xDS server beside go-control-plane's caches, on the same bytes. Of
 * each cell all servers run one after the other, several times over, so that noise falls on all alike;
 * every run has a fresh server. Printed are medians, and ours divided by each of the others. It needs Go,
 * which fetches its modules, and Linux's /proc. Whoever measures 2,000 clients raises `ulimit -n` first.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { protoTypeOf } from '../../../controller/envoy/snapshot.js';
import { fieldHeader } from '../../../controller/xds/wire.js';
import { createSyntheticMesh } from '../../../controller/xds-target/synthetic.js';
import { projectPath } from '../../support/project.js';

const run = promisify(execFile);
const target = fileURLToPath(new URL('../../../controller/xds-target/main.js', import.meta.url));

/** What the client prints, and how it is headed. */
const figures = {
  stormS: 'storm s',
  stormCpuS: 'storm CPU s',
  updateMedianMs: 'update ms, median',
  updateP99Ms: 'p99',
  updateLastMs: 'last',
  updateCpuS: 'update CPU s',
  rssMb: 'RSS MB',
} as const;

type Result = Readonly<Record<keyof typeof figures, number>>;

interface Cell {
  readonly clients: number;
  readonly services: number;
  readonly variant: string;
}

/** Of each server the program and its arguments. */
type Commands = Readonly<Record<string, (cell: Cell, world: string) => readonly string[]>>;

const { values: options } = parseArgs({
  options: {
    clients: { type: 'string', default: '100,500' },
    services: { type: 'string', default: '100,1000' },
    variants: { type: 'string', default: 'delta,sotw' },
    servers: { type: 'string', default: 'ours,ours-each,shared,each,linear' },
    runs: { type: 'string', default: '3' },
  },
});
const runs = Number(options.runs);
const folder = await mkdtemp(join(tmpdir(), 'headgate-bench-'));
try {
  const commands = await buildCommands();
  const servers = options.servers.split(',');
  for (const services of options.services.split(',').map(Number)) {
    const world = await writeWorld(services);
    for (const clients of options.clients.split(',').map(Number)) {
      for (const variant of options.variants.split(',')) {
        const cell = { clients, services, variant };
        const results = new Map<string, Result[]>(servers.map((server) => [server, []]));
        for (let round = 0; round < runs; round += 1) {
          for (const [server, list] of results) {
            list.push(await measure(commands[server]?.(cell, world) ?? [], cell, world));
          }
        }
        print(cell, new Map([...results].map(([server, list]) => [server, medians(list)])));
      }
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Compiles the client and the peer. */
async function buildCommands(): Promise<Commands> {
  const cwd = projectPath('test/bench/xds');
  await run('go', ['build', '-o', `${folder}/`, './client', './peer'], { cwd });
  const ours =
    (views: string) =>
    ({ services, clients }: Cell) => {
      const mesh = ['--services', `${services}`, '--nodes', `${clients}`, '--views', views];
      return [process.execPath, target, ...mesh];
    };
  const peer =
    (backend: string) =>
    ({ clients }: Cell, world: string) => {
      const cache = ['--backend', backend, '--nodes', `${clients}`, '--world', world];
      return [join(folder, 'peer'), ...cache];
    };
  return {
    ours: ours('shared'),
    'ours-each': ours('each'),
    shared: peer('shared'),
    each: peer('each'),
    linear: peer('linear'),
  };
}

/** The synthetic mesh for programs in Go: a DiscoveryResponse a type. */
async function writeWorld(services: number): Promise<string> {
  const world = join(folder, `world-${services}`);
  await mkdir(world);
  const snapshot = createSyntheticMesh(services).snapshot();
  for (const type of Object.keys(protoTypeOf) as (keyof typeof protoTypeOf)[]) {
    const resourcesField = 2;
    const parts = [...snapshot[type].byName.values()].flatMap(({ any }) => [
      fieldHeader(resourcesField, any.length),
      any,
    ]);
    await writeFile(join(world, type), Buffer.concat(parts));
  }
  return world;
}

async function measure(
  [program = '', ...args]: readonly string[],
  { clients, variant }: Cell,
  world: string,
): Promise<Result> {
  const ports = ['--xds', '127.0.0.1:0', '--ctl', '127.0.0.1:0'];
  const server = spawn(program, [...args, ...ports], { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(server, 'exit');
  try {
    const started = once(createInterface(server.stdout), 'line') as Promise<[string]>;
    const [line] = await Promise.race([started, exited.then(() => ['the server ended'])]);
    const [, xds = '', ctl = ''] = /: xds (\S+) ctl (\S+)$/.exec(String(line)) ?? [];
    const flags = ['--xds', xds, '--ctl', ctl, '--world', world, '--pid', `${server.pid}`];
    const load = ['--clients', `${clients}`, '--variant', variant];
    const { stdout } = await run(join(folder, 'client'), [...flags, ...load], { timeout: 600_000 });
    return JSON.parse(stdout) as Result;
  } finally {
    server.kill('SIGTERM');
    await exited;
  }
}

function medians(list: readonly Result[]): Result {
  const entries = Object.keys(figures).map((key) => {
    const sorted = list.map((each) => each[key as keyof Result]).sort((a, b) => a - b);
    return [key, sorted[Math.floor(sorted.length / 2)] ?? Number.NaN];
  });
  return Object.fromEntries(entries) as Result;
}

function print({ clients, services, variant }: Cell, results: ReadonlyMap<string, Result>): void {
  const keys = Object.keys(figures) as (keyof Result)[];
  const row = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`);
  console.log(`\n${clients} clients, ${services} services, ${variant}, medians of ${runs}\n`);
  row(['server', ...keys.map((key) => figures[key])]);
  row(['---', ...keys.map(() => '---:')]);
  for (const [server, result] of results) {
    row([server, ...keys.map((key) => result[key].toFixed(result[key] < 10 ? 2 : 0))]);
  }
  const rivals = { ours: ['shared', 'linear'], 'ours-each': ['each', 'linear'] };
  for (const [own, others] of Object.entries(rivals)) {
    for (const other of others) {
      const [mine, theirs] = [results.get(own), results.get(other)];
      if (mine !== undefined && theirs !== undefined) {
        row([`${own} / ${other}`, ...keys.map((key) => (mine[key] / theirs[key]).toFixed(2))]);
      }
    }
  }
}
