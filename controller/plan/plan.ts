/**
 * What a revision would do, before it is applied: by the controller's own diff, groups and policies, so
 * that what a pull request shows is what merging it starts.
 */
import type { ChangeGroup } from '../diff/change.js';
import { diffMeshes, emptyMesh } from '../diff/diff-meshes.js';
import type { Mesh } from '../mesh/model.js';
import { groupsOf } from '../rollout/groups.js';
import { planRollout } from '../rollout/plan.js';
import type { RolloutPlan } from '../rollout/rollout.js';
import { type EnvoyChange, envoyChanges } from './envoy-changes.js';
import { type Held, type PlannedHeld, planHeld } from './held.js';

export interface Plan {
  /** In the order of the repository's meshes; those without a change too. */
  readonly meshes: readonly MeshPlan[];
  readonly counts: Counts;
  /** What the controller holds of these meshes; undefined: no controller was asked. */
  readonly held?: readonly PlannedHeld[];
}

/** Whole resources. */
export interface Counts {
  readonly created: number;
  readonly changed: number;
  readonly deleted: number;
}

export interface MeshPlan {
  readonly name: string;
  /** Nothing of it is applied yet, so it is served at once: there is no traffic to move. */
  readonly isNew: boolean;
  readonly groups: readonly GroupPlan[];
  /** What changes in the configuration of its Envoys; undefined: nobody asked. */
  readonly envoy?: readonly EnvoyChange[];
}

export interface GroupPlan {
  readonly group: ChangeGroup;
  /** Without steps the group is served at once. */
  readonly rollout: RolloutPlan;
}

/** Every mesh of `after` compared with that of `before`; one that is not in `before` is new. */
export function planMeshes(
  before: readonly Mesh[],
  after: readonly Mesh[],
  options: { readonly withEnvoy: boolean; readonly held?: readonly Held[] } = { withEnvoy: false },
): Plan {
  const meshes = after.map((mesh): MeshPlan => {
    const applied = before.find((candidate) => candidate.name === mesh.name);
    const ends = { applied: applied ?? emptyMesh(mesh), desired: mesh };
    const groups = groupsOf(ends, diffMeshes(ends.applied, mesh));
    return {
      name: mesh.name,
      isNew: applied === undefined,
      groups: groups.map((group) => ({ group, rollout: planRollout(group, mesh) })),
      envoy: options.withEnvoy ? envoyChanges(applied, mesh) : undefined,
    };
  });
  const held = options.held && planHeld(options.held, after);
  return { meshes, counts: countResources(meshes), held };
}

/** True where applying the revision would change any resource. */
export function hasChanges({ counts }: Plan): boolean {
  return counts.created + counts.changed + counts.deleted > 0;
}

function countResources(meshes: readonly MeshPlan[]): Counts {
  const resources = meshes.flatMap(({ groups }) => groups.flatMap(({ group }) => group.resources));
  const created = resources.filter(({ before }) => before === null).length;
  const deleted = resources.filter(({ after }) => after === null).length;
  return { created, deleted, changed: resources.length - created - deleted };
}
