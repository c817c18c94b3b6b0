/** What a proxy is to have against what it acknowledged and what it runs, as differences of lines. */
import type { ConfigVersionView, ProxyResourceView } from '../api/proxy-config-view.js';
import { type DiffLine, diffLines } from '../base/line-diff.js';
import { printable } from '../base/printable.js';
import type { ComparedResource, RunningState } from './compare-running.js';
import type { Style } from './io.js';

/** A part for each resource. `-` is acknowledged, `+` intended. */
export function renderProxyDiff(resources: readonly ProxyResourceView[], style: Style): string {
  return resources.map((resource) => renderResource(resource, style)).join('\n');
}

/** A part for each resource, with all three versions. `-` runs, `+` is intended. */
export function renderRunningDiff(resources: readonly ComparedResource[], style: Style): string {
  return resources.map((resource) => renderCompared(resource, style)).join('\n');
}

const words: Readonly<Record<RunningState, string>> = {
  asIntended: 'runs what it is to run, and has not acknowledged it',
  warming: 'waits in Envoy for what it needs',
  asAcknowledged: 'runs what it acknowledged before',
  other: 'runs neither what it is to run nor what it acknowledged',
  missing: 'is not in Envoy',
  onlyInEnvoy: 'is only in Envoy',
  notTold: 'is not in the config dump',
};

function renderCompared(resource: ComparedResource, style: Style): string {
  const { type, name, runs, error, intended, acknowledged, running } = resource;
  // Where one side has nothing, all of the other would be shown.
  const isComparable =
    running !== null && intended !== null && textOf(running) !== textOf(intended);
  const lines = [
    style.bold(`${type} ${printable(name)} (${words[runs]})`),
    `--- running      ${running === null ? 'nothing' : printable(running.version) || 'without a version'}`,
    `+++ intended     ${intended?.version ?? 'nothing'}`,
    `    acknowledged ${acknowledged?.version ?? 'nothing'}`,
    ...(error === undefined ? [] : [style.red(`! ${printable(error)}`)]),
    ...(isComparable
      ? diffLines(textOf(running), textOf(intended)).map((line) => renderLine(line, style))
      : []),
  ];
  return `${lines.join('\n')}\n`;
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
