/** What the log says of a step of the loop: every transition of a rollout, and what people are told. */
import { movedRollouts } from '../loop/announce.js';
import type { Announcement } from '../loop/events.js';
import type { Logger } from '../loop/ports.js';
import type { LoopState } from '../loop/state.js';
import { logEvent } from './count-events.js';

export function logMoves(
  before: LoopState,
  after: LoopState,
  announcements: readonly Announcement[],
  logger: Logger,
): void {
  if (before.durable.rollouts !== after.durable.rollouts) {
    for (const { from, to } of movedRollouts(before, after)) {
      const { id: rollout, mesh, phase, step, reason, revision } = to;
      const fields = { rollout, mesh, from: from?.phase, phase, step, reason };
      logger.info('rollout.moved', { ...fields, revision: revision.id });
    }
  }
  for (const { event, title, text, rollout, mesh, revision } of announcements) {
    logEvent(logger, event, { title, text, rollout, mesh, revision: revision.id });
  }
}
