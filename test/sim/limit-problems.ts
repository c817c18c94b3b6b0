/** What holds a rollout holds it: a pause, a step that wants a person's word, and the ends of its times. */
import type { Rollout } from '../../controller/rollout/rollout.js';
import { isApprovedAt, type Moment } from './transitions.js';

/** Only people let go of what they hold; a way back needs nobody. */
export function heldProblems(
  from: Rollout,
  to: Rollout,
  { wasCommanded }: Moment,
): readonly string[] {
  const isLetGo = ['resume', 'promote'].some((command) => wasCommanded(from.id, command));
  const isBack = to.phase === 'RollingBack' || to.phase === 'Superseded';
  const isLoose = from.phase === 'Paused' && to.phase !== 'Paused' && !isLetGo && !isBack;
  const isEntered = to.step > from.step && to.phase !== 'Superseded';
  const mustAsk = isEntered && to.plan.steps[to.step]?.approval === true;
  return [
    ...(isLoose ? ['goes on although it is paused'] : []),
    ...(mustAsk && !isApprovedAt(to, to.step) ? [`entered step ${to.step} unapproved`] : []),
  ];
}

/** A look each second, and what came between. */
const slackMs = 2000;

/** `rollout` as it is after a look at it; `sinceMs`: no time counts from before. */
export function overdueProblems(
  { id, phase, plan, isQueued, stepEnteredAtMs, startedAtMs, runsFromMs }: Rollout,
  nowMs: number,
  sinceMs: number,
): readonly string[] {
  const isInStep = phase === 'Progressing' || phase === 'Baking';
  const isOpen =
    isInStep || phase.startsWith('WaitingFor') || (phase === 'Pending' && isQueued !== true);
  const stepMs = nowMs - Math.max(stepEnteredAtMs, sinceMs);
  const wholeMs = nowMs - Math.max(runsFromMs ?? startedAtMs, sinceMs);
  return [
    ...(isInStep && stepMs > plan.stepDeadlineMs + slackMs
      ? [`${id} is in its step ${stepMs} ms, its deadline is over`]
      : []),
    ...(isOpen && wholeMs > (plan.maxDurationMs ?? Infinity) + slackMs
      ? [`${id} goes on after ${wholeMs} ms, its maximum is over`]
      : []),
  ];
}
