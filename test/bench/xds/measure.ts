/**
 * One run of one server: it is started fresh, the load client measures it, it is stopped. The client and
 * the peer are programs in Go, which are compiled first; the mesh that the peer serves is written down
 * from ours, so that all serve the same bytes.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { protoTypeOf } from '../../../controller/envoy/snapshot.js';
import { fieldHeader } from '../../../controller/xds/wire.js';
import { createSyntheticMesh } from '../../../controller/xds-target/synthetic.js';
import { projectPath } from '../../support/project.js';

const run = promisify(execFile);
const target = fileURLToPath(new URL('../../../controller/xds-target/main.js', import.meta.url));

export interface Cell {
  readonly clients: number;
  readonly services: number;
  readonly variant: 'delta' | 'sotw';
}

/** What the client says: seconds, milliseconds and megabytes by name. */
export type Result = Readonly<Record<string, number>>;

export const serverNames = ['ours', 'ours-each', 'shared', 'each', 'linear'] as const;
export type ServerName = (typeof serverNames)[number];

export interface Bench {
  /**
   * Rejects where it takes longer than `timeoutMs`. `burst`: so many changes within ten seconds are
   * measured too, none where it is 0.
   */
  measure(
    server: ServerName,
    cell: Cell,
    options: { readonly timeoutMs: number; readonly burst: number },
  ): Promise<Result>;
}

/** Compiles what is needed into `folder`. */
export async function createBench(folder: string): Promise<Bench> {
  const cwd = projectPath('test/bench/xds');
  await run('go', ['build', '-o', `${folder}/`, './client', './peer'], { cwd });
  const worlds = new Map<number, Promise<string>>();
  return {
    async measure(server, cell, { timeoutMs, burst }) {
      const { clients, services, variant } = cell;
      const known = worlds.get(services) ?? writeWorld(folder, services);
      worlds.set(services, known);
      const world = await known;
      const load = ['--world', world, '--clients', `${clients}`, '--variant', variant];
      return withServer(command(folder, server, cell, world), async ({ xds, ctl, pid }) => {
        const flags = ['--xds', xds, '--ctl', ctl, '--pid', `${pid}`, '--burst', `${burst}`];
        const { stdout } = await run(join(folder, 'client'), [...flags, ...load], {
          timeout: Math.ceil(timeoutMs),
        });
        return JSON.parse(stdout) as Result;
      });
    },
  };
}

function command(folder: string, server: ServerName, cell: Cell, world: string): string[] {
  const nodes = ['--nodes', `${cell.clients}`];
  if (server === 'ours' || server === 'ours-each') {
    const views = server === 'ours' ? 'shared' : 'each';
    const mesh = ['--services', `${cell.services}`, ...nodes, '--views', views];
    return [process.execPath, target, ...mesh];
  }
  return [join(folder, 'peer'), '--backend', server, ...nodes, '--world', world];
}

/** The synthetic mesh for programs in Go: a DiscoveryResponse a type. */
async function writeWorld(folder: string, services: number): Promise<string> {
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

interface Started {
  readonly xds: string;
  readonly ctl: string;
  readonly pid: number | undefined;
}

async function withServer(
  [program = '', ...args]: readonly string[],
  use: (started: Started) => Promise<Result>,
): Promise<Result> {
  const ports = ['--xds', '127.0.0.1:0', '--ctl', '127.0.0.1:0'];
  const server = spawn(program, [...args, ...ports], { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(server, 'exit');
  try {
    const started = once(createInterface(server.stdout), 'line') as Promise<[string]>;
    const [line] = await Promise.race([started, exited.then(() => ['the server ended'])]);
    const [, xds = '', ctl = ''] = /: xds (\S+) ctl (\S+)$/.exec(String(line)) ?? [];
    return await use({ xds, ctl, pid: server.pid });
  } finally {
    server.kill('SIGTERM');
    await exited;
  }
}
