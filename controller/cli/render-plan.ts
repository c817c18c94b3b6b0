/** The text of `plan`: each group of changes, and the rollout that it would start. Pure. */
import { renderDuration } from '../base/duration.js';
import type { ChangeGroup } from '../diff/change.js';
import { diffMeshes, emptyMesh } from '../diff/diff-meshes.js';
import { groupChanges } from '../diff/group.js';
import { renderCounts, renderGroup } from '../diff/render.js';
import type { Mesh } from '../mesh/model.js';
import { kindOf } from '../rollout/gates/judge.js';
import { planRollout } from '../rollout/plan.js';
import type { PlanStep, RolloutPlan } from '../rollout/rollout.js';

export interface RenderedPlan {
  readonly text: string;
  /** Resources that change. */
  readonly changes: number;
}

/** Every mesh of `after` compared with that of `before`; one that is not in `before` is new. */
export function planMeshes(before: readonly Mesh[], after: readonly Mesh[]): RenderedPlan {
  const plans = after.map((mesh) => {
    const applied = before.find((candidate) => candidate.name === mesh.name);
    const changes = diffMeshes(applied ?? emptyMesh(mesh), mesh);
    const groups = groupChanges(mesh, changes);
    return {
      groups,
      blocks:
        applied === undefined
          ? [renderNew(mesh, groups)]
          : groups.map((group) => renderGrouped(mesh, group)),
    };
  });
  const groups = plans.flatMap((plan) => plan.groups);
  const changes = groups.flatMap((group) => group.resources).length;
  if (changes === 0) {
    return { text: 'No changes.\n', changes };
  }
  const blocks = plans.flatMap((plan) => plan.blocks);
  return { text: `${blocks.join('\n')}\nPlan: ${renderCounts(groups)}.\n`, changes };
}

/** A mesh of which nothing is applied is served at once: there is no traffic to move. */
function renderNew(mesh: Mesh, groups: readonly ChangeGroup[]): string {
  const lines = groups.flatMap(renderGroup);
  return joinLines([`mesh ${mesh.name} is new`, ...lines, '  → served at once']);
}

function renderGrouped(mesh: Mesh, group: ChangeGroup): string {
  const rollout = renderRollout(planRollout(group, mesh)).map((line) => `  ${line}`);
  return joinLines([`${group.name} in mesh ${mesh.name}`, ...renderGroup(group), ...rollout]);
}

function joinLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

function renderRollout(plan: RolloutPlan): readonly string[] {
  if (plan.steps.length === 0) {
    return ['→ served at once: it moves no traffic'];
  }
  const policy = plan.policy === undefined ? 'the built-in policy' : `policy ${plan.policy}`;
  return [
    `→ rollout in ${plan.steps.length} steps, by ${policy}`,
    ...plan.steps.map((step, index) => `    ${index + 1}. ${renderStep(step)}`),
    '    gate proxies: no proxy refuses it',
    ...plan.gates.map((gate) => `    gate ${gate.name}: ${kindOf(gate).describe(gate)}`),
    `    a failure: ${plan.onFailure}; a step that takes ${renderDuration(plan.stepDeadlineMs)}: ${plan.onStepDeadline}`,
  ];
}

function renderStep({ stage, progress, bakeMs, approval }: PlanStep): string {
  const what =
    stage === 'weights'
      ? `${progress} % of the way`
      : `new configuration on ${progress} % of proxies`;
  return `${what}, bake ${renderDuration(bakeMs)}${approval ? ', after approval' : ''}`;
}
