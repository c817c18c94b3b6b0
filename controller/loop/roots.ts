/**
 * Effective meshes as patches of one that is known, the root, by which everything is kept that was found
 * out and translated. What a commit, a rollout or an announced endpoint changes is patched onto the root;
 * when much of it has changed, the mesh of the time becomes the root. Which one is the root makes no
 * difference to what is served, only to what it costs.
 */
import { pairMemo } from '../base/memo.js';
import type { ResourceChange } from '../diff/change.js';
import { applyChanges, diffMeshes } from '../diff/diff-meshes.js';
import { findResource, type Mesh, resourceKey } from '../mesh/model.js';
import { type PatchedMesh, type ResourcePatch, wholeMesh } from '../mesh/patched-mesh.js';
import { type Announced, hasAnnounced, withAnnounced, withEndpoints } from './announced.js';

/** What is served instead of what is applied: the `after` of a change. */
type Served = Pick<ResourceChange, 'ref' | 'after'>;

interface Root {
  readonly applied: Mesh;
  readonly announced: Announced;
  readonly changes: readonly Served[];
  /** `applied` with all of that in it. */
  readonly mesh: Mesh;
}

/**
 * A new root costs what the mesh holds, and each publication costs what is patched: with as many as this
 * ten thousand services are looked at anew once in a hundred changes.
 */
const patchesMax = 128;

export class Roots {
  private readonly byMesh = new Map<string, Root>();
  /** Meshes whose root was set in this publication: proxies that differ in much must not set it in turns. */
  private readonly moved = new Set<string>();

  /** A publication begins. */
  begin(): void {
    this.moved.clear();
  }

  /** `applied` with `changes` and with what `announced` fills in. */
  patch(applied: Mesh, announced: Announced, changes: readonly Served[]): PatchedMesh {
    const { name } = applied;
    const known = this.byMesh.get(name);
    if (known !== undefined) {
      const patch = patchOf(known, applied, announced, changes);
      if (patch.size <= patchesMax || this.moved.has(name)) {
        return patch.size === 0 ? wholeMesh(known.mesh) : { base: known.mesh, patch };
      }
    }
    const mesh = withAnnounced(applyChanges(applied, changes), announced);
    this.byMesh.set(name, { applied, announced, changes, mesh });
    this.moved.add(name);
    return wholeMesh(mesh);
  }
}

/** What `applied` with `changes` and `announced` has that `root` has not. */
function patchOf(
  root: Root,
  applied: Mesh,
  announced: Announced,
  changes: readonly Served[],
): ReadonlyMap<string, ResourcePatch> {
  const patch = new Map<string, ResourcePatch>();
  const put = ({ ref, after }: Served): void => {
    const served =
      after?.kind === 'VirtualNode' ? withEndpoints(ref.mesh, after, announced) : after;
    if (served === (findResource(root.mesh, ref) ?? null)) {
      patch.delete(resourceKey(ref));
    } else {
      patch.set(resourceKey(ref), { ref, after: served });
    }
  };
  const putApplied = (ref: Served['ref']): void =>
    put({ ref, after: findResource(applied, ref) ?? null });
  for (const change of differences(root.applied, applied)) {
    put(change);
  }
  if (hasAnnounced(applied)) {
    for (const ref of movedNodes(applied.name, root.announced, announced)) {
      putApplied(ref);
    }
  }
  for (const { ref } of root.changes) {
    putApplied(ref);
  }
  for (const change of changes) {
    put(change);
  }
  return patch;
}

const differences = pairMemo(diffMeshes);

/** The virtual nodes of `mesh` that other endpoints were announced of. */
function movedNodes(mesh: string, before: Announced, after: Announced): readonly Served['ref'][] {
  const prefix = resourceKey({ mesh, kind: 'VirtualNode', name: '' });
  return movedKeys(before, after)
    .filter((key) => key.startsWith(prefix))
    .map((key) => ({ mesh, kind: 'VirtualNode', name: key.slice(prefix.length) }));
}

const movedKeys = pairMemo((before: Announced, after: Announced): readonly string[] => [
  ...[...after].flatMap(([key, entries]) => (before.get(key) === entries ? [] : [key])),
  ...[...before.keys()].filter((key) => !after.has(key)),
]);
