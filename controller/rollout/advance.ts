/**
 * `advanceRollout(rollout, world)`: the one transition that is due now, or the rollout itself where none
 * is. At most one a call, since each must be stored and served before the next may be judged.
 *
 *   Pending → [WaitingForApproval] → Progressing → Baking → (next step …) → Completing → Succeeded
 *   before any step → [WaitingForWindow];   any of them → Paused → back; any of them → RollingBack → RolledBack or Aborted
 */
import { assertNever } from '../base/assert.js';
import { renderDuration } from '../base/duration.js';
import { nameSome } from '../base/name-some.js';
import { enterNextStep, hasLeftStep, isApproved, widen } from './enter-step.js';
import {
  emptyGate,
  forgetVerdict,
  openGates,
  unansweredGates,
  withVerdicts,
} from './gates/standing.js';
import { failOn, meetDeadline, meetMaxDuration, stoppedByGates } from './limits.js';
import type { Rollout } from './rollout.js';
import { isOpen } from './windows.js';
import {
  ackDeadlineOf,
  hasQuorum,
  mustWait,
  owing,
  silentProxies,
  type World,
  waveOf,
  youngProxies,
} from './world.js';

export function advanceRollout(rollout: Rollout, world: World): Rollout {
  return meetMaxDuration(rollout, world.nowMs) ?? advancePhase(rollout, world);
}

function advancePhase(rollout: Rollout, world: World): Rollout {
  switch (rollout.phase) {
    case 'Pending':
      return advancePending(rollout, world);
    case 'WaitingForApproval':
      return advanceWaiting(rollout, world);
    case 'WaitingForWindow':
      return advanceShut(rollout, world);
    case 'Progressing':
      return advanceProgressing(rollout, world);
    case 'Baking':
      return advanceBaking(rollout, world);
    case 'Completing':
      return finishWhenAcknowledged(rollout, world, 'Succeeded');
    case 'RollingBack':
      return finishWhenAcknowledged(rollout, world, rollout.outcome ?? 'RolledBack');
    case 'Paused':
    case 'Succeeded':
    case 'RolledBack':
    case 'Aborted':
    case 'Superseded':
      return rollout;
    default:
      return assertNever(rollout.phase);
  }
}

/** What the group adds is served, and nothing refers to it before its own proxies are ready for it. */
function advancePending(rollout: Rollout, world: World): Rollout {
  if (rollout.isQueued) {
    return leaveQueue(rollout, world);
  }
  const { steps, returnsTo } = rollout.plan;
  const movesTraffic = steps.length > 0 || returnsTo !== undefined;
  if (movesTraffic && mustWait(rollout, world)) {
    return rollout;
  }
  return movesTraffic && !hasQuorum(rollout, world)
    ? meetDeadline(rollout, world)
    : enterNextStep(rollout, world);
}

/** What it is after comes first; the time that this takes is none that it takes itself. */
function leaveQueue(rollout: Rollout, { nowMs, before }: World): Rollout {
  const open = before(rollout);
  if (open.length > 0) {
    const reason = `not started: after ${open.join(', and ')}`.slice(0, 1000);
    return reason === rollout.reason ? rollout : { ...rollout, reason };
  }
  const reason = 'what it is after is done';
  return { ...rollout, isQueued: undefined, reason, stepEnteredAtMs: nowMs, runsFromMs: nowMs };
}

/** While a person thinks, the last step is served, so its gates may still fail the rollout. */
function advanceWaiting(rollout: Rollout, world: World): Rollout {
  if (hasLeftStep(rollout) && isApproved(rollout, rollout.step + 1)) {
    return enterNextStep(rollout, world);
  }
  const judged = rollout.step < 0 ? rollout : withVerdicts(rollout, world);
  const stopped = stoppedByGates(judged, world.nowMs);
  if (stopped !== undefined || hasLeftStep(judged)) {
    return stopped ?? judged;
  }
  // The time that a person took is none that the step took.
  return unansweredGates(judged).length > 0
    ? judged
    : { ...judged, phase: 'Baking', stepEnteredAtMs: world.nowMs };
}

