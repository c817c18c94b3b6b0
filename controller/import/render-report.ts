/** The report of an import: as text, one line a field in the form that editors link to, and as Markdown. */
import { printable } from '../base/printable.js';
import { renderProblem } from '../base/problem.js';
import type { Import, ImportProblem } from './import-app-mesh.js';
import { byResource, type Outcome, type ReportEntry } from './report.js';
import type { Place } from './source.js';

const outcomes: readonly Outcome[] = ['carried', 'changed', 'defaulted', 'dropped', 'skipped'];

/** `carried 31, changed 4, defaulted 0, dropped 2, skipped 5; 3 to look at`. */
export function renderTotals({ entries, missing }: Import): string {
  const counts = outcomes.map((outcome) => `${outcome} ${count(entries, outcome)}`);
  const losses = missing.length + entries.filter((entry) => entry.isLoss).length;
  return `${counts.join(', ')}; ${losses} to look at`;
}

function count(entries: readonly ReportEntry[], outcome: Outcome): number {
  return entries.filter((entry) => entry.outcome === outcome).length;
}

export function renderText(result: Import): string {
  const losses = result.entries.filter((entry) => entry.isLoss);
  const sections = [
    section('Values that are missing', result.missing.map(missingLine)),
    section('The result has problems', result.problems.map(problemLine)),
    section('To look at', losses.map(entryLine)),
    section('Every field', result.entries.map(entryLine)),
  ];
  return `${sections.filter((text) => text !== '').join('\n')}\nTotal: ${renderTotals(result)}.\n`;
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function missingLine({ name, standIn, place, uses }: Import['missing'][number]): string {
  return printable(
    `${placeText(place)}: --parameter ${name}=VALUE, used ${uses} times; until then ${standIn} stands there`,
  );
}

function problemLine({ problem, source }: ImportProblem): string {
  const from = source === undefined ? '' : ` (from ${placeText(source)})`;
  return printable(`${renderProblem(problem)}${from}`);
}

function entryLine(entry: ReportEntry): string {
  const { outcome, place, resource, reason } = entry;
  const subject = resource === '' ? '' : ` ${resource}:`;
  const why = reason === '' ? '' : ` (${reason})`;
  return printable(`${placeText(place)}: ${outcome}${subject}${fieldText(entry)}${why}`);
}

/** `Spec.Port → spec.port = 80`, with only what there is of it. */
function fieldText({ from, to, value }: ReportEntry): string {
  const arrow = from !== '' && to !== '' ? ' → ' : '';
  const held = value === '' ? '' : ` = ${value}`;
  const path = `${from}${arrow}${to}`;
  return path === '' && held === '' ? '' : ` ${path}${held}`;
}

function placeText({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

export function renderMarkdown(result: Import): string {
  const losses = result.entries.filter((entry) => entry.isLoss);
  return `${[
    '# Import from App Mesh',
    `${result.resources} resources of mesh ${result.meshes.join(', ') || 'none'}: ${renderTotals(result)}.`,
    list('Values that are missing', result.missing.map(missingLine)),
    list('Problems of the result', result.problems.map(problemLine)),
    table('To look at', losses, true),
    ...[...byResource(result.entries)].map(([resource, entries]) =>
      table(resource === '' ? 'Everything else' : resource, entries, false),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

function list(title: string, lines: readonly string[]): string {
  return lines.length === 0
    ? ''
    : `## ${title}\n\n${lines.map((line) => `- ${escapeMarkdown(line)}`).join('\n')}`;
}

function table(title: string, entries: readonly ReportEntry[], withResource: boolean): string {
  if (entries.length === 0) {
    return '';
  }
  const headers = [
    ...(withResource ? ['resource'] : []),
    'outcome',
    'source',
    'field',
    'here',
    'value',
    'reason',
  ];
  const rows = entries.map((entry) => {
    const { outcome, resource, place, from, to, value, reason, isLoss } = entry;
    const shown = isLoss ? `**${outcome}**` : outcome;
    const cells = [placeText(place), from, to, value, reason].map(escapeMarkdown);
    return [...(withResource ? [escapeMarkdown(resource)] : []), shown, ...cells];
  });
  const lines = [headers, headers.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  return `## ${escapeMarkdown(title)}\n\n${lines.join('\n')}`;
}

function escapeMarkdown(text: string): string {
  return printable(text).replace(/[\\`*_[\]<>|]/g, '\\$&');
}
