/**
 * Meshes as rows of the store, one for each resource of what is applied and of what is desired: a commit
 * that changes one file, and a rollout that succeeds, write the resources that they change.
 */
import { pairMemo } from '../base/memo.js';
import { applyChanges, diffMeshes, emptyMesh } from '../diff/diff-meshes.js';
import { shareMesh } from '../diff/share.js';
import type { Mesh, Resource, ResourceKind, ResourceRef } from '../mesh/model.js';
import { resourceKey } from '../mesh/model.js';
import { allResources } from '../mesh/references.js';
import type { StoreWrite } from './ports.js';
import type { MeshState } from './state.js';

/** The kinds of rows that this file reads and writes. */
const meshSides = ['applied', 'desired'] as const;

export type MeshSide = (typeof meshSides)[number];

/** By mesh name. */
export type Meshes = ReadonlyMap<string, Mesh>;

export type MeshRows = Readonly<Record<MeshSide, Meshes>>;

export const noMeshRows: MeshRows = { applied: new Map(), desired: new Map() };

/** A row of either side; `value` is null where the resource is gone. */
export interface MeshRow {
  readonly kind: MeshSide;
  /** The resource's key. */
  readonly key: string;
  readonly value: Resource | null;
}

/** True of a row that was parsed and is one of a mesh. */
export function isMeshRow(row: { readonly kind: string }): row is MeshRow {
  return meshSides.some((side) => side === row.kind);
}

/** What must be written to bring the store from `before` to `after`. */
export function changedMeshes(
  before: ReadonlyMap<string, MeshState>,
  after: ReadonlyMap<string, MeshState>,
): readonly StoreWrite[] {
  if (before === after) {
    return [];
  }
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].flatMap((name) =>
    meshSides.flatMap((side) =>
      changedRows(side, before.get(name)?.[side], after.get(name)?.[side]),
    ),
  );
}

function changedRows(
  kind: MeshSide,
  before: Mesh | undefined,
  after: Mesh | undefined,
): readonly StoreWrite[] {
  if (before === undefined || after === undefined) {
    const mesh = after ?? before;
    return (mesh === undefined ? [] : allResources(mesh)).map((resource) => ({
      kind,
      key: resourceKey({ mesh: mesh?.name ?? '', kind: resource.kind, name: resource.name }),
      json: after === undefined ? null : JSON.stringify(resource),
    }));
  }
  return diffMeshes(before, after).map(({ ref, after: resource }) => ({
    kind,
    key: resourceKey(ref),
    json: resource === null ? null : JSON.stringify(resource),
  }));
}

/** `meshes` with `rows`; what a row says that is there already stays the same object. */
export function takeMeshRows(meshes: MeshRows, rows: readonly MeshRow[]): MeshRows {
  return { applied: takeSide('applied', meshes, rows), desired: takeSide('desired', meshes, rows) };
}

function takeSide(side: MeshSide, { [side]: known }: MeshRows, rows: readonly MeshRow[]): Meshes {
  const byMesh = new Map<string, Changed[]>();
  for (const { kind, key, value } of rows) {
    if (kind === side) {
      const ref = refOf(key);
      const changes = byMesh.get(ref.mesh) ?? [];
      byMesh.set(ref.mesh, changes);
      changes.push({ ref, after: value });
    }
  }
  if (byMesh.size === 0) {
    return known;
  }
  const meshes = new Map(known);
  for (const [name, changes] of byMesh) {
    const settings = changes.find(({ ref }) => ref.kind === 'Mesh');
    if (settings?.after === null) {
      meshes.delete(name);
      continue;
    }
    const before = known.get(name);
    const base = before ?? nothingOf(name, settings?.after);
    meshes.set(name, shareMesh(before, applyChanges(base, changes)));
  }
  return new Map([...meshes].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** `next`, with what it has in common with `previous` as the same objects. */
export function shareMeshRows(previous: MeshRows, next: MeshRows): MeshRows {
  const share = (side: MeshSide): Meshes =>
    new Map(
      [...next[side]].map(([name, mesh]) => [name, shareMesh(previous[side].get(name), mesh)]),
    );
  return { applied: share('applied'), desired: share('desired') };
}

interface Changed {
  readonly ref: ResourceRef;
  readonly after: Resource | null;
}

function nothingOf(name: string, settings: Resource | undefined): Mesh {
  if (settings?.kind !== 'Mesh') {
    throw new Error(`the state has resources of mesh ${name} and no settings of it`);
  }
  return emptyMesh({ name, settings });
}

/** The names of meshes have no slash in them. */
function refOf(key: string): ResourceRef {
  const [mesh = '', kind = '', ...name] = key.split('/');
  return { mesh, kind: kind as ResourceKind, name: name.join('/') };
}

/** Both sides of each mesh; what is the same in both is the same object, as it was before a restart. */
export function meshStates({ applied, desired }: MeshRows): ReadonlyMap<string, MeshState> {
  return new Map(
    [...applied].map(([name, mesh]) => [
      name,
      { applied: mesh, desired: shared(mesh, desired.get(name) ?? mesh) },
    ]),
  );
}

/** Of a follower's meshes most are those of the last time. */
const shared = pairMemo((applied: Mesh, desired: Mesh) => shareMesh(applied, desired));
