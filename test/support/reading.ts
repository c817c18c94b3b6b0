/** Readings of a repository that is the only one, as the loop takes them, and what the loop knows of it. */
import type { Problem } from '../../controller/base/problem.js';
import { onlyRepository } from '../../controller/base/revision.js';
import type { LoopEvent } from '../../controller/loop/events.js';
import type { DurableState, RevisionState } from '../../controller/loop/state.js';
import type { Mesh } from '../../controller/mesh/model.js';
import type { RevisionInfo } from '../../controller/rollout/rollout.js';

/** `revision` was read and is valid: it asks for `meshes`. */
export function accepted(revision: RevisionInfo, meshes: readonly Mesh[]): LoopEvent {
  return reading(revision, [], meshes);
}

/** `revision` was read and has `problems`. */
export function rejected(revision: RevisionInfo, problems: readonly Problem[]): LoopEvent {
  return reading(revision, problems, undefined);
}

function reading(
  attempted: RevisionInfo,
  problems: readonly Problem[],
  meshes: readonly Mesh[] | undefined,
): LoopEvent {
  const isAccepted = meshes !== undefined;
  return {
    kind: 'revisionsRead',
    sources: [onlyRepository],
    repositories: [{ name: onlyRepository, attempted, isAccepted, problems }],
    meshes,
    origins: new Map(),
  };
}

/** What the repository asks for. */
export function revisionIn({ repositories }: DurableState): RevisionState {
  return repositories.get(onlyRepository) ?? { problems: [] };
}
