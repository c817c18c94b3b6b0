/**
 * `npm run bench:xds -- [--clients 100,500,2000] [--services 100,1000] [--variants delta,sotw]
 * [--servers ours,ours-each,shared,each,linear] [--runs 3] [--minutes 25] [--growth only|no]`: our xDS
 * server beside go-control-plane's caches, on the same bytes, one change and a hundred, and how our own cost
 * grows. All cells are measured once, then again up to `--runs` times as long as the minutes last; within a
 * cell the servers run one after the other, so that noise falls on all alike, and every run has a fresh
 * server. Each cell is printed and saved when it is there, in `test-output/bench/`; at the end come the
 * medians and their ratios. It needs Go, which fetches its modules, and /proc.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { errorText } from '../../../controller/base/op-error.js';
import { openReport } from '../report.js';
import { affordable, crossed, growthCells, hasManyChanges } from './cells.js';
import { type Bench, type Cell, createBench, type ServerName, serverNames } from './measure.js';
import { type CellResults, Results } from './results.js';
import { cellTable, growthTable, ratioTable } from './tables.js';

const { values: options } = parseArgs({
  options: {
    clients: { type: 'string', default: '100,500,2000' },
    services: { type: 'string', default: '100,1000' },
    variants: { type: 'string', default: 'delta,sotw' },
    servers: { type: 'string', default: serverNames.join(',') },
    runs: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '25' },
    growth: { type: 'string', default: 'yes' },
  },
});
const numbers = (list: string): number[] => list.split(',').map(Number);
const servers = options.servers.split(',') as ServerName[];
const cells =
  options.growth === 'only'
    ? []
    : crossed(
        numbers(options.clients),
        numbers(options.services),
        options.variants.split(',') as Cell['variant'][],
      );
const grown = options.growth === 'no' ? [] : growthCells;

/** Changes within ten seconds, where many are measured. */
const many = 100;

/** Longer than any run of an affordable server on an idle machine; one that takes longer is given up. */
const runMsMax = 300_000;

const report = openReport('xds.md');
const results = new Results(openReport('xds.jsonl'));
const growth = new Results(openReport('xds-growth.jsonl'));
await checkDescriptors(Math.max(...[...cells, ...grown].map(({ clients }) => clients)));
const folder = await mkdtemp(join(tmpdir(), 'headgate-bench-'));
try {
  const bench = await createBench(folder);
  const endMs = performance.now() + Number(options.minutes) * 60_000;
  await measureAll(bench, endMs);
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

async function measureAll(bench: Bench, endMs: number): Promise<void> {
  /** By cell, how long it took the last time. */
  const tookMs = new Map<Cell, number>();
  for (let round = 1; round <= Number(options.runs); round += 1) {
    for (const cell of grown) {
      await within(cell, async () => {
        await measure(bench, growth, cell, { server: 'ours', burst: many, endMs });
        report.say(growthTable(measured(growth, [cell]), many));
      });
    }
    for (const cell of cells) {
      await within(cell, async () => {
        for (const server of affordable(cell, servers)) {
          const burst = hasManyChanges(cell, server) ? many : 0;
          await measure(bench, results, cell, { server, burst, endMs });
        }
        sayCell(cell);
      });
    }
  }
  for (const [list, said] of [
    [measured(growth, grown), (all: readonly CellResults[]) => growthTable(all, many)],
    [measured(results, cells), ratioTable],
  ] as const) {
    if (list.length > 0) {
      report.say(said(list));
    }
  }
  console.log(`saved in ${report.path}`);

  /** Measures where as much time is left as it took the last time. */
  async function within(cell: Cell, task: () => Promise<void>): Promise<void> {
    const startMs = performance.now();
    if (startMs + (tookMs.get(cell) ?? 0) < endMs) {
      await task();
      tookMs.set(cell, performance.now() - startMs);
    }
  }
}

async function measure(
  bench: Bench,
  into: Results,
  cell: Cell,
  { server, burst, endMs }: { server: ServerName; burst: number; endMs: number },
): Promise<void> {
  const leftMs = Math.min(runMsMax, endMs - performance.now());
  if (leftMs <= 0) {
    return;
  }
  try {
    into.add(cell, server, await bench.measure(server, cell, { burst, timeoutMs: leftMs }));
  } catch (error) {
    const { clients, services, variant } = cell;
    const name = `${server}, ${clients} × ${services} ${variant}`;
    report.say(`\n${name}: not measured: ${errorText(error).slice(0, 500)}`);
  }
}

function sayCell(cell: Cell): void {
  const found = results.of(cell);
  if (found !== undefined) {
    report.say(cellTable(found));
  }
}

function measured(from: Results, list: readonly Cell[]) {
  return list.flatMap((cell) => from.of(cell) ?? []);
}
