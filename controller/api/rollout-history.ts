/**
 * The curves of a rollout: what each gate measured and what each target was served and really got, once a
 * second at most. Kept in memory beside the state, since a curve is for looking at: verdicts rest on the
 * evidence that is stored with the rollout.
 */
import type { LoopState } from '../loop/state.js';
import { isEnded, type Rollout, type Verdict } from '../rollout/rollout.js';
import { rolloutTargets } from '../rollout/targets.js';
import { viewTime } from './rollout-view.js';

export interface RolloutHistoryView {
  /** By the gate's name, oldest first. */
  readonly gates: Readonly<Record<string, readonly GatePointView[]>>;
  /** By `<router>/<route>/<virtual node>:<port>`, oldest first. */
  readonly targets: Readonly<Record<string, readonly TargetPointView[]>>;
}

export interface GatePointView {
  readonly at: string;
  readonly observed: number | null;
  readonly verdict: Verdict;
  readonly samples: number;
}

export interface TargetPointView {
  readonly at: string;
  readonly served: number;
  readonly actual: number | null;
}

interface Curves {
  readonly gates: Map<string, GatePointView[]>;
  readonly targets: Map<string, TargetPointView[]>;
  /** Milliseconds between two points: doubled each time the curves are full. */
  intervalMs: number;
  lastAtMs: number;
}

/** More than the pixels that a curve has; a point of a gate takes about 100 bytes. */
const pointsMax = 600;

const intervalMs = 1000;

export class RolloutHistory {
  private readonly curves = new Map<string, Curves>();

  /** Adds a point to the curves of each running rollout, and forgets rollouts that are gone. */
  look(state: LoopState, nowMs: number): void {
    const { rollouts } = state.durable;
    for (const id of this.curves.keys()) {
      if (!rollouts.has(id)) {
        this.curves.delete(id);
      }
    }
    for (const rollout of rollouts.values()) {
      if (!isEnded(rollout.phase)) {
        this.add(rollout, state, nowMs);
      }
    }
  }

  /** Empty curves where nothing was measured since the controller's start. */
  view(id: string): RolloutHistoryView {
    const { gates, targets } = this.curves.get(id) ?? newCurves();
    return { gates: Object.fromEntries(gates), targets: Object.fromEntries(targets) };
  }

  private add(rollout: Rollout, state: LoopState, nowMs: number): void {
    const curves = this.curves.get(rollout.id) ?? newCurves();
    this.curves.set(rollout.id, curves);
    if (nowMs - curves.lastAtMs < curves.intervalMs) {
      return;
    }
    curves.lastAtMs = nowMs;
    const at = viewTime(nowMs);
    for (const { name, observed, verdict, samples } of rollout.gates) {
      append(curves.gates, name, { at, observed: observed ?? null, verdict, samples });
    }
    for (const target of rolloutTargets(rollout, state.load, nowMs)) {
      const key = `${target.router}/${target.route}/${target.virtualNode}:${target.port}`;
      append(curves.targets, key, { at, served: target.served, actual: target.actual ?? null });
    }
    thin(curves);
  }
}

function newCurves(): Curves {
  return { gates: new Map(), targets: new Map(), intervalMs, lastAtMs: 0 };
}

function append<T>(curves: Map<string, T[]>, name: string, point: T): void {
  const points = curves.get(name) ?? [];
  points.push(point);
  curves.set(name, points);
}

/** Full curves keep every other point, so that a rollout of days is kept from its start to its end. */
function thin(curves: Curves): void {
  const all: unknown[][] = [...curves.gates.values(), ...curves.targets.values()];
  if (all.some((points) => points.length > pointsMax)) {
    curves.intervalMs *= 2;
    for (const points of all) {
      points.splice(0, points.length, ...points.filter((_, index) => index % 2 === 0));
    }
  }
}
