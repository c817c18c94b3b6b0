/**
 * A mesh as one that is known and the few resources in which it differs. What a rollout's step serves is
 * such a mesh: what was found out about the known one, and made from it, holds for all that the
 * differences do not touch, so a step costs what it changes and not what the mesh holds.
 */
import { memo } from '../base/memo.js';
import type { Mesh, Resource, ResourceRef } from './model.js';

export interface PatchedMesh {
  readonly base: Mesh;
  /** By resource key. */
  readonly patch: ReadonlyMap<string, ResourcePatch>;
}

export interface ResourcePatch {
  readonly ref: ResourceRef;
  /** What is there instead of what the base has; null where nothing is. */
  readonly after: Resource | null;
}

/** `mesh` as it is; the same object for the same mesh. */
export const wholeMesh = memo((mesh: Mesh): PatchedMesh => ({ base: mesh, patch: new Map() }));
