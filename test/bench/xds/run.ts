/**
 * `npm run bench:xds -- [--clients 100,500,2000] [--services 100,1000] [--variants delta,sotw] [--runs 3]
 * [--servers ours,ours-each,shared,each,linear] [--growth only|no]`: our xDS server beside
 * go-control-plane's caches, on the same bytes. Of each cell all servers run one after the other, several
 * times over, so that noise falls on all alike; every run has a fresh server. Printed, as Markdown, are
 * medians and ratios, then how our own cost grows. It needs Go, which fetches its modules, and /proc.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import {
  type Bench,
  type Cell,
  createBench,
  type Result,
  type ServerName,
  serverNames,
} from './measure.js';
import { type CellResults, cellTable, figure, ratioTable, table } from './tables.js';

const { values: options } = parseArgs({
  options: {
    clients: { type: 'string', default: '100,500,2000' },
    services: { type: 'string', default: '100,1000' },
    variants: { type: 'string', default: 'delta,sotw' },
    servers: { type: 'string', default: serverNames.join(',') },
    runs: { type: 'string', default: '3' },
    growth: { type: 'string', default: 'yes' },
  },
});
const numbers = (list: string): number[] => list.split(',').map(Number);
const runs = Number(options.runs);
const clientCounts = numbers(options.clients);
await checkDescriptors(Math.max(...clientCounts));
const folder = await mkdtemp(join(tmpdir(), 'headgate-bench-'));
try {
  const bench = await createBench(folder);
  if (options.growth !== 'only') {
    await compare(bench);
  }
  if (options.growth !== 'no') {
    await grow(bench);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** A connection takes one descriptor at each end. Node and Go raise the soft limit to the hard one. */
async function checkDescriptors(clients: number): Promise<void> {
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', 'ulimit -H -n']);
  const limit = stdout.trim() === 'unlimited' ? Number.POSITIVE_INFINITY : Number(stdout);
  const needed = clients + 100;
  if (limit < needed) {
    throw new Error(`the hard limit of descriptors is ${limit}, and ${needed} are needed`);
  }
}

async function compare(bench: Bench): Promise<void> {
  const all: CellResults[] = [];
  for (const cell of cells()) {
    const results = new Map<ServerName, Result[]>();
    for (let round = 0; round < runs; round += 1) {
      for (const server of options.servers.split(',') as ServerName[]) {
        const list = results.get(server) ?? [];
        results.set(server, list);
        list.push(await bench.measure(server, cell));
      }
    }
    const entries = [...results].map(([server, list]) => [server, medians(list)] as const);
    const cellResults = { cell, medians: new Map(entries) };
    all.push(cellResults);
    console.log(cellTable(cellResults, runs));
  }
  console.log(ratioTable(all));
}

function cells(): readonly Cell[] {
  return numbers(options.services).flatMap((services) =>
    clientCounts.flatMap((clients) =>
      (options.variants.split(',') as Cell['variant'][]).map((variant) => ({
        clients,
        services,
        variant,
      })),
    ),
  );
}

const growthCells: readonly Cell[] = [
  { clients: 100, services: 100, variant: 'delta' },
  { clients: 100, services: 1_000, variant: 'delta' },
  { clients: 100, services: 10_000, variant: 'delta' },
  { clients: 1_000, services: 100, variant: 'delta' },
];

/** Changes within ten seconds. */
const burst = 100;

/** What one change costs where there is ten times as much, and what many cost that come together. */
async function grow(bench: Bench): Promise<void> {
  const rows: string[][] = [];
  for (const cell of growthCells) {
    const list: Result[] = [];
    for (let round = 0; round < runs; round += 1) {
      list.push(await bench.measure('ours', cell, { burst }));
    }
    const result = medians(list);
    rows.push([
      `${cell.clients} × ${cell.services}`,
      ...growthFigures.map(([key]) => figure(result[key])),
    ]);
  }
  const heads = ['clients × services', ...growthFigures.map(([, head]) => head)];
  console.log(`\nGrowth, delta, ours; ${burst} changes in 10 s\n\n${table(heads, rows)}`);
}

const growthFigures = [
  ['stormS', 'storm s'],
  ['stormCpuS', 'storm CPU s'],
  ['rssMb', 'RSS MB'],
  ['updateMedianMs', 'update ms, median'],
  ['updateLastMs', 'last'],
  ['updateCpuS', 'update CPU s'],
  ['burstMs', 'many: the last ms'],
  ['burstResponses', 'many: responses a proxy'],
  ['burstCpuS', 'many: CPU s'],
] as const;

function medians(list: readonly Result[]): Result {
  const keys = Object.keys(list[0] ?? {});
  return Object.fromEntries(
    keys.map((key) => {
      const sorted = list.map((each) => each[key] ?? Number.NaN).sort((a, b) => a - b);
      return [key, sorted[Math.floor(sorted.length / 2)] ?? Number.NaN];
    }),
  );
}
