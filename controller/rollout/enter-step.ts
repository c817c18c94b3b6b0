/** How a step is entered: in its time, approved where that is asked for, and with the wave that it reaches. */
import { labelOfStep } from './describe-step.js';
import { askedResults, forgetVerdict } from './gates/standing.js';
import { stepReason, whyComplete } from './reasons.js';
import type { Rollout } from './rollout.js';
import { complete } from './turns.js';
import { shutReason } from './windows.js';
import { type World, waveOf } from './world.js';

/** True where a person approved that step `index` is entered. */
export function isApproved(rollout: Rollout, index: number): boolean {
  return rollout.approvals.some(({ step, gate }) => step === index && gate === undefined);
}

/** True where the gates have let the rollout leave its step: what it waits for is the next one's. */
export function hasLeftStep({ step, evidence }: Rollout): boolean {
  return step < 0 || evidence.at(-1)?.step === step;
}

/** The step after the present one, or what must be waited for before it; after the last one the end. */
export function enterNextStep(from: Rollout, world: World): Rollout {
  const rollout = withEvidence(from, world.nowMs);
  const index = rollout.step + 1;
  const { steps } = rollout.plan;
  const step = steps[index];
  if (step === undefined) {
    return complete(rollout, whyComplete(rollout.plan), world.nowMs);
  }
  const shut = isApproved(rollout, index)
    ? undefined
    : shutReason(rollout.plan.windows, world.nowMs);
  if (shut !== undefined) {
    const reason = `step ${index + 1} of ${steps.length} (${labelOfStep(step)}) waits for ${shut}`;
    return { ...rollout, phase: 'WaitingForWindow', reason };
  }
  if (step.approval && !isApproved(rollout, index)) {
    return {
      ...rollout,
      phase: 'WaitingForApproval',
      reason: `step ${index + 1} of ${steps.length} (${labelOfStep(step)}) waits for a person's approval`,
    };
  }
  return {
    ...rollout,
    phase: 'Progressing',
    reason: stepReason(rollout, index),
    step: index,
    waveShare: waveOf({ ...rollout, step: index }, world),
    stepEnteredAtMs: world.nowMs,
    ackedAtMs: undefined,
    gates: rollout.gates.map(forgetVerdict),
  };
}

/** Remembers what the step was left on, once: waiting for an approval enters the next one twice. */
function withEvidence(rollout: Rollout, nowMs: number): Rollout {
  const left = { step: rollout.step, gates: askedResults(rollout), atMs: nowMs };
  return hasLeftStep(rollout) ? rollout : { ...rollout, evidence: [...rollout.evidence, left] };
}

/** The proxies of the wave have left, or came when it was drawn: the step is served to another one. */
export function widen(rollout: Rollout, world: World): Rollout {
  return {
    ...rollout,
    phase: 'Progressing',
    reason: stepReason(rollout, rollout.step),
    waveShare: waveOf(rollout, world),
    stepEnteredAtMs: world.nowMs,
    ackedAtMs: undefined,
    gates: rollout.gates.map(forgetVerdict),
  };
}
