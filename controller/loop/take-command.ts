/** What a person asked of a rollout, as a change of the state, a line of the history and an answer. */
import { hintOfId } from '../base/nearest-name.js';
import { commandRollout } from '../rollout/command.js';
import type { Rollout } from '../rollout/rollout.js';
import type { LoopEvent, Taken } from './events.js';
import type { HistoryEntry } from './ports.js';
import type { LoopState } from './state.js';

/** `retry` acts on what is held, all else on the rollout itself. */
export function takeCommand(
  state: LoopState,
  event: Extract<LoopEvent, { kind: 'command' }>,
  nowMs: number,
): Taken {
  const rollout = state.durable.rollouts.get(event.rollout);
  if (rollout === undefined) {
    const hint = hintOfId(event.rollout, state.durable.rollouts.keys());
    const message = `there is no rollout ${event.rollout}${hint}`;
    return { state, reply: { ok: false, status: 404, message } };
  }
  const history = [
    {
      atMs: nowMs,
      kind: 'command',
      json: JSON.stringify({
        rollout: rollout.id,
        command: event.command,
        by: event.by,
        reason: event.reason,
      }),
    },
  ];
  const reply = { ok: true, rollout: rollout.id } as const;
  if (event.command === 'retry') {
    return releaseByHand(state, rollout, history);
  }
  const result = commandRollout(rollout, event.command, { ...event, nowMs });
  if (!result.ok) {
    return { state, reply: { ok: false, status: 409, message: result.message } };
  }
  const rollouts = new Map(state.durable.rollouts).set(rollout.id, result.rollout);
  return { state: { ...state, durable: { ...state.durable, rollouts } }, history, reply };
}

/** `retry`: what failed is no longer held, so that reconciling starts it anew. */
function releaseByHand(
  state: LoopState,
  rollout: Rollout,
  history: readonly HistoryEntry[],
): Taken {
  if (!state.durable.held.has(rollout.id)) {
    const message = `rollout ${rollout.id} is ${rollout.phase}: cannot retry, since nothing of it is held`;
    return { state, reply: { ok: false, status: 409, message } };
  }
  const held = new Map(state.durable.held);
  held.delete(rollout.id);
  return {
    state: { ...state, durable: { ...state.durable, held } },
    history,
    reply: { ok: true, rollout: rollout.id },
  };
}
