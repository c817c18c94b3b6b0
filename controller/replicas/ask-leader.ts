/** A command that was given to a replica that does not lead: it waits in the database for the one that does. */
import type { CommandReply, LoopEvent } from '../loop/events.js';
import type { Clock } from '../loop/ports.js';
import type { SharedDatabase } from './ports.js';

export interface AskDeps {
  readonly database: Pick<SharedDatabase, 'ask' | 'answerTo'>;
  readonly clock: Clock;
  readonly isStopped: () => boolean;
}

/** People wait for the answer; a takeover may fall into it. */
const patienceMs = 15_000;
/** A leader may have begun just before the command ran out. */
const lateMs = 3_000;
const lookMs = 100;

/** The leader's answer, or why there is none. Never throws. */
export async function askLeader(
  command: Omit<Extract<LoopEvent, { kind: 'command' }>, 'kind'>,
  { database, clock, isStopped }: AskDeps,
): Promise<CommandReply> {
  let id: number;
  try {
    id = await database.ask(JSON.stringify(command), patienceMs);
  } catch {
    return unanswered('the database cannot be reached, so the leader cannot be asked');
  }
  const untilMs = clock.now() + patienceMs + lateMs;
  while (clock.now() < untilMs && !isStopped()) {
    const answer = await database.answerTo(id).catch(() => undefined);
    if (answer !== undefined) {
      return JSON.parse(answer) as CommandReply;
    }
    await new Promise<void>((resolve) => {
      clock.after(lookMs, resolve);
    });
  }
  return unanswered('no replica leads now, so nothing was changed; give the command again');
}

function unanswered(message: string): CommandReply {
  return { ok: false, status: 503, message };
}