/** While no step may be entered the last one is served, and judged: it may go wrong in the night. */
function advanceShut(rollout: Rollout, world: World): Rollout {
  const judged = rollout.step < 0 ? rollout : withVerdicts(rollout, world);
  const stopped = stoppedByGates(judged, world.nowMs);
  if (stopped !== undefined) {
    return stopped;
  }
  // When it opens is looked for once, not at every tick.
  const { windows } = judged.plan;
  const isShut = windows !== undefined && !isOpen(windows, world.nowMs);
  return isShut && !isApproved(judged, judged.step + 1) ? judged : enterNextStep(judged, world);
}

/** Only people are waited for. */
function waitForPeople(rollout: Rollout): Rollout {
  const { step, plan } = rollout;
  const asked = unansweredGates(rollout).map(({ name, kind }) =>
    kind === 'manual' ? `gate ${name} holds it` : `gate ${name} waits for a person's approval`,
  );
  const reason = `step ${step + 1} of ${plan.steps.length} has baked: ${asked.join(', ')}`;
  return { ...rollout, phase: 'WaitingForApproval', reason };
}

function advanceProgressing(rollout: Rollout, world: World): Rollout {
  const judged = withVerdicts(rollout, world);
  const stopped = stoppedByGates(judged, world.nowMs);
  if (stopped !== undefined) {
    return stopped;
  }
  if (waveOf(judged, world) > judged.waveShare) {
    return widen(judged, world);
  }
  if (mustWait(judged, world)) {
    return judged;
  }
  if (!hasQuorum(judged, world)) {
    return meetDeadline(judged, world);
  }
  const left = silentProxies(judged, world);
  const silent =
    left.length > 0
      ? `; left out after ${renderDuration(ackDeadlineOf(judged, world))} of silence: ${nameSome(left)}`
      : '';
  return {
    ...judged,
    phase: 'Baking',
    reason: `${judged.reason}${silent}`,
    ackedAtMs: world.nowMs,
    gates: judged.gates.map(forgetVerdict),
  };
}

function advanceBaking(rollout: Rollout, world: World): Rollout {
  const judged = withVerdicts(rollout, world);
  const stopped = stoppedByGates(judged, world.nowMs);
  if (stopped !== undefined) {
    return stopped;
  }
  if (waveOf(judged, world) > judged.waveShare) {
    return widen(judged, world);
  }
  if (youngProxies(judged, world).length > 0 || !hasQuorum(judged, world)) {
    // Who has connected since must have acknowledged the step, too, before it is left.
    return meetDeadline(judged, world);
  }
  const step = judged.plan.steps[judged.step];
  const isBaked = world.nowMs >= (judged.ackedAtMs ?? world.nowMs) + (step?.bakeMs ?? 0);
  const open = openGates(judged);
  if (isBaked && open.length === 0) {
    return enterNextStep(judged, world);
  }
  if (isBaked && open.length === unansweredGates(judged).length) {
    return waitForPeople(judged);
  }
  const empty = emptyGate(judged, world.nowMs);
  if (isBaked && empty !== undefined) {
    return failOn(judged, empty, world.nowMs);
  }
  return meetDeadline(judged, world);
}

function finishWhenAcknowledged(
  rollout: Rollout,
  world: World,
  end: 'Succeeded' | 'RolledBack' | 'Aborted',
): Rollout {
  if (mustWait(rollout, world)) {
    return rollout;
  }
  const left = owing(rollout, world).map(({ id }) => id);
  const silent = left.length > 0 ? `; not acknowledged by ${nameSome(left)}` : '';
  return { ...rollout, phase: end, reason: `${rollout.reason}${silent}`, endedAtMs: world.nowMs };
}
