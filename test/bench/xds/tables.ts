/** The results as Markdown: for each cell what was measured, then one table of all ratios. */
import type { CellResults } from './results.js';

/** What the client prints, and how it is headed. */
const figures: readonly (readonly [key: string, head: string])[] = [
  ['stormS', 'storm s'],
  ['stormCpuS', 'storm CPU s'],
  ['updateMedianMs', 'update ms, median'],
  ['updateP99Ms', 'p99'],
  ['updateLastMs', 'last'],
  ['updateCpuS', 'update CPU s'],
  ['burstMs', 'many: the last ms'],
  ['burstResponses', 'many: responses a proxy'],
  ['burstCpuS', 'many: CPU s'],
  ['rssMb', 'RSS MB'],
];

/** Of those what is no cost. */
const isCost = ([key]: readonly [key: string, head: string]): boolean => key !== 'burstResponses';

/** With whom each of our two views is compared, and the ratio that is aimed at. */
const rivals = [
  { own: 'ours', other: 'shared', goal: 0.5 },
  { own: 'ours', other: 'linear', goal: 1 },
  { own: 'ours-each', other: 'each', goal: 0.5 },
  { own: 'ours-each', other: 'linear', goal: 1 },
] as const;

export function cellTable({ cell, medians, runs }: CellResults): string {
  const { clients, services, variant } = cell;
  const rows = [...medians].map(([server, result]) => [
    server,
    ...figures.map(([key]) => figure(result[key])),
  ]);
  const heading = `${clients} clients, ${services} services, ${variant}, ${runs === 1 ? '1 run' : `medians of ${runs} runs`}`;
  return `\n${heading}\n\n${table(['server', ...figures.map(([, head]) => head)], rows)}`;
}

/** A ratio above its goal is bold. */
export function ratioTable(all: readonly CellResults[]): string {
  const costs = figures.filter(isCost);
  const rows = all.flatMap(({ cell, medians }) =>
    rivals.flatMap(({ own, other, goal }) => {
      const [mine, theirs] = [medians.get(own), medians.get(other)];
      if (mine === undefined || theirs === undefined) {
        return [];
      }
      const ratios = costs.map(([key]) => ratio(mine[key], theirs[key], goal));
      const { clients, services, variant } = cell;
      return [[`${clients} × ${services} ${variant}`, `${own} / ${other}`, `${goal}`, ...ratios]];
    }),
  );
  const heads = ['clients × services', 'ratio', 'goal', ...costs.map(([, head]) => head)];
  return `\nRatios; above the goal in bold\n\n${table(heads, rows)}`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const rule = heads.map((_, index) => (index === 0 ? '---' : '---:'));
  return [heads, rule, ...rows].map(line).join('');
}

function figure(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(value < 10 ? 2 : 0);
}

function ratio(mine: number | undefined, theirs: number | undefined, goal: number): string {
  if (mine === undefined || theirs === undefined) {
    return '';
  }
  const value = mine / theirs;
  return value > goal ? `**${value.toFixed(2)}**` : value.toFixed(2);
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

/** What one change costs where there is ten times as much, and what `many` of them within ten seconds. */
export function growthTable(all: readonly CellResults[], many: number): string {
  const rows = all.map(({ cell: { clients, services }, medians, runs }) => [
    `${clients} × ${services}`,
    `${runs}`,
    ...growthFigures.map(([key]) => figure(medians.get('ours')?.[key])),
  ]);
  const heads = ['clients × services', 'runs', ...growthFigures.map(([, head]) => head)];
  return `\nGrowth, delta, ours; ${many} changes in 10 s\n\n${table(heads, rows)}`;
}
