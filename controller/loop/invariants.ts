/**
 * What must hold of every step that rollouts make by themselves, checked before it is stored. A rollout
 * that breaks it is paused where it was, so that what is served stays, and the loop tells of it
 * (`invariant.violated`). A way back is never held up. People's own words are none of it.
 */
import { sameValue } from '../base/same-value.js';
import { applyChanges } from '../diff/diff-meshes.js';
import { findResource, type Mesh } from '../mesh/model.js';
import { isEnded, type Phase, type Rollout, servedProgress } from '../rollout/rollout.js';
import { pauseRollout } from '../rollout/turns.js';
import { ackDeadlineOf, type World } from '../rollout/world.js';
import type { LoopState, MeshState } from './state.js';

/**
 * - `H1`: progress goes one step at a time, and never back but the whole way.
 * - `H4`: the way back leads to what was recorded when the rollout began.
 * - `H8`: no step goes on for longer than its deadline allows.
 * - `H9`: a step is left only on evidence that was stored for it, taken after its acknowledgements.
 */
export interface Violation {
  readonly invariant: 'H1' | 'H4' | 'H8' | 'H9';
  readonly rollout: string;
  readonly message: string;
}

export interface Moves {
  readonly before: LoopState;
  /** The event is taken in: what it moved, people and refusals did. */
  readonly taken: LoopState;
  /** Rollouts have moved by themselves. */
  readonly after: LoopState;
}

export interface Guarded {
  readonly state: LoopState;
  readonly violations: readonly Violation[];
}

/** A deadline is met at the first look after it; a loop that was busy for this long has other problems. */
const deadlineMarginMs = 120_000;

const moving: ReadonlySet<Phase> = new Set(['Pending', 'Progressing', 'Baking']);

/**
 * `after` with every rollout held whose own move breaks an invariant; where the way back would
 * lead elsewhere, what was recorded takes its place. Pure.
 */
export function guardStep(
  { before, taken, after }: Moves,
  settings: Pick<World, 'ackDeadlineMs'>,
  nowMs: number,
): Guarded {
  const violations: Violation[] = [];
  // Filled only where something is broken: this is asked at every step.
  const held = new Map<string, Rollout>();
  const mended = new Map<string, MeshState>();
  for (const [id, to] of after.durable.rollouts) {
    const first = before.durable.rollouts.get(id);
    const from = taken.durable.rollouts.get(id);
    if (first === undefined || from === undefined || isEnded(first.phase)) {
      continue;
    }
    const broken = brokenBy(from, to, settings, nowMs);
    if (broken !== undefined) {
      violations.push({ ...broken, rollout: id });
      const reason = `held: ${broken.message}; this is a bug of Headgate (${broken.invariant})`;
      held.set(id, pauseRollout(from, reason, nowMs));
    }
    const mesh = mended.get(to.mesh) ?? after.durable.meshes.get(to.mesh);
    if (mesh !== undefined && to.phase === 'RollingBack' && first.phase !== 'RollingBack') {
      const applied = withRecorded(mesh.applied, to);
      if (applied !== mesh.applied) {
        const message = 'what is applied was not what was recorded when the rollout began';
        violations.push({ invariant: 'H4', rollout: id, message });
        mended.set(to.mesh, { ...mesh, applied });
      }
    }
  }
  if (violations.length === 0) {
    return { state: after, violations };
  }
  const rollouts = new Map([...after.durable.rollouts, ...held]);
  const meshes = new Map([...after.durable.meshes, ...mended]);
  return { state: { ...after, durable: { ...after.durable, rollouts, meshes } }, violations };
}

type Broken = Omit<Violation, 'rollout'>;

function brokenBy(
  from: Rollout,
  to: Rollout,
  settings: Pick<World, 'ackDeadlineMs'>,
  nowMs: number,
): Broken | undefined {
  if (to.phase === 'RollingBack' || to.phase === 'Paused' || isEnded(to.phase)) {
    return undefined;
  }
  return from === to
    ? brokenDeadline(to, settings, nowMs)
    : (brokenOrder(from, to) ?? brokenEvidence(from, to));
}

function brokenOrder(from: Rollout, to: Rollout): Broken | undefined {
  const broken = (message: string): Broken => ({ invariant: 'H1', message });
  if (to.step < from.step || to.step > from.step + 1) {
    return broken(`it went from step ${from.step + 1} to step ${to.step + 1}`);
  }
  if (to.step === from.step && to.waveShare < from.waveShare) {
    return broken(`its share of the proxies fell from ${from.waveShare} to ${to.waveShare}`);
  }
  const [left, entered] = [from.plan.steps[from.step], to.plan.steps[to.step]];
  const isOneStage = left?.stage === entered?.stage;
  if (left && entered && isOneStage && servedProgress(entered) < servedProgress(left)) {
    return broken(`it went back from ${servedProgress(left)} % to ${servedProgress(entered)} %`);
  }
  const isEarly = to.phase === 'Completing' && to.step < to.plan.steps.length - 1;
  return isEarly && from.phase !== 'Completing' && to.isForced !== true
    ? broken(`it completed at step ${to.step + 1} of ${to.plan.steps.length}`)
    : undefined;
}

/** Nothing grows on the word of nobody: neither a person, nor a deadline that may, nor the gates. */
function brokenEvidence(from: Rollout, to: Rollout): Broken | undefined {
  const hasLeft = to.step > from.step || (to.phase === 'Completing' && from.phase !== 'Completing');
  if (!hasLeft || from.step < 0 || to.isForced === true) {
    return undefined;
  }
  const broken = (message: string): Broken => ({ invariant: 'H9', message });
  const evidence = to.evidence.at(-1);
  if (evidence?.step !== from.step) {
    return broken(`it left step ${from.step + 1} with no evidence of it`);
  }
  // Evidence that was stored before counts after a restart too, which sets the acknowledgements' time anew.
  const isNew = from.evidence.at(-1)?.step !== from.step;
  if (isNew && (from.ackedAtMs === undefined || evidence.atMs < from.ackedAtMs)) {
    return broken(`it left step ${from.step + 1} on evidence from before its acknowledgements`);
  }
  const failed = evidence.gates.find(
    ({ verdict, dryRun }) => verdict === 'fail' && dryRun !== true,
  );
  return failed && broken(`it left step ${from.step + 1} although gate ${failed.name} had failed`);
}

function brokenDeadline(
  rollout: Rollout,
  settings: Pick<World, 'ackDeadlineMs'>,
  nowMs: number,
): Broken | undefined {
  const { phase, isQueued, stepEnteredAtMs, plan, step } = rollout;
  const isMoving = moving.has(phase) && isQueued !== true;
  const mayTakeMs = plan.stepDeadlineMs + ackDeadlineOf(rollout, settings) + deadlineMarginMs;
  return isMoving && nowMs - stepEnteredAtMs > mayTakeMs
    ? { invariant: 'H8', message: `step ${step + 1} has not met its deadline` }
    : undefined;
}

/** `applied` with each resource of the rollout as it was when it began; the same object where it is so. */
function withRecorded(applied: Mesh, { group }: Rollout): Mesh {
  const wrong = group.resources.filter(
    ({ ref, before }) => !sameValue(findResource(applied, ref) ?? null, before),
  );
  return wrong.length === 0
    ? applied
    : applyChanges(
        applied,
        wrong.map((change) => ({ ...change, after: change.before })),
      );
}
