/** A plan as text: each group of changes, and the rollout that it would start. */
import { renderDuration } from '../base/duration.js';
import { printable } from '../base/printable.js';
import { renderField, renderGroup, signOf } from '../diff/render.js';
import { describeStep, describeSticky } from '../rollout/describe-step.js';
import { describeGate } from '../rollout/gates/judge.js';
import type { PlanStep, RolloutPlan } from '../rollout/rollout.js';
import type { EnvoyChange } from './envoy-changes.js';
import { heldLines, heldTitle, type PlannedHeld } from './held.js';
import { type Counts, type GroupPlan, hasChanges, type MeshPlan, type Plan } from './plan.js';

export function renderText(plan: Plan): string {
  const held = (plan.held ?? []).map(renderHeld).join('');
  if (!hasChanges(plan)) {
    return `${held}No changes.\n`;
  }
  const blocks = plan.meshes.flatMap((mesh) => [
    ...(mesh.isNew ? [renderNew(mesh)] : mesh.groups.map((group) => renderGrouped(mesh, group))),
    ...(mesh.envoy === undefined ? [] : [renderEnvoy(mesh, mesh.envoy)]),
  ]);
  return `${held}${blocks.join('\n')}\nPlan: ${renderCounts(plan.counts)}.\n`;
}

/** `2 to create, 1 to change, 0 to delete`. */
export function renderCounts({ created, changed, deleted }: Counts): string {
  return `${created} to create, ${changed} to change, ${deleted} to delete`;
}

function renderHeld(held: PlannedHeld): string {
  const lines = heldLines(held).map((line) => `    ${printable(line)}`);
  return `${joinLines([`! ${printable(heldTitle(held))}`, ...lines])}\n`;
}

function renderNew({ name, groups }: MeshPlan): string {
  const lines = groups.flatMap(({ group }) => renderGroup(group));
  return joinLines([`mesh ${name} is new`, ...lines, '  → served at once']);
}

function renderGrouped(mesh: MeshPlan, { group, rollout }: GroupPlan): string {
  const lines = renderRollout(rollout).map((line) => `  ${line}`);
  return joinLines([`${group.name} in mesh ${mesh.name}`, ...renderGroup(group), ...lines]);
}

function renderEnvoy({ name }: MeshPlan, changes: readonly EnvoyChange[]): string {
  const lines = changes.flatMap(({ action, type, proxies, fields, ...change }) => [
    `  ${signOf[action]} ${type} ${change.name} of ${proxies.join(', ')}`,
    ...fields.map((field) => `      ${renderField(field)}`),
  ]);
  const none = '  nothing for proxies that there are before and after';
  return joinLines([`Envoys of mesh ${name}`, ...(lines.length === 0 ? [none] : lines)]);
}

function joinLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

function renderRollout(plan: RolloutPlan): readonly string[] {
  if (plan.steps.length === 0) {
    return ['→ served at once: it moves no traffic'];
  }
  return [
    `→ ${rolloutTitle(plan)}`,
    ...plan.steps.map((step, index) => `    ${index + 1}. ${renderStep(step)}`),
    ...gateLines(plan).map((line) => `    gate ${line}`),
    `    ${failureLine(plan)}`,
    ...timeLines(plan).map((line) => `    ${line}`),
    ...orderLines(plan).map((line) => `    ${line}`),
  ];
}

/** `rollout in 4 steps, by policy quick, at least 13s`. */
export function rolloutTitle({ steps, policy, isBlueGreen, sticky }: RolloutPlan): string {
  const by = policy === undefined ? 'the built-in policy' : `policy ${policy}`;
  const bakeMs = steps.reduce((sum, step) => sum + step.bakeMs, 0);
  return [
    `${isBlueGreen ? 'blue/green ' : ''}rollout in ${steps.length} steps, by ${by}`,
    `at least ${renderDuration(bakeMs)}`,
    ...(sticky === undefined ? [] : [describeSticky(sticky)]),
  ].join(', ');
}

export function renderStep(step: PlanStep): string {
  const { bakeMs, approval } = step;
  return `${describeStep(step)}, bake ${renderDuration(bakeMs)}${approval ? ', after approval' : ''}`;
}

/** The one that is always asked, and those of the policy. */
export function gateLines({ gates }: RolloutPlan): readonly string[] {
  const own = gates.map((gate) => `${gate.name}: ${describeGate(gate)}`);
  return ['proxies: no proxy refuses it', ...own];
}

/** When its steps may be entered and how long the whole may take; empty where nothing limits either. */
export function timeLines({
  windows,
  maxDurationMs,
  onMaxDuration,
}: RolloutPlan): readonly string[] {
  const allow = (windows?.allow ?? []).map(
    ({ days, from, to, timeZone }) => `window ${days.join(' ')} ${from} to ${to} ${timeZone}`,
  );
  const freeze = (windows?.freeze ?? []).map(
    ({ from, to, timeZone, reason }) =>
      `frozen from ${from.replace('T', ' ')} to ${to.replace('T', ' ')} ${timeZone}` +
      `${reason === undefined ? '' : ` (${reason})`}`,
  );
  const longest =
    maxDurationMs === undefined
      ? []
      : [`a rollout that takes ${renderDuration(maxDurationMs)}: ${onMaxDuration}`];
  return [...allow, ...freeze, ...longest];
}

/** What it waits for, and what a newer commit does to it; empty where the policy says nothing of it. */
export function orderLines({ after = [], onSupersede }: RolloutPlan): readonly string[] {
  const waits = after.length === 0 ? [] : [`after what policy ${after.join(', ')} governs`];
  const newer =
    onSupersede === undefined || onSupersede === 'restart'
      ? []
      : [`a newer commit of the same: ${onSupersede}`];
  return [...waits, ...newer];
}

export function failureLine(plan: RolloutPlan): string {
  const deadline = renderDuration(plan.stepDeadlineMs);
  return `a failure: ${plan.onFailure}; a step that takes ${deadline}: ${plan.onStepDeadline}`;
}
