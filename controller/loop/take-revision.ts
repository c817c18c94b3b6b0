/**
 * Revisions that were read: what is desired from now on, and the problems of those that are rejected. A
 * rejected revision changes nothing but that.
 */
import { memo } from '../base/memo.js';
import { hasErrors } from '../base/problem.js';
import { findVanishedMeshes } from '../decode/combine-revisions.js';
import { diffOrigins } from '../diff/diff-origins.js';
import { shareMesh } from '../diff/share.js';
import type { Mesh } from '../mesh/model.js';
import type { FileOrigins, Origins } from '../mesh/origins.js';
import { allResources, keyIn } from '../mesh/references.js';
import type { Reading, RepositoryReading, Taken } from './events.js';
import type { HistoryEntry } from './ports.js';
import type { DurableState, LoopState, MeshState, RepositoryText, RevisionState } from './state.js';

/** What `given` accepts becomes what is desired. */
export function takeReading(state: LoopState, given: Reading, nowMs: number): Taken {
  const { durable } = state;
  const reading = withoutLoss(durable, given);
  const judged = reading.repositories.filter((one) => isJudged(durable, one));
  const repositories = new Map(
    reading.repositories.map((one) => [
      one.name,
      takeRepository(durable.repositories.get(one.name), one, nowMs),
    ]),
  );
  const taken = {
    history: judged.flatMap((one) => revisionEntry(one, nowMs)),
    judged: judged.map(({ name }) => name),
  };
  const { meshes: read, origins } = reading;
  if (read === undefined) {
    return { state: { ...state, durable: { ...durable, repositories } }, ...taken };
  }
  const meshes = new Map<string, MeshState>();
  for (const mesh of read) {
    const known = durable.meshes.get(mesh.name);
    const desired = shareMesh(known?.applied, shareMesh(known?.desired, mesh));
    // Nothing is applied before a mesh's first revision: all of it is additive and served at once.
    meshes.set(mesh.name, { applied: known?.applied ?? desired, desired });
  }
  const texts = takeTexts(durable.texts, reading.repositories);
  const owners = ownersOf(durable, origins);
  return {
    state: {
      ...state,
      durable: { ...durable, repositories, texts, owners, meshes },
      origins: shareOrigins(state.origins, origins),
    },
    ...taken,
  };
}

/** `previous` where nothing stands elsewhere now: most commits move no line. */
function shareOrigins(previous: Origins, next: Origins): Origins {
  if (previous === next) {
    return next;
  }
  const { moved, gone } = diffOrigins(previous, next);
  return moved.length === 0 && gone.length === 0 ? previous : next;
}

/** A reading that would lose a mesh that is served is rejected whole, whoever let it pass. */
function withoutLoss(durable: DurableState, reading: Reading): Reading {
  const lost =
    reading.meshes === undefined ? [] : findVanishedMeshes(durable.meshes.keys(), reading.meshes);
  if (lost.length === 0) {
    return reading;
  }
  const repositories = reading.repositories.map((one) =>
    one.attempted?.id === durable.repositories.get(one.name)?.desired?.id
      ? one
      : { ...one, isAccepted: false, problems: [...one.problems, ...lost] },
  );
  return { ...reading, repositories, meshes: undefined };
}

/** True where it is to be told: the revision is new, or was judged otherwise before. */
function isJudged(durable: DurableState, { name, attempted, isAccepted }: RepositoryReading) {
  const before = durable.repositories.get(name);
  return (
    attempted !== undefined &&
    (before?.attempted?.id !== attempted.id || isAccepted === hasErrors(before.problems))
  );
}

function takeRepository(
  before: RevisionState = { problems: [] },
  { attempted, isAccepted, problems }: RepositoryReading,
  nowMs: number,
): RevisionState {
  if (attempted === undefined) {
    return before;
  }
  return isAccepted && before.desired?.id !== attempted.id
    ? { ...before, attempted, problems, desired: attempted, desiredAtMs: nowMs }
    : { ...before, attempted, problems };
}

function takeTexts(
  before: ReadonlyMap<string, RepositoryText>,
  repositories: readonly RepositoryReading[],
): ReadonlyMap<string, RepositoryText> {
  const texts = repositories.flatMap(({ name, text }) => {
    const known = before.get(name);
    const newest = text === undefined || text.id === known?.id ? known : text;
    return newest === undefined ? [] : [[name, newest] as const];
  });
  return new Map(texts);
}

/** The repository of each resource of `file`, where it has one; most commits move nothing in most files. */
const declaredIn = memo((file: FileOrigins) =>
  file.flatMap(([key, { repository }]) =>
    repository === undefined ? [] : [[key, repository] as const],
  ),
);

/** What is applied and nowhere declared any more was its last owner's to remove. */
function ownersOf({ owners, meshes }: DurableState, origins: Origins): ReadonlyMap<string, string> {
  const declared = [...origins.values()].flatMap(declaredIn);
  if (declared.length === 0) {
    return new Map();
  }
  const applied = [...meshes.values()].flatMap(({ applied: mesh }: { readonly applied: Mesh }) =>
    allResources(mesh).map((resource) => keyIn(mesh.name, resource)),
  );
  const former = applied.flatMap((key) => {
    const owner = owners.get(key);
    return owner === undefined ? [] : [[key, owner] as const];
  });
  return new Map([...former, ...declared]);
}

function revisionEntry(
  { attempted, isAccepted, problems }: RepositoryReading,
  nowMs: number,
): readonly HistoryEntry[] {
  const verdict = isAccepted ? 'accepted' : 'rejected';
  const json = JSON.stringify({ ...attempted, verdict, problems: problems.length });
  return [{ atMs: nowMs, kind: 'revision', json }];
}
