/** What a proxy is to have against what it acknowledged, as a difference of lines. */
import type { ConfigVersionView, ProxyResourceView } from '../api/proxy-config-view.js';
import { type DiffLine, diffLines } from '../base/line-diff.js';
import { printable } from '../base/printable.js';
import type { Style } from './io.js';

/** A part for each resource that differs; empty where none does. `-` is acknowledged, `+` intended. */
export function renderProxyDiff(resources: readonly ProxyResourceView[], style: Style): string {
  return resources
    .filter(({ desired, running }) => desired?.version !== running?.version)
    .map((resource) => renderResource(resource, style))
    .join('\n');
}

function renderResource(resource: ProxyResourceView, style: Style): string {
  const { type, name, state, error, desired, running } = resource;
  const lines = [
    style.bold(`${type} ${printable(name)} (${state})`),
    `--- acknowledged ${running?.version ?? 'nothing'}`,
    `+++ intended     ${desired?.version ?? 'to be removed'}`,
    ...(error === undefined ? [] : [style.red(`! ${printable(error)}`)]),
    ...diffLines(textOf(running), textOf(desired)).map((line) => renderLine(line, style)),
  ];
  return `${lines.join('\n')}\n`;
}

/** Empty for secrets, which are compared by their versions alone. */
function textOf(held: ConfigVersionView | null): string {
  return held?.json === undefined ? '' : JSON.stringify(held.json, undefined, 2);
}

function renderLine({ kind, text }: DiffLine, style: Style): string {
  // Made printable without its indent, which that would fold.
  const content = text.trimStart();
  const shown = `${text.slice(0, text.length - content.length)}${printable(content)}`;
  switch (kind) {
    case 'added':
      return style.green(`+ ${shown}`);
    case 'removed':
      return style.red(`- ${shown}`);
    case 'gap':
      return style.dim('  ⋮');
    case 'same':
      return `  ${shown}`;
  }
}
