/**
 * A plan as Markdown, for a comment on a pull request. A comment has a limit, so whole resources are left
 * out behind it, and said to be: never a half one, and never the summary. Names and values come from the
 * repository and are escaped, since whoever may open a pull request chooses them.
 */
import { printable } from '../base/printable.js';
import type { Change, ChangeGroup, FieldChange } from '../diff/change.js';
import { fieldsBeside, renderValue, shareChanges, signOf } from '../diff/render.js';
import type { EnvoyChange } from './envoy-changes.js';
import { heldLines, heldTitle, type PlannedHeld } from './held.js';
import { type GroupPlan, hasChanges, type MeshPlan, type Plan } from './plan.js';
import {
  failureLine,
  gateLines,
  orderLines,
  renderCounts,
  renderStep,
  rolloutTitle,
  timeLines,
} from './render-text.js';

/** GitHub's limit; GitLab's is a million. Characters are counted as JavaScript does, which is never fewer. */
export const commentCharactersMax = 65_536;

/** Kept for the line that says what is left out, and for the marker in front. */
const reserve = 600;

/** A value in a table is cut behind so many characters: the whole of it is in the commit. */
const valueCharactersMax = 200;

interface Block {
  readonly text: string;
  /** How many resources it shows. */
  readonly resources: number;
}

export function renderMarkdown(plan: Plan, charactersMax: number = commentCharactersMax): string {
  const head = renderHead(plan);
  const blocks = plan.meshes.flatMap(meshBlocks);
  let text = head;
  let left = 0;
  for (const block of blocks) {
    if (left === 0 && text.length + block.text.length + reserve <= charactersMax) {
      text += block.text;
    } else {
      left += Math.max(1, block.resources);
    }
  }
  const rest = `\n${left} more blocks are not shown: a comment has at most ${charactersMax} characters. \`headgate plan\` prints all of it.\n`;
  return left === 0 ? text : `${text}${rest}`;
}

function renderHead(plan: Plan): string {
  const held = (plan.held ?? []).map(heldBlock).join('');
  if (!hasChanges(plan)) {
    const what = held === '' ? 'in the mesh' : 'that Git asks for';
    return `### Headgate: no changes\n${held}\nMerging this changes nothing ${what}.\n`;
  }
  const groups = plan.meshes.flatMap((mesh) => mesh.groups);
  const deleted = groups.flatMap(({ group }) => group.changes.filter(isDeletion));
  const shown = deleted.slice(0, 20).map((change) => `\`${code(placeOf(change))}\``);
  const more = deleted.length > shown.length ? ` and ${deleted.length - shown.length} more` : '';
  const warning =
    deleted.length === 0 ? '' : `\n> :warning: This removes ${shown.join(', ')}${more}.\n`;
  return `### Headgate: ${renderCounts(plan.counts)}\n${held}${warning}`;
}

function heldBlock(held: PlannedHeld): string {
  const lines = [`:warning: **${plain(heldTitle(held))}**`, ...heldLines(held).map(plain)];
  return `\n${lines.map((line) => `> ${line}`).join('\n>\n')}\n`;
}

function isDeletion({ action }: Change): boolean {
  return action === 'deleted';
}

function meshBlocks(mesh: MeshPlan): readonly Block[] {
  const groups = mesh.groups.flatMap((group) => groupBlocks(mesh, group));
  const atOnce =
    mesh.isNew && groups.length > 0
      ? [{ text: `\nMesh \`${code(mesh.name)}\` is new and served at once.\n`, resources: 0 }]
      : [];
  const envoy = (mesh.envoy ?? []).map((change) => ({ text: envoyBlock(change), resources: 1 }));
  const title = `\n#### Envoys of mesh \`${code(mesh.name)}\`\n`;
  return [
    ...atOnce,
    ...groups,
    ...(envoy.length > 0 ? [{ text: title, resources: 0 }] : []),
    ...envoy,
  ];
}

function groupBlocks(mesh: MeshPlan, { group, rollout }: GroupPlan): readonly Block[] {
  const changes = group.changes.map((change) => ({
    text: changeBlock(change, group),
    resources: 1,
  }));
  if (mesh.isNew) {
    return changes;
  }
  const title = `\n#### \`${code(group.name)}\` in mesh \`${code(mesh.name)}\`\n`;
  const lines =
    rollout.steps.length === 0
      ? ['', 'Served at once: it moves no traffic.']
      : [
          '',
          `**${capital(plain(rolloutTitle(rollout)))}**`,
          '',
          ...rollout.steps.map((step, index) => `${index + 1}. ${plain(renderStep(step))}`),
          '',
          ...gateLines(rollout).map((line) => `- gate ${plain(line)}`),
          `- ${plain(failureLine(rollout))}`,
          ...[...timeLines(rollout), ...orderLines(rollout)].map((line) => `- ${plain(line)}`),
        ];
  // Title and rollout before the changes: what is cut off is detail.
  return [{ text: `${title}${lines.join('\n')}\n`, resources: 0 }, ...changes];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function changeBlock(change: Change, group: ChangeGroup): string {
  const summary = `${signOf[change.action]} ${placeOf(change)} (${change.class})`;
  const shares = shareChanges(change, group);
  return details(summary, [
    ...fieldsBeside(change, shares).map(fieldRow),
    ...shares.map(({ target, before, after }) => row(`weight ${target}`, before, after)),
  ]);
}

function envoyBlock({ action, type, name, proxies, fields }: EnvoyChange): string {
  const who =
    proxies.length > 5
      ? `${proxies.slice(0, 5).join(', ')} and ${proxies.length - 5} more`
      : proxies.join(', ');
  return details(`${signOf[action]} ${type} ${name} of ${who}`, fields.map(fieldRow));
}

function details(summary: string, rows: readonly string[]): string {
  if (rows.length === 0) {
    return `\n- \`${code(summary)}\`\n`;
  }
  const table = ['| field | before | after |', '| --- | --- | --- |', ...rows].join('\n');
  return `\n<details open><summary><code>${html(summary)}</code></summary>\n\n${table}\n\n</details>\n`;
}

function fieldRow({ path, before, after }: FieldChange): string {
  return row(path, renderValue(before), renderValue(after));
}

function row(field: string, before: string, after: string): string {
  return `| ${[field, before, after].map((cell) => `\`${code(cut(cell)).replaceAll('|', '\\|')}\``).join(' | ')} |`;
}

function cut(text: string): string {
  return text.length > valueCharactersMax ? `${text.slice(0, valueCharactersMax)}…` : text;
}

function placeOf({ resource, route }: Change): string {
  const place = `${resource.kind} ${resource.name}`;
  return route === undefined ? place : `${place} route ${route}`;
}

/** Inside backticks everything is literal but backticks. */
function code(text: string): string {
  return printable(text).replaceAll('`', "'");
}

function html(text: string): string {
  return printable(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Words of ours with names from the repository in them: nobody is to be mentioned, and nothing linked. */
function plain(text: string): string {
  return html(text).replace(/[\\`*_[\]@#|]/g, '\\$&');
}
