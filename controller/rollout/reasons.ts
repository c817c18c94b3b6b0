/** Reasons in sentences: why a rollout is in its step, complete, or late. */
import { present } from '../base/assert.js';
import { renderDuration } from '../base/duration.js';
import { nameSome } from '../base/name-some.js';
import { describeStep } from './describe-step.js';
import { openGates } from './gates/standing.js';
import type { Rollout, RolloutPlan } from './rollout.js';
import { hasQuorum, owing, takenBy, type World, youngProxies } from './world.js';

/** What step `index` serves. */
export function stepReason({ plan }: Rollout, index: number): string {
  const step = present(plan.steps[index], 'the step that is entered');
  return `step ${index + 1} of ${plan.steps.length}: ${describeStep(step)}`;
}

/** Why nothing is left to prove. */
export function whyComplete({ steps, returnsTo }: RolloutPlan): string {
  if (returnsTo !== undefined) {
    const { back, revision } = returnsTo;
    const which =
      revision === undefined ? 'what was there first' : `what commit ${revision} brought`;
    return `brings back ${which}, ${back === 1 ? 'the state just before' : `${back} rollouts ago`}, which was good: needs no steps`;
  }
  return steps.length === 0 ? 'needs no steps' : 'passed every step';
}

/** Why a step, or what the rollout adds before the first, is not complete at its deadline. */
export function whyLate(rollout: Rollout, world: World): string {
  const open = openGates(rollout);
  const missing = missingQuorum(rollout, world);
  const young = youngProxies(rollout, world).map(({ id }) => id);
  const waits = young.length === 0 ? [] : [`not acknowledged by ${nameSome(young)}`];
  const isAlone = world.proxies(rollout).length === 0;
  const why = [
    ...(isAlone ? ['no proxy that it concerns is connected'] : []),
    ...(missing === undefined ? waits : [missing]),
    ...open.map((result) => `${result.name}: ${result.text}`),
  ].join('; ');
  const deadline = renderDuration(rollout.plan.stepDeadlineMs);
  const what = rollout.step < 0 ? 'what it adds' : `step ${rollout.step + 1}`;
  return `${what} was not complete after ${deadline} (${why === '' ? 'it still bakes' : why})`;
}

/** Too few have taken the step, so that it says nothing: who has not. */
function missingQuorum(rollout: Rollout, world: World): string | undefined {
  if (hasQuorum(rollout, world)) {
    return undefined;
  }
  const { count, of } = takenBy(rollout, world.proxies(rollout));
  const { quorum } = rollout.plan.proxies;
  const ids = owing(rollout, world).map(({ id }) => id);
  return `acknowledged by ${count} of ${of} proxies, fewer than the quorum of ${quorum} %: not by ${nameSome(ids)}`;
}
