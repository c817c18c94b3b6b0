/** Whether anything follows from a state without an event from outside: at once, or as time passes. */
import { isEnded } from '../rollout/rollout.js';
import { hasLost, hasUnready } from './announced.js';
import type { LoopState } from './state.js';

/** True where a rollout is in another phase or step, or what is applied or held is not what it was. */
export function hasMoved({ durable: before }: LoopState, { durable: after }: LoopState): boolean {
  if (before.meshes !== after.meshes || before.held !== after.held) {
    return true;
  }
  return [...after.rollouts.values()].some((rollout) => {
    const previous = before.rollouts.get(rollout.id);
    return previous?.phase !== rollout.phase || previous.step !== rollout.step;
  });
}

/** True where something may become due by the passing of time alone. */
export function isWaiting({ proxies, durable }: LoopState): boolean {
  const { rollouts, announced } = durable;
  return (
    [...rollouts.values()].some(({ phase }) => !isEnded(phase)) ||
    hasLost(announced) ||
    hasUnready(announced, proxies.values())
  );
}
