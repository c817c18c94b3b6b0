/** A revision that was read: what is desired from now on, or the problems for which it is rejected. */
import { hasErrors } from '../base/problem.js';
import { shareMesh } from '../diff/share.js';
import type { LoopEvent, Taken } from './events.js';
import type { HistoryEntry } from './ports.js';
import { findVanishedMeshes } from './problems.js';
import type { LoopState, MeshState } from './state.js';

/** A valid revision becomes what is desired; of an invalid one only its problems are kept. */
export function takeRevision(
  state: LoopState,
  event: Extract<LoopEvent, { kind: 'revisionRead' }>,
  nowMs: number,
): Taken {
  const { durable } = state;
  const vanished = hasErrors(event.problems)
    ? []
    : findVanishedMeshes(durable.meshes.keys(), event.meshes);
  const problems = [...event.problems, ...vanished];
  const isValid = !hasErrors(problems);
  const isNew = durable.revision.attempted?.id !== event.revision.id;
  const revision = {
    ...durable.revision,
    attempted: event.revision,
    problems,
    desired: isValid ? event.revision : durable.revision.desired,
  };
  const history = isNew ? [revisionEntry(event.revision, problems, isValid, nowMs)] : [];
  if (!isValid) {
    return {
      state: { ...state, durable: { ...durable, revision } },
      history,
      isNewRevision: isNew,
    };
  }
  const meshes = new Map<string, MeshState>();
  for (const mesh of event.meshes) {
    const known = durable.meshes.get(mesh.name);
    const desired = shareMesh(known?.applied, shareMesh(known?.desired, mesh));
    // Nothing is applied before a mesh's first revision: all of it is additive and served at once.
    meshes.set(mesh.name, { applied: known?.applied ?? desired, desired });
  }
  return {
    state: { ...state, durable: { ...durable, revision, meshes }, origins: event.origins },
    history,
    isNewRevision: isNew,
  };
}

function revisionEntry(
  revision: { readonly id: string },
  problems: readonly unknown[],
  isValid: boolean,
  nowMs: number,
): HistoryEntry {
  return {
    atMs: nowMs,
    kind: 'revision',
    json: JSON.stringify({
      ...revision,
      verdict: isValid ? 'accepted' : 'rejected',
      problems: problems.length,
    }),
  };
}
