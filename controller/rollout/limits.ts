/** What ends a rollout's way forward by itself: gates that fail or cannot be measured, and time. */
import { assertNever } from '../base/assert.js';
import { renderDuration } from '../base/duration.js';
import { enterNextStep } from './enter-step.js';
import { brokenGate, failedGate } from './gates/standing.js';
import { whyLate } from './reasons.js';
import type { GateResult, Rollout } from './rollout.js';
import { complete, pauseRollout, rollBack } from './turns.js';
import type { World } from './world.js';

/** What the rollout as a whole ends with when it has taken too long; undefined: it has not. */
export function meetMaxDuration(rollout: Rollout, nowMs: number): Rollout | undefined {
  const { plan, phase, startedAtMs, runsFromMs } = rollout;
  const isUnderWay =
    (phase === 'Pending' && rollout.isQueued !== true) ||
    phase === 'WaitingForApproval' ||
    phase === 'WaitingForWindow' ||
    phase === 'Progressing' ||
    phase === 'Baking';
  const sinceMs = runsFromMs ?? startedAtMs;
  if (!isUnderWay || plan.maxDurationMs === undefined || nowMs - sinceMs < plan.maxDurationMs) {
    return undefined;
  }
  const reason = `was not complete after ${renderDuration(plan.maxDurationMs)}, its maximum (${rollout.reason})`;
  switch (plan.onMaxDuration) {
    case 'rollback':
      return rollBack(rollout, reason, nowMs);
    case 'pause':
      return pauseRollout(rollout, reason, nowMs);
    case 'promote':
      return { ...complete(rollout, reason, nowMs), isForced: true };
    default:
      return assertNever(plan.onMaxDuration);
  }
}

/** What the gates end the rollout's way forward with; undefined: they do not. */
export function stoppedByGates(rollout: Rollout, nowMs: number): Rollout | undefined {
  const failed = failedGate(rollout);
  if (failed !== undefined) {
    return failOn(rollout, failed, nowMs);
  }
  const broken = brokenGate(rollout);
  if (broken === undefined) {
    return undefined;
  }
  const reason = `gate ${broken.name} cannot be measured: ${broken.text}`;
  return rollout.plan.onError === 'pause'
    ? pauseRollout(rollout, reason, nowMs)
    : rollBack(rollout, reason, nowMs);
}

/** As the policy says of a gate that has failed. */
export function failOn(rollout: Rollout, result: GateResult, nowMs: number): Rollout {
  const reason = `gate ${result.name} failed: ${result.text}`;
  return rollout.plan.onFailure === 'pause'
    ? pauseRollout(rollout, reason, nowMs)
    : rollBack(rollout, reason, nowMs);
}

/** `rollout` itself while its step still has time. */
export function meetDeadline(rollout: Rollout, world: World): Rollout {
  if (world.nowMs - rollout.stepEnteredAtMs < rollout.plan.stepDeadlineMs) {
    return rollout;
  }
  const reason = whyLate(rollout, world);
  switch (rollout.plan.onStepDeadline) {
    case 'rollback':
      return rollBack(rollout, reason, world.nowMs);
    case 'pause':
      return pauseRollout(rollout, reason, world.nowMs);
    case 'promote':
      return { ...enterNextStep(rollout, world), isForced: true };
    default:
      return assertNever(rollout.plan.onStepDeadline);
  }
}
