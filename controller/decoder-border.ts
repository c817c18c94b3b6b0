/**
 * What crosses the border between the main thread and the thread that reads, and why it is only what
 * changed. Both sides remember what crossed last:
 *
 * - Files go in. The main thread numbers each file object that it sends; a number means that one file and
 *   no other for as long as the thread lives. Of a revision then only files without a number cross.
 * - Meshes come out, as the differences from those that came out before.
 *
 * Neither side ever tells the other what it remembers: both work it out from the same message, one task
 * has one answer, and a thread that is given up takes both memories with it. What is remembered is the
 * files of one task and the meshes of one answer, no matter how many there were.
 */

import type { SourceFile } from './base/revision.js';
import type {
  Combination,
  CombineInput,
  IdentifiedContent,
  RepositoryRevisions,
} from './decode/combine-revisions.js';
import type { ResourceChange } from './diff/change.js';
import { applyChanges, diffMeshes } from './diff/diff-meshes.js';
import { diffOrigins, type OriginChanges } from './diff/diff-origins.js';
import type { Mesh } from './mesh/model.js';
import type { Origins } from './mesh/origins.js';

/** A task, with the number of each file in place of it. */
export interface DecoderTask extends Omit<CombineInput, 'repositories'> {
  readonly repositories: readonly PackedRepository[];
  /** Files that the thread does not have, with their numbers. */
  readonly fresh: readonly (readonly [number, SourceFile])[];
}

interface PackedRepository extends Omit<RepositoryRevisions, 'accepted' | 'attempted'> {
  readonly accepted?: PackedRevision;
  readonly attempted?: PackedRevision;
}

type PackedRevision = Omit<IdentifiedContent, 'files'> & { readonly files: readonly number[] };

/** The files of the last task, on the main thread's side. */
export class SentFiles {
  private numbers: ReadonlyMap<SourceFile, number> = new Map();
  private sent = 0;

  pack({ repositories, ...task }: CombineInput): DecoderTask {
    const numbers = new Map<SourceFile, number>();
    const fresh: [number, SourceFile][] = [];
    const numberOf = (file: SourceFile): number => {
      const known = numbers.get(file) ?? this.numbers.get(file);
      const number = known ?? this.sent;
      numbers.set(file, number);
      if (known === undefined) {
        this.sent += 1;
        fresh.push([number, file]);
      }
      return number;
    };
    const packed = repositories.map((repository) => withFiles(repository, numberOf));
    this.numbers = numbers;
    return { ...task, repositories: packed, fresh };
  }
}

/** The same files, on the thread's side. */
export class HeldFiles {
  private files: ReadonlyMap<number, SourceFile> = new Map();

  /** What `pack` made `task` of. Files that are not in it are let go before anything is made of the others. */
  unpack({ repositories, fresh, ...task }: DecoderTask): CombineInput {
    const held = new Map<number, SourceFile>();
    const added = new Map(fresh);
    const fileOf = (number: number): SourceFile => {
      const file = added.get(number) ?? this.files.get(number);
      if (file === undefined) {
        throw new Error(`assertion failed: the thread has no file ${number}`);
      }
      held.set(number, file);
      return file;
    };
    const unpacked = repositories.map((repository) => withFiles(repository, fileOf));
    this.files = held;
    return { ...task, repositories: unpacked };
  }
}

interface WithFiles<File> {
  readonly name: string;
  readonly accepted?: Omit<IdentifiedContent, 'files'> & { readonly files: readonly File[] };
  readonly attempted?: Omit<IdentifiedContent, 'files'> & { readonly files: readonly File[] };
}

function withFiles<From, To>(
  { name, accepted, attempted }: WithFiles<From>,
  convert: (file: From) => To,
): WithFiles<To> {
  const converted = (revision: WithFiles<From>['accepted']) =>
    revision && {
      ...{ id: revision.id, repository: revision.repository, problems: revision.problems },
      files: revision.files.map(convert),
    };
  return { name, accepted: converted(accepted), attempted: converted(attempted) };
}

/** What came out of the thread last. */
export interface KnownMeshes {
  readonly meshes: readonly Mesh[];
  readonly origins: Origins;
}

export const nothingKnown: KnownMeshes = { meshes: [], origins: new Map() };

/** `combination` is what is known from now on; one that was rejected changes nothing of it. */
export function knownAfter(before: KnownMeshes, { meshes, origins }: Combination): KnownMeshes {
  return meshes === undefined ? before : { meshes, origins };
}

/** A combination as its differences from what is known; one that was rejected has no origins either. */
export interface CombinationNews extends Pick<Combination, 'verdicts'> {
  readonly accepted?: {
    readonly meshes: readonly MeshNews[];
    readonly origins: OriginChanges;
  };
}

type MeshNews =
  | { readonly kind: 'new'; readonly mesh: Mesh }
  | {
      readonly kind: 'changed';
      readonly name: string;
      readonly changes: readonly Pick<ResourceChange, 'ref' | 'after'>[];
    };

export function newsOf(
  known: KnownMeshes,
  { meshes, origins, verdicts }: Combination,
): CombinationNews {
  if (meshes === undefined) {
    return { verdicts };
  }
  return {
    verdicts,
    accepted: {
      meshes: meshes.map((mesh) => meshNews(known, mesh)),
      origins: diffOrigins(known.origins, origins),
    },
  };
}

function meshNews(known: KnownMeshes, mesh: Mesh): MeshNews {
  const before = known.meshes.find(({ name }) => name === mesh.name);
  if (before === undefined) {
    return { kind: 'new', mesh };
  }
  const changes = diffMeshes(before, mesh).map(({ ref, after }) => ({ ref, after }));
  return { kind: 'changed', name: mesh.name, changes };
}

/** The combination that `newsOf` made `news` of; what did not change is the same object as in `known`. */
export function takeNews(known: KnownMeshes, { accepted, verdicts }: CombinationNews): Combination {
  if (accepted === undefined) {
    return { verdicts, origins: new Map() };
  }
  return {
    verdicts,
    meshes: accepted.meshes.map((one) => takeMesh(known, one)),
    origins: takeOrigins(known.origins, accepted.origins),
  };
}

function takeMesh(known: KnownMeshes, news: MeshNews): Mesh {
  if (news.kind === 'new') {
    return news.mesh;
  }
  const before = known.meshes.find(({ name }) => name === news.name);
  if (before === undefined) {
    throw new Error(`assertion failed: mesh ${news.name} came out of the thread before`);
  }
  return applyChanges(before, news.changes);
}

function takeOrigins(
  known: KnownMeshes['origins'],
  { moved, gone }: OriginChanges,
): KnownMeshes['origins'] {
  if (moved.length === 0 && gone.length === 0) {
    return known;
  }
  const origins = new Map([...known, ...moved]);
  for (const key of gone) {
    origins.delete(key);
  }
  return origins;
}
