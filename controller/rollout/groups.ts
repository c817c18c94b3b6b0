/**
 * Which changes roll out together: those that refer to one another (`diff/group.ts`), and where a policy
 * is `atomic`, all that it governs of one commit. Such a rollout is judged part by part all the same: a
 * quiet service that breaks is not hidden by a busy one that does not.
 */
import { pairMemo } from '../base/memo.js';
import { compareText } from '../base/problem.js';
import type { ChangeGroup, Ends, ResourceChange } from '../diff/change.js';
import { groupChanges, makeGroup } from '../diff/group.js';
import { type Mesh, resourceKey } from '../mesh/model.js';
import { selectPolicy } from './plan.js';
import { gainingNodes } from './targets.js';

/** `changes` that lead to the mesh `ends.desired`, as they roll out, sorted by name. */
export function groupsOf(ends: Ends, changes: readonly ResourceChange[]): readonly ChangeGroup[] {
  const { desired } = ends;
  const groups = groupChanges(ends, changes);
  const together = new Map<string, ResourceChange[]>();
  const apart = groups.filter((group) => {
    const policy = isOperational(group) ? undefined : selectPolicy(group, desired.rolloutPolicies);
    if (policy?.atomic !== true) {
      return true;
    }
    const joined = together.get(policy.name) ?? [];
    joined.push(...group.resources);
    together.set(policy.name, joined);
    return false;
  });
  const joined = [...together.values()].map((resources) => makeGroup(ends, resources));
  return [...apart, ...joined].sort((left, right) => compareText(left.name, right.name));
}

/** True for endpoints, logs and policies alone: they are served at once and wait for nobody. */
export function isOperational({ changes }: ChangeGroup): boolean {
  return changes.every((change) => change.class === 'operational');
}

/** The parts of `group` that do not refer to one another; of one that is not joined, itself. */
const partsOf = pairMemo((group: ChangeGroup, mesh: Mesh): readonly ChangeGroup[] => {
  const parts = groupChanges({ applied: mesh, desired: mesh }, group.resources);
  return parts.length > 1 ? parts : [group];
});

/** True where `group` changes configuration of a resource of its `part`. */
function hasConfig({ changes }: ChangeGroup, part: ChangeGroup): boolean {
  const keys = new Set(part.resources.map(({ ref }) => resourceKey(ref)));
  return changes.some(
    (change) => change.class === 'config' && keys.has(resourceKey(change.resource)),
  );
}

/** The parts of `group` that a step of `stage` changes something of; at least one. */
export function judgedParts(
  group: ChangeGroup,
  mesh: Mesh,
  stage: 'config' | 'weights',
): readonly ChangeGroup[] {
  const parts = partsOf(group, mesh).filter((part) =>
    stage === 'weights' ? gainingNodes(part).length > 0 : hasConfig(group, part),
  );
  return parts.length === 0 ? [group] : parts;
}
