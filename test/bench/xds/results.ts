/** What was measured so far, each run of each server in each cell. */
import type { Report } from '../report.js';
import type { Cell, Result, ServerName } from './measure.js';

export interface CellResults {
  readonly cell: Cell;
  /** In the order in which the servers ran first. */
  readonly medians: ReadonlyMap<ServerName, Result>;
  /** Runs of the server that ran least often. */
  readonly runs: number;
}

export class Results {
  /** Takes every run as a line of JSON. */
  private readonly report: Report;
  private readonly byCell = new Map<string, { cell: Cell; runs: Map<ServerName, Result[]> }>();

  constructor(report: Report) {
    this.report = report;
  }

  add(cell: Cell, server: ServerName, result: Result): void {
    this.report.note(JSON.stringify({ ...cell, server, ...result }));
    const key = JSON.stringify(cell);
    const known = this.byCell.get(key) ?? { cell, runs: new Map<ServerName, Result[]>() };
    this.byCell.set(key, known);
    known.runs.set(server, [...(known.runs.get(server) ?? []), result]);
  }

  /** Undefined where nothing of the cell was measured. */
  of(cell: Cell): CellResults | undefined {
    const known = this.byCell.get(JSON.stringify(cell));
    if (known === undefined) {
      return undefined;
    }
    const lists = [...known.runs];
    return {
      cell,
      medians: new Map(lists.map(([server, list]) => [server, medians(list)])),
      runs: Math.min(...lists.map(([, list]) => list.length)),
    };
  }
}

/** Of each figure the median of `list`, the upper one of two. */
function medians(list: readonly Result[]): Result {
  const keys = Object.keys(list[0] ?? {});
  return Object.fromEntries(
    keys.map((key) => {
      const sorted = list.map((each) => each[key] ?? Number.NaN).sort((a, b) => a - b);
      return [key, sorted[Math.floor(sorted.length / 2)] ?? Number.NaN];
    }),
  );
}
