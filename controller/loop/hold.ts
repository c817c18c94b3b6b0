/**
 * What failed and is not tried again. Held is content, not a commit: as long as exactly what failed is
 * wanted again, nothing is tried; another wish for any of its resources, or none, releases it.
 */
import type { ResourceChange } from '../diff/change.js';
import { missingFor } from '../diff/stands-alone.js';
import { hashOf } from '../mesh/content.js';
import { type Mesh, resourceKey } from '../mesh/model.js';
import type { HeldChange, Rollout } from '../rollout/rollout.js';

/** What is held and still wanted, by the id of the rollout that failed. */
export type Waiting = ReadonlyMap<string, readonly ResourceChange[]>;

/** What is remembered of `rollout`, which failed. */
export function holdRollout(rollout: Rollout, nowMs: number): HeldChange {
  return {
    rollout: rollout.id,
    mesh: rollout.mesh,
    name: rollout.name,
    reason: rollout.reason,
    sinceMs: nowMs,
    revision: rollout.revision,
    wanted: Object.fromEntries(
      rollout.group.resources.map(({ ref, after }) => [resourceKey(ref), hashOf(after)]),
    ),
  };
}

/** Which of `held` stay so, given that `changes` are what is wanted and not under way. */
export function releaseHeld(
  held: ReadonlyMap<string, HeldChange>,
  mesh: string,
  changes: readonly ResourceChange[],
): { readonly held: ReadonlyMap<string, HeldChange>; readonly waiting: Waiting } {
  const kept = new Map<string, HeldChange>();
  const waiting = new Map<string, readonly ResourceChange[]>();
  const byKey = new Map(changes.map((change) => [resourceKey(change.ref), change]));
  for (const [id, change] of held) {
    const wanted = Object.entries(change.wanted);
    const asked = wanted.flatMap(([key]) => byKey.get(key) ?? []);
    const isSame =
      asked.length === wanted.length &&
      asked.every(({ ref, after }) => change.wanted[resourceKey(ref)] === hashOf(after));
    if (change.mesh !== mesh) {
      kept.set(id, change);
    } else if (isSame) {
      kept.set(id, change);
      waiting.set(id, asked);
    }
  }
  return { held: kept, waiting };
}

/**
 * Which of what is held `changes` cannot stand without, and nothing more of it: no failed change is tried
 * again for one that has nothing to do with it. Undefined where even all of it would not do.
 */
export function neededOf(
  applied: Mesh,
  changes: readonly ResourceChange[],
  waiting: Waiting,
): readonly string[] | undefined {
  const needed = new Set<string>();
  let joined = changes;
  for (;;) {
    const missing = new Set(missingFor(applied, joined));
    if (missing.size === 0) {
      return [...needed];
    }
    const found = [...waiting].find(
      ([id, held]) => !needed.has(id) && held.some((change) => brings(change, missing)),
    );
    if (found === undefined) {
      return undefined;
    }
    needed.add(found[0]);
    joined = [...joined, ...found[1]];
  }
}

function brings({ ref, after }: ResourceChange, missing: ReadonlySet<string>): boolean {
  return after !== null && missing.has(resourceKey(ref));
}
