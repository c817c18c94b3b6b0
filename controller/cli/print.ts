/**
 * Output for people and programs: tables as kubectl and its kin print them (upper-case headers, three
 * spaces, no borders), JSON and YAML. Text in a table comes from commits and proxies, so it is made
 * printable first: a title must not be able to move a cursor.
 */
import { printable } from '../base/printable.js';
import type { Style } from './io.js';

export const outputFormats = ['table', 'json', 'yaml'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** Of lists: with more columns, and the names alone, for other commands. */
export const listFormats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type ListFormat = (typeof listFormats)[number];

/** A cell's text, with a colour that takes no room. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

export type Row = readonly (string | Cell)[];

const gap = '   ';

/** Lines of a table; the last column is as wide as it likes. Every row has as many cells as `headers`. */
export function renderTable(headers: readonly string[], rows: readonly Row[]): string {
  const table = [headers.map((header) => header.toUpperCase()), ...rows].map((row) =>
    row.map(toCell),
  );
  const widths = headers.map((_, column) =>
    Math.max(...table.map((row) => widthOf(row[column]?.text ?? ''))),
  );
  return table.map((row) => `${renderRow(row, widths)}\n`).join('');
}

/** A row by itself, whose columns are as wide as its texts. */
export function renderLineOf(row: Row): string {
  return `${renderRow(row.map(toCell), [])}\n`;
}

/** Names and values below one another, without headers. */
export function renderFields(fields: readonly (readonly [string, string | Cell])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields
    .map(([name, value]) => [{ text: name }, toCell(value)])
    .map((row) => `${renderRow(row, [width, 0])}\n`)
    .join('');
}

function renderRow(row: readonly Cell[], widths: readonly number[]): string {
  return row
    .map(({ text, paint = (plain) => plain }, column) => {
      const isLast = column === row.length - 1;
      const padding = isLast ? '' : ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(text)));
      return `${paint(text)}${padding}`;
    })
    .join(gap)
    .trimEnd();
}

function toCell(cell: string | Cell): Cell {
  return typeof cell === 'string'
    ? { text: printable(cell) }
    : { ...cell, text: printable(cell.text) };
}

/** In code points: right for all names, and near enough for titles with wide letters. */
function widthOf(text: string): number {
  return [...text].length;
}

/** `value` in a form that programs read. YAML is loaded only where it is asked for. */
export async function renderData(
  value: unknown,
  format: Exclude<OutputFormat, 'table'>,
): Promise<string> {
  if (format === 'json') {
    return `${JSON.stringify(value, undefined, 2)}\n`;
  }
  const { dump } = await import('js-yaml');
  return dump(value, { lineWidth: -1, noRefs: true });
}

/** `2026-11-22T10:00:00.000Z` without what nobody reads. */
export function showTime(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z');
}

/** The first 12 digits of a commit, or a dash. */
export function showCommit(id: string | null): string {
  return id === null || id === '' ? '-' : id.slice(0, 12);
}

export function showPercent(value: number | null): string {
  return value === null ? '-' : `${value} %`;
}

/** Phases and states in the colours that people know for them. */
export function paintState(state: string, style: Style): Cell {
  const good = ['Succeeded', 'synced', 'pass', 'accepted'];
  const bad = ['RolledBack', 'RollingBack', 'rejected', 'held', 'fail', 'failing'];
  const waiting = [
    'Paused',
    'WaitingForApproval',
    'WaitingForWindow',
    'Aborted',
    'stale',
    'pending',
  ];
  if (good.includes(state)) {
    return { text: state, paint: style.green };
  }
  if (bad.includes(state)) {
    return { text: state, paint: style.red };
  }
  return waiting.includes(state) ? { text: state, paint: style.yellow } : { text: state };
}
