/** A generated page of `docs/`, and what its makers share. */

export interface Page {
  /** From the top of the checkout. */
  readonly path: string;
  /** The file that it is made from, for whoever wants to change it. */
  readonly source: string;
  /** The page's text, without the note that it is generated. */
  readonly text: string;
}

/** A Markdown table. Cells may hold Markdown; a bar in one is escaped. */
export function markdownTable(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |\n`;
  return [headers, headers.map(() => '---'), ...rows].map(line).join('');
}

/** What stands first in the file; JSON has no comments, so it has none. */
export function fileText({ path, source, text }: Page): string {
  if (path.endsWith('.json')) {
    return text;
  }
  const note = `Made from ${source} by \`npm run docs\`. Never edit it.`;
  return path.endsWith('.md') ? `<!-- ${note} -->\n${text}` : `# ${note}\n${text}`;
}
