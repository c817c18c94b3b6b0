/**
 * The connected proxies that a rollout concerns, and which of them have acknowledged what it serves: what a
 * step waits for, what a quorum counts, and what people are told of it.
 */
import { groupBy } from '../base/group-by.js';
import { lastListMemo, memo, pairMemo } from '../base/memo.js';
import type { ChangeGroup, Ends } from '../diff/change.js';
import { applyChanges } from '../diff/diff-meshes.js';
import { type Mesh, type ResourceRef, resourceKey } from '../mesh/model.js';
import { isUnderWay, type Rollout } from './rollout.js';
import { concernedNodes } from './scope.js';

/** A connected proxy, as far as rollouts look at it. */
export interface SeenProxy {
  /** A name for people. */
  readonly id: string;
  readonly identity: { readonly instance: string; readonly resource?: ResourceRef };
  readonly connectedAtMs: number;
  /** The newest publication of which it has acknowledged everything. */
  readonly ackedGeneration: number;
}

export interface ConcernedProxy {
  readonly id: string;
  readonly instance: string;
  readonly connectedAtMs: number;
  /** True: it has acknowledged what the rollout serves. */
  readonly hasAcked: boolean;
}

/** What a mesh serves now, and what it serves when all that is under way has arrived. */
export interface Way {
  readonly applied: Mesh;
  /** The groups of the rollouts that are on their way forward. */
  readonly underWay: readonly ChangeGroup[];
}

/** By mesh, and by id. */
interface Running {
  readonly meshes: ReadonlyMap<string, Pick<Ends, 'applied'>>;
  readonly rollouts: ReadonlyMap<string, Rollout>;
}

/** Undefined where there is no such mesh. */
export function wayOf({ meshes, rollouts }: Running, mesh: string): Way | undefined {
  const ends = meshes.get(mesh);
  return ends && { applied: ends.applied, underWay: groupsUnderWay(rollouts).get(mesh) ?? [] };
}

/** By mesh. Found once for a state, since every rollout asks. */
const groupsUnderWay = memo(
  (rollouts: Running['rollouts']): ReadonlyMap<string, readonly ChangeGroup[]> =>
    new Map(
      [...groupBy([...rollouts.values()].filter(isUnderWay), ({ mesh }) => [mesh])].map(
        ([mesh, underWay]) => [mesh, underWay.map(({ group }) => group)],
      ),
    ),
);

/** `generation`: the publication that first served the rollout's present position. */
export function concernedProxies(
  { group }: Rollout,
  way: Way,
  proxies: ReadonlyMap<string, SeenProxy>,
  generation: number,
): readonly ConcernedProxy[] {
  const byResource = proxiesByResource(proxies);
  return concernedKeys(group, way)
    .flatMap((key) => byResource.get(key) ?? [])
    .map(({ id, identity, connectedAtMs, ackedGeneration }) => ({
      id,
      instance: identity.instance,
      connectedAtMs,
      hasAcked: ackedGeneration >= generation,
    }));
}

/** What the rollout leads to: where a newer commit waits for its end, that is not what is desired. */
export function wantedMesh({ applied, desired }: Ends, { group, followedBy }: Rollout): Mesh {
  return followedBy === undefined ? desired : withGroup(applied, group);
}

const withGroup = pairMemo((applied: Mesh, { resources }: ChangeGroup) =>
  applyChanges(applied, resources),
);

/**
 * A reference may be new or gone: who is concerned before or after is. It may be another rollout's, which
 * the newest commit need not want any more; what is only desired is served to nobody.
 */
function concernedKeys(group: ChangeGroup, { applied, underWay }: Way): readonly string[] {
  const before = concernedOf(group, applied);
  // Whether the group itself is in it makes no difference: what it changes is where the search begins.
  const after = concernedOf(group, whenArrived(applied, underWay));
  return [...before, ...[...after].filter((key) => !before.has(key))];
}

const whenArrived = lastListMemo((applied: Mesh, underWay: readonly ChangeGroup[]) =>
  applyChanges(
    applied,
    underWay.flatMap(({ resources }) => resources),
  ),
);

/** Groups and meshes are immutable: who is concerned is found once for each pair. */
const concernedOf = pairMemo(concernedNodes);

const proxiesByResource = memo((proxies: ReadonlyMap<string, SeenProxy>) =>
  groupBy(proxies.values(), ({ identity: { resource } }) =>
    resource === undefined ? [] : [resourceKey(resource)],
  ),
);
