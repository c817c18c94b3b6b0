/** What people may ask of a rollout, and when. `retry` acts on a held change and is the loop's. */
import { assertNever } from '../base/assert.js';
import { complete, isApproved, pauseRollout, rollBack } from './advance.js';
import { isEnded, type Rollout, type RolloutCommand } from './rollout.js';

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
      return resume(rollout, why, context.nowMs);
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
      return accept(complete(rollout, why, nowMs));
  }
}

/**
 * Paused time bakes nothing, and the gates of the step start over. So do its deadlines: one that has
 * passed would pause the rollout again before anything could be judged.
 */
function resume(rollout: Rollout, why: string, nowMs: number): CommandResult {
  if (rollout.phase !== 'Paused') {
    return refuse(rollout, 'resume', 'it is not paused');
  }
  const pausedMs = Math.max(0, nowMs - (rollout.pausedAtMs ?? nowMs));
  return accept({
    ...rollout,
    phase: rollout.pausedFrom ?? 'Progressing',
    reason: why,
    stepEnteredAtMs: nowMs,
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

function approve(rollout: Rollout, context: CommandContext): CommandResult {
  const index = rollout.step + 1;
  if (isApproved(rollout, index)) {
    return accept(rollout);
  }
  if (rollout.phase !== 'WaitingForApproval') {
    return refuse(rollout, 'approve', 'it does not wait for an approval');
  }
  const approval = { step: index, by: context.by, reason: context.reason, atMs: context.nowMs };
  return accept({ ...rollout, approvals: [...rollout.approvals, approval] });
}
