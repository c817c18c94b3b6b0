/**
 * What commits that failed leave to do: answers that people wait for, and events of which nobody would tell
 * again. Everything else is found again by looking.
 */
import type { CommandReply, LoopEvent, StepResult } from './events.js';
import type { UnstoredStep } from './keeper.js';
import type { Clock } from './ports.js';
import type { LoopState } from './state.js';

/** An event that waits for the loop. */
export interface QueuedEvent {
  readonly event: LoopEvent;
  /** The number of a command that came through the shared store, which keeps its answer. */
  readonly command?: number;
  readonly reply?: (reply: CommandReply) => void;
}

/** A step that was not stored. */
export interface FailedStep extends UnstoredStep {
  /** What of it is served all the same. */
  readonly served: LoopState;
  /** True: it may be durable. */
  readonly isDoubtful: boolean;
}

/** How often a store that failed is tried again. */
export const storeRetryMs = 1000;

/** A proxy that refuses again and again must not fill the memory while the store is down. */
const refusalsMax = 1000;

/** What a command is answered that was not carried out, or not for sure. */
export const replies = {
  stopping: refusal(503, 'the controller is stopping'),
  leadsNoMore: refusal(503, 'another replica leads by now; give the command again'),
  notStored: refusal(409, 'the state cannot be stored now; nothing was changed'),
  withdrawn: refusal(503, 'whoever gave the command has stopped waiting; nothing was changed'),
  unknown: refusal(
    503,
    'the database did not say whether this was stored; see whether it was done before you give the command again',
  ),
  /** A yes would be taken back by a crash, or by a replica that takes over. */
  backUnstored: refusal(
    503,
    'the last good state is served again, but this cannot be stored now; give the command again once it can',
  ),
} as const;

/** The answer to a command whose step was stored. */
export function replyOf(result: StepResult): CommandReply {
  return result.reply ?? { ok: true, rollout: '' };
}

export class Leftovers {
  /** Refusals that were acted on, which nothing stored says. */
  private refusals: readonly LoopEvent[] = [];
  /** Who waits to hear whether a command was stored. */
  private readonly unanswered: {
    readonly result: StepResult;
    readonly reply: (reply: CommandReply) => void;
  }[] = [];
  /** The newest revision that could not be stored comes again, unless a newer one has come. */
  private cancelRevision = (): void => {};

  /** `again` puts an event into the queue. */
  constructor(
    private readonly clock: Pick<Clock, 'after'>,
    private readonly again: (item: QueuedEvent) => void,
  ) {}

  /** `event` is in hand now. */
  take(event: LoopEvent): void {
    if (event.kind === 'revisionsRead') {
      this.cancelRevision();
    }
  }

  /** The step of `item` could not be stored. */
  add(item: QueuedEvent, { before, result, served, isDoubtful }: FailedStep): void {
    const { event, reply } = item;
    if (event.kind === 'command') {
      const rolloutIn = (state: LoopState) => state.durable.rollouts.get(event.rollout);
      if (result.reply?.ok === false) {
        // It changes nothing, stored or not.
        reply?.(result.reply);
      } else if (rolloutIn(served) !== rolloutIn(before)) {
        reply?.(replies.backUnstored);
      } else if (isDoubtful && reply !== undefined) {
        this.unanswered.push({ result, reply });
      } else {
        reply?.(replies.notStored);
      }
    } else if (event.kind === 'revisionsRead') {
      this.cancelRevision = this.clock.after(storeRetryMs, () => this.again(item));
    } else if (event.kind === 'proxyNacked') {
      this.refusals = [...this.refusals, event].slice(-refusalsMax);
    }
  }

  /** All that is served is stored. */
  stored(): void {
    this.refusals = [];
  }

  /** It is known what became of all commits so far: of those that failed only `durable` was stored. */
  answer(durable: StepResult | undefined): void {
    for (const { result, reply } of this.unanswered.splice(0)) {
      reply(result === durable ? replyOf(result) : replies.notStored);
    }
  }

  /** The loop ends. What somebody has to look at who goes on. */
  end(): readonly LoopEvent[] {
    this.cancelRevision();
    for (const { reply } of this.unanswered.splice(0)) {
      reply(replies.unknown);
    }
    return this.refusals;
  }
}

function refusal(status: 409 | 503, message: string): CommandReply {
  return { ok: false, status, message };
}
