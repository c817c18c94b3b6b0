/** A plan as JSON, for programs: the same words as the API's, and what is undefined left out. */
import { describeGate } from '../rollout/gates/judge.js';
import type { GroupPlan, Plan } from './plan.js';

/** `format` is raised when a program that reads the old form would misread the new one. */
export function renderJson({ meshes, counts, held }: Plan): string {
  const value = {
    format: 1,
    counts,
    held,
    meshes: meshes.map(({ name, isNew, groups, envoy }) => ({
      name,
      isNew,
      groups: groups.map(showGroup),
      envoy,
    })),
  };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function showGroup({ group, rollout }: GroupPlan) {
  return {
    name: group.name,
    changes: group.changes.map(({ resource, route, action, class: changeClass, fields }) => ({
      ...{ kind: resource.kind, name: resource.name, route, action, class: changeClass },
      fields,
    })),
    rollout:
      rollout.steps.length === 0
        ? null
        : {
            policy: rollout.policy ?? null,
            steps: rollout.steps,
            gates: rollout.gates.map((gate) => ({ ...gate, text: describeGate(gate) })),
            onFailure: rollout.onFailure,
            stepDeadlineMs: rollout.stepDeadlineMs,
            onStepDeadline: rollout.onStepDeadline,
            maxDurationMs: rollout.maxDurationMs,
            onMaxDuration: rollout.onMaxDuration,
            windows: rollout.windows,
            after: rollout.after,
            onSupersede: rollout.onSupersede,
            proxies: rollout.proxies,
            returnsTo: rollout.returnsTo,
          },
  };
}
