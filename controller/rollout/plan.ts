/**
 * From a group of changes and the mesh's policies to the plan that governs it. The plan is frozen when
 * the rollout starts: editing a policy never changes a rollout that is under way.
 */
import type { ChangeClass, ChangeGroup } from '../diff/change.js';
import type { Mesh, Resource, RolloutPolicy, RolloutSelector, RolloutStep } from '../mesh/model.js';
import { policyDefaults } from '../mesh/policy-defaults.js';
import { hasLabels } from '../mesh/selects.js';
import type { PlanStep, RolloutPlan } from './rollout.js';
import { gainingNodes } from './targets.js';

/** The plan of `group` under the policies of `mesh`, the desired one; without one, the built-in. */
export function planRollout(group: ChangeGroup, mesh: Mesh): RolloutPlan {
  const policy = selectPolicy(group, mesh.rolloutPolicies);
  const chosen = policy ?? policyDefaults;
  return {
    policy: policy?.name,
    steps: planSteps(group, chosen.steps),
    isBlueGreen: chosen.isBlueGreen,
    sticky: chosen.sticky,
    gates: chosen.gates,
    failureLimit: chosen.failureLimit,
    errorLimit: chosen.errorLimit,
    onError: chosen.onError,
    noData: chosen.noData,
    stepDeadlineMs: chosen.stepDeadlineMs,
    onStepDeadline: chosen.onStepDeadline,
    onFailure: chosen.onFailure,
    maxDurationMs: chosen.maxDurationMs,
    onMaxDuration: chosen.onMaxDuration,
    windows: chosen.windows,
    after: chosen.after,
    onSupersede: chosen.onSupersede,
    rollbackWindow: chosen.rollbackWindow,
    proxies: chosen.proxies,
  };
}

/**
 * Configuration goes over the proxies first, then the weights move; a group without either has no steps.
 * Nor has one whose weights are written anew and move no traffic, as a version that is added at 0:
 * there would be nothing to judge it by.
 */
function planSteps(group: ChangeGroup, steps: readonly RolloutStep[]): readonly PlanStep[] {
  const classes = new Set<ChangeClass>(group.changes.map((change) => change.class));
  return [
    ...(classes.has('config') ? waveSteps(steps) : []),
    ...(gainingNodes(group).length > 0 ? steps.map(weightStep) : []),
  ];
}

/** A configuration is on a proxy or it is not: no requests of it are told apart, so that only waves stay. */
function waveSteps(steps: readonly RolloutStep[]): readonly PlanStep[] {
  const waves = steps.filter(({ progress }, index) => progress > (steps[index - 1]?.progress ?? 0));
  return waves.map(({ progress, bakeMs, approval }) => ({
    stage: 'config',
    progress,
    bakeMs,
    approval,
  }));
}

function weightStep({ progress, match, mirror, bakeMs, approval }: RolloutStep): PlanStep {
  const traffic = {
    ...(match === undefined ? {} : { match }),
    ...(mirror === undefined ? {} : { mirror }),
  };
  return { stage: 'weights', progress, ...traffic, bakeMs, approval };
}

/** The policy that names one of the group's resources, else one by labels, else the mesh's default. */
export function selectPolicy(
  group: ChangeGroup,
  policies: readonly RolloutPolicy[],
): RolloutPolicy | undefined {
  const resources = group.resources.flatMap((change) => change.after ?? change.before ?? []);
  return (
    policies.find((policy) => resources.some((resource) => isNamed(policy.selector, resource))) ??
    policies.find(({ selector }) =>
      resources.some(({ labels }) => hasLabels(labels, selector.matchLabels)),
    ) ??
    policies.find((policy) => policy.selector.isDefault)
  );
}

function isNamed(selector: RolloutSelector, resource: Resource): boolean {
  switch (resource.kind) {
    case 'VirtualRouter':
      return selector.virtualRouters.includes(resource.name);
    case 'VirtualNode':
      return selector.virtualNodes.includes(resource.name);
    case 'VirtualGateway':
      return selector.virtualGateways.includes(resource.name);
    default:
      return false;
  }
}
