/**
 * What the controller holds, beside a revision that is to be merged: changes that were rolled back or
 * aborted, so that Git asks for one thing and the mesh serves another. A plan from one revision to another
 * cannot know of them by itself.
 */
import { hashOf } from '../mesh/content.js';
import { findResource, type Mesh, type ResourceKind } from '../mesh/model.js';

/** A held change as the controller's API tells of it. */
export interface Held {
  /** The rollout that failed. */
  readonly rollout: string;
  readonly mesh: string;
  readonly name: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly since: string;
  /** The commit that asked for it. */
  readonly revision: string;
  /** What it asked for; `content` is null for what it removes. */
  readonly resources: readonly {
    readonly kind: ResourceKind;
    readonly name: string;
    readonly content: string | null;
  }[];
}

/** A held change, and what the revision makes of it. */
export interface PlannedHeld extends Omit<Held, 'resources'> {
  /** True: the revision asks for exactly what failed, so nothing is tried again by itself. */
  readonly staysHeld: boolean;
}

/** Those of `held` that are of one of `meshes`, which are those of the revision. */
export function planHeld(held: readonly Held[], meshes: readonly Mesh[]): readonly PlannedHeld[] {
  return held.flatMap((change) => {
    const mesh = meshes.find(({ name }) => name === change.mesh);
    const { resources: _, ...shown } = change;
    return mesh === undefined ? [] : [{ ...shown, staysHeld: asksFor(mesh, change) }];
  });
}

function asksFor(mesh: Mesh, { resources }: Held): boolean {
  return resources.every(
    (resource) => hashOf(findResource(mesh, resource) ?? null) === resource.content,
  );
}

/** The one sentence that matters, for a title. */
export function heldTitle({ name, mesh }: PlannedHeld): string {
  return `${name} in mesh ${mesh} is held: Git asks for one thing, the mesh serves another`;
}

/** What failed, and what becomes of it. Text from outside is in both: whoever prints them escapes. */
export function heldLines({ rollout, revision, since, reason, staysHeld }: PlannedHeld) {
  const what = `${rollout} of commit ${revision.slice(0, 12)} failed ${since.replace(/\.\d+Z$/, 'Z')}: ${reason}`;
  const next = staysHeld
    ? `this revision asks for the same: it stays held until a commit changes it, or headgate retry ${rollout}`
    : 'this revision changes it: its rollout starts from what the mesh serves, which this plan does not know';
  return [what, next] as const;
}
