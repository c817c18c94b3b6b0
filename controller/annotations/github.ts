/**
 * GitHub's workflow commands (docs.github.com, "Workflow commands for GitHub Actions"): a line on standard
 * output that the runner turns into an annotation. Percent, CR and LF are escaped, in properties colons and
 * commas too. A step shows ten errors and ten warnings; the log has all of them.
 */
import type { Problem } from '../base/problem.js';
import type { Checked } from './checked.js';

export function renderGithub({ problems }: Pick<Checked, 'problems'>): string {
  return problems.map((problem) => `${command(problem)}\n`).join('');
}

function command({ severity, code, file, line, column, message }: Problem): string {
  const properties = [
    ...(file === '' ? [] : [`file=${property(file)}`]),
    ...(line === 0 ? [] : [`line=${line}`, `col=${Math.max(column, 1)}`]),
    `title=${property(code)}`,
  ];
  return `::${severity} ${properties.join(',')}::${data(message)}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
