/** A commit that was thought to have failed, and was durable: how the loop goes on from it. */
import { isEnded } from '../rollout/rollout.js';
import { nextGeneration } from './generation.js';
import type { Doubt } from './keeper.js';
import { afterJump, startOver } from './start-state.js';
import type { LoopState } from './state.js';

/**
 * `current` with what the commit of `doubt` made durable. What went back since stays back. Where it had
 * reached its end in that commit, the way back wins: then the whole commit is undone by the next one. What
 * it moved is served here from `nowMs` on only, so its times start then.
 */
export function adoptDurable(
  current: LoopState,
  { before, result, hasJumped }: Doubt,
  nowMs: number,
): LoopState {
  const { generation, servedGeneration, origins } = result.state;
  const found = hasJumped ? afterJump(result.state, nowMs) : result.state;
  const rollouts = new Map(
    [...found.durable.rollouts].map(([id, rollout]) => [
      id,
      rollout === before.durable.rollouts.get(id) ? rollout : startOver(rollout, nowMs),
    ]),
  );
  const durable = { ...found.durable, rollouts };
  const wentBack = [...current.durable.rollouts].filter(
    ([id, { phase }]) =>
      phase === 'RollingBack' && before.durable.rollouts.get(id)?.phase !== 'RollingBack',
  );
  const missing = wentBack.filter(([id]) => durable.rollouts.get(id)?.phase !== 'RollingBack');
  if (missing.length === 0 && current.generation <= generation) {
    return { ...current, durable, generation, servedGeneration, origins };
  }
  if (missing.some(([id]) => isEnded(durable.rollouts.get(id)?.phase ?? 'Succeeded'))) {
    return current;
  }
  const { epoch } = current;
  // Whoever has acknowledged the way back has seen nothing of what this commit moved.
  const movedThen = [...servedGeneration].filter(([, first]) => first > before.generation);
  const number = nextGeneration({ epoch, generation: Math.max(current.generation, generation) });
  return {
    ...current,
    durable: { ...durable, rollouts: new Map([...rollouts, ...missing]) },
    generation: number,
    servedGeneration: new Map([
      ...servedGeneration,
      ...[...movedThen, ...wentBack].map(([id]) => [id, number] as const),
    ]),
    origins,
  };
}
