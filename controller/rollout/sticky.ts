/**
 * Weights for clients that are to stay where they are: the order in which a draw goes through the targets,
 * laid out so that whoever draws the same number at every step changes over at most once, from what
 * served it before the rollout to what serves it after. Each target has its applied share as a stretch of
 * a circle of 10,000 places; of the stretch of one that loses, the part that it loses is cut into one
 * piece for each target that gains from it, and each piece is handed over from its end on.
 */
import type { Route, WeightedTarget } from '../mesh/model.js';
import { apportion, type MovingTarget, moveTargets, targetKey } from './weights.js';

/**
 * The targets of both routes at `progress` (0 to 1), as pieces that sum to the whole; a target may have
 * several. The sums are those of `moveTargets` where one target gains or one loses; where several do both,
 * they may be off by a unit for each piece. Targets without a piece follow at weight 0. `origin`: the place
 * at which the list begins, 0 to 9,999.
 */
export function stickyTargets(
  before: Route,
  after: Route,
  progress: number,
  origin: number,
): readonly WeightedTarget[] {
  const targets = moveTargets(before, after, progress);
  const pieces = turn(joinEqual(layOut(targets)), origin);
  const placed = new Set(pieces.map(({ target }) => target));
  return [
    ...joinEqual(pieces).map(({ target, weight }) => weighted(target, weight)),
    ...targets.filter((target) => !placed.has(target)).map((target) => weighted(target, 0)),
  ];
}

function weighted({ virtualNode, port }: MovingTarget, weight: number): WeightedTarget {
  return { virtualNode, port, weight };
}

/** `weight` places of the circle, one after the other. */
interface Piece {
  readonly target: MovingTarget;
  readonly weight: number;
}

/** What one target hands to another over the whole rollout. */
interface Handover {
  readonly from: MovingTarget;
  readonly to: MovingTarget;
  readonly units: number;
}

function layOut(targets: readonly MovingTarget[]): readonly Piece[] {
  const handovers = handoversOf(targets);
  const moved = targets.reduce(
    (sum, { served, applied }) => sum + Math.max(0, served - applied),
    0,
  );
  const done = apportion(
    handovers.map(({ units }) => units),
    moved,
  );
  return targets.flatMap((target): readonly Piece[] => [
    { target, weight: Math.min(target.applied, target.desired) },
    ...handovers.flatMap(({ from, to, units }, index) => {
      const handed = done[index] ?? 0;
      return from === target
        ? [
            { target: from, weight: units - handed },
            { target: to, weight: handed },
          ]
        : [];
    }),
  ]);
}

/** Who hands how much to whom: those that lose, in order, to those that gain, in order. */
function handoversOf(targets: readonly MovingTarget[]): readonly Handover[] {
  const handovers: Handover[] = [];
  const gaining = targets
    .filter(({ applied, desired }) => desired > applied)
    .map((to) => ({ to, open: to.desired - to.applied }));
  for (const from of targets) {
    for (let left = from.applied - from.desired; left > 0; ) {
      const next = gaining.find(({ open }) => open > 0);
      if (next === undefined) {
        break;
      }
      const units = Math.min(left, next.open);
      handovers.push({ from, to: next.to, units });
      next.open -= units;
      left -= units;
    }
  }
  return handovers;
}

/** Neighbours of one target as one piece; without empty ones. */
function joinEqual(pieces: readonly Piece[]): readonly Piece[] {
  const joined: Piece[] = [];
  for (const piece of pieces.filter(({ weight }) => weight > 0)) {
    const last = joined.at(-1);
    if (last !== undefined && targetKey(last.target) === targetKey(piece.target)) {
      joined[joined.length - 1] = { ...last, weight: last.weight + piece.weight };
    } else {
      joined.push(piece);
    }
  }
  return joined;
}

/** The circle from `origin` on. */
function turn(pieces: readonly Piece[], origin: number): readonly Piece[] {
  const behind: Piece[] = [];
  const first: Piece[] = [];
  let place = 0;
  for (const { target, weight } of pieces) {
    const cut = Math.min(weight, Math.max(0, origin - place));
    behind.push({ target, weight: cut });
    first.push({ target, weight: weight - cut });
    place += weight;
  }
  return [...first, ...behind].filter(({ weight }) => weight > 0);
}
