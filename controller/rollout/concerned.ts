/**
 * The connected proxies that a rollout concerns, and which of them have acknowledged what it serves: what a
 * step waits for, what a quorum counts, and what people are told of it.
 */
import { memo, pairMemo } from '../base/memo.js';
import type { ChangeGroup, Ends } from '../diff/change.js';
import { applyChanges } from '../diff/diff-meshes.js';
import { type Mesh, type ResourceRef, resourceKey } from '../mesh/model.js';
import type { Rollout } from './rollout.js';
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

/** `generation`: the publication that first served the rollout's present position. */
export function concernedProxies(
  rollout: Rollout,
  ends: Ends,
  proxies: ReadonlyMap<string, SeenProxy>,
  generation: number,
): readonly ConcernedProxy[] {
  const byResource = proxiesByResource(proxies);
  return concernedKeys(rollout, ends)
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

/** A reference may be new or gone: who is concerned before or after is. */
function concernedKeys(rollout: Rollout, ends: Ends): readonly string[] {
  const before = concernedOf(rollout.group, ends.applied);
  const after = concernedOf(rollout.group, wantedMesh(ends, rollout));
  return [...before, ...[...after].filter((key) => !before.has(key))];
}

/** Groups and meshes are immutable: who is concerned is found once for each pair. */
const concernedOf = pairMemo(concernedNodes);

const proxiesByResource = memo(
  (proxies: ReadonlyMap<string, SeenProxy>): ReadonlyMap<string, readonly SeenProxy[]> => {
    const byKey = new Map<string, SeenProxy[]>();
    for (const proxy of proxies.values()) {
      const { resource } = proxy.identity;
      const key = resource === undefined ? '' : resourceKey(resource);
      const known = byKey.get(key);
      if (known === undefined) {
        byKey.set(key, [proxy]);
      } else {
        known.push(proxy);
      }
    }
    return byKey;
  },
);
