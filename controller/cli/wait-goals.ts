/** Where each verb leads a rollout, and how to see that it is there or will not come there by itself. */
import type { RolloutView } from '../api/rollout-view.js';
import type { RolloutCommand } from '../rollout/rollout.js';

/** What `--wait` waits for, as its help says it. */
export const waitGoals: Readonly<Record<RolloutCommand, string>> = {
  pause: 'it is paused',
  resume: 'it has ended, or waits for a person again (1 unless it succeeded)',
  promote: 'it has ended, or waits for a person again (1 unless it succeeded)',
  abort: 'the last good state is served and acknowledged',
  retry: 'the rollout that it starts has ended, or waits for a person (1 unless it succeeded)',
  approve: 'it has ended, or waits for a person again (1 unless it succeeded)',
};

/** `otherwise`: waiting longer would not bring it about. */
export type WaitOutcome = 'onItsWay' | 'reached' | 'otherwise';

export function outcomeOf(command: RolloutCommand, rollout: RolloutView): WaitOutcome {
  const { phase, endedAt } = rollout;
  const hasEnded = endedAt !== undefined;
  switch (command) {
    case 'pause':
      if (phase === 'Paused') {
        return 'reached';
      }
      return hasEnded ? 'otherwise' : 'onItsWay';
    case 'abort':
      if (phase === 'Aborted' || phase === 'RolledBack') {
        return 'reached';
      }
      return hasEnded ? 'otherwise' : 'onItsWay';
    case 'resume':
    case 'promote':
    case 'approve':
    case 'retry':
      if (phase === 'Succeeded') {
        return 'reached';
      }
      return hasEnded || phase === 'Paused' || phase === 'WaitingForApproval'
        ? 'otherwise'
        : 'onItsWay';
  }
}
