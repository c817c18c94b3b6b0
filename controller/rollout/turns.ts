/** Where a rollout leaves its way forward: back, held in its place, or to the end at once. */
import type { Rollout } from './rollout.js';

/** Every proxy is given the last good state again, whatever the rollout was doing. */
export function rollBack(
  rollout: Rollout,
  reason: string,
  nowMs: number,
  outcome: 'RolledBack' | 'Aborted' = 'RolledBack',
): Rollout {
  return {
    ...rollout,
    phase: 'RollingBack',
    outcome,
    reason,
    stepEnteredAtMs: nowMs,
    ackedAtMs: undefined,
    isQueued: undefined,
    pausedAtMs: undefined,
    pausedFrom: undefined,
  };
}

/** Weights stay where they are; `resume` goes back to the phase that it was in. */
export function pauseRollout(rollout: Rollout, reason: string, nowMs: number): Rollout {
  const { phase } = rollout;
  const canPause =
    phase === 'Pending' ||
    phase === 'WaitingForApproval' ||
    phase === 'WaitingForWindow' ||
    phase === 'Progressing' ||
    phase === 'Baking';
  return canPause
    ? { ...rollout, phase: 'Paused', pausedFrom: phase, pausedAtMs: nowMs, reason }
    : rollout;
}

/** Serves the desired state in full, as after the last step. */
export function complete(rollout: Rollout, reason: string, nowMs: number): Rollout {
  return {
    ...rollout,
    phase: 'Completing',
    reason,
    waveShare: 1,
    stepEnteredAtMs: nowMs,
    isQueued: undefined,
    pausedAtMs: undefined,
    pausedFrom: undefined,
  };
}
