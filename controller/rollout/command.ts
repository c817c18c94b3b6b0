/** What people may ask of a rollout, and when. `retry` acts on a held change and is the loop's. */
import { assertNever } from '../base/assert.js';
import { hasLeftStep, isApproved } from './enter-step.js';
import type { PersonGate } from './gates/person.js';
import { unansweredGates } from './gates/standing.js';
import { type Approval, isEnded, type Rollout, type RolloutCommand } from './rollout.js';
import { complete, pauseRollout, rollBack } from './turns.js';

export interface CommandContext {
  readonly by: string;
  /** Free text; may be empty. */
  readonly reason: string;
  readonly nowMs: number;
}

export type CommandResult =
  | { readonly ok: true; readonly rollout: Rollout }
  | { readonly ok: false; readonly message: string };

/** `rollout` after `command`, or why it cannot be given now. A command given twice changes nothing. */
export function commandRollout(
  rollout: Rollout,
  command: Exclude<RolloutCommand, 'retry'>,
  context: CommandContext,
): CommandResult {
  if (isEnded(rollout.phase)) {
    return refuse(rollout, command, 'it has ended');
  }
  const why = `${command} by ${context.by}${context.reason === '' ? '' : `: ${context.reason}`}`;
  switch (command) {
    case 'pause':
      return pause(rollout, why, context.nowMs);
    case 'resume':
      return resume(rollout, why, context);
    case 'promote':
      return promote(rollout, why, context.nowMs);
    case 'abort':
      return rollout.phase === 'RollingBack'
        ? accept(rollout)
        : accept(rollBack(rollout, why, context.nowMs, 'Aborted'));
    case 'approve':
      return approve(rollout, context);
    default:
      return assertNever(command);
  }
}

function accept(rollout: Rollout): CommandResult {
  return { ok: true, rollout };
}

function refuse(rollout: Rollout, command: string, why: string): CommandResult {
  return {
    ok: false,
    message: `rollout ${rollout.id} is ${rollout.phase}: cannot ${command}, since ${why}`,
  };
}

function pause(rollout: Rollout, why: string, nowMs: number): CommandResult {
  if (rollout.phase === 'Paused') {
    return accept(rollout);
  }
  const paused = pauseRollout(rollout, why, nowMs);
  return paused === rollout
    ? refuse(rollout, 'pause', 'its weights do not move any more')
    : accept(paused);
}

function promote(rollout: Rollout, why: string, nowMs: number): CommandResult {
  switch (rollout.phase) {
    case 'RollingBack':
      return refuse(rollout, 'promote', 'it is going back already');
    case 'Completing':
      return accept(rollout);
    default:
      return accept({ ...complete(rollout, why, nowMs), isForced: true });
  }
}

/**
 * Paused time bakes nothing, and the gates of the step start over. So do its deadlines: one that has
 * passed would pause the rollout again before anything could be judged.
 */
function resume(rollout: Rollout, why: string, context: CommandContext): CommandResult {
  if (rollout.phase !== 'Paused') {
    return letGo(rollout, context);
  }
  const { nowMs } = context;
  const pausedMs = Math.max(0, nowMs - (rollout.pausedAtMs ?? nowMs));
  return accept({
    ...rollout,
    phase: rollout.pausedFrom ?? 'Progressing',
    reason: why,
    stepEnteredAtMs: nowMs,
    runsFromMs: nowMs,
    ackedAtMs: rollout.ackedAtMs === undefined ? undefined : rollout.ackedAtMs + pausedMs,
    pausedAtMs: undefined,
    pausedFrom: undefined,
    gates: rollout.gates.map((result) => ({
      ...result,
      verdict: 'none',
      failures: 0,
      judgedUntilMs: nowMs,
    })),
  });
}

/** What a policy holds goes on as what a person paused does. */
function letGo(rollout: Rollout, context: CommandContext): CommandResult {
  const unanswered = isServed(rollout) ? unansweredGates(rollout) : [];
  const holds = unanswered.filter(({ kind }) => kind === 'manual');
  return holds.length === 0
    ? refuse(rollout, 'resume', 'it is not paused and no gate holds it')
    : accept(answer(rollout, holds, context));
}

/** Nobody can have seen a step that is not there for every proxy. */
function isServed({ phase }: Rollout): boolean {
  return phase === 'Baking' || phase === 'WaitingForApproval';
}

/** While a step bakes, its gates can be answered already; at its end that the next one is entered. */
function approve(rollout: Rollout, context: CommandContext): CommandResult {
  const isAtGate = isServed(rollout) && !hasLeftStep(rollout);
  const gates = isAtGate ? unansweredGates(rollout) : [];
  if (gates.length > 0) {
    return accept(answer(rollout, gates, context));
  }
  const index = rollout.step + 1;
  if (isApproved(rollout, index)) {
    return accept(rollout);
  }
  if (rollout.phase !== 'WaitingForApproval' && rollout.phase !== 'WaitingForWindow') {
    return refuse(rollout, 'approve', 'it does not wait for an approval');
  }
  return accept({
    ...rollout,
    approvals: [...rollout.approvals, approvalOf(index, undefined, context)],
  });
}

function answer(rollout: Rollout, gates: readonly PersonGate[], context: CommandContext): Rollout {
  const words = gates.map(({ name }) => approvalOf(rollout.step, name, context));
  return { ...rollout, approvals: [...rollout.approvals, ...words] };
}

function approvalOf(
  step: number,
  gate: string | undefined,
  { by, reason, nowMs }: CommandContext,
): Approval {
  return { step, gate, by, reason, atMs: nowMs };
}
