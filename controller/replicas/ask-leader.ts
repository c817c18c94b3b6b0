/** A command that was given to a replica that does not lead: it waits in the database for the one that does. */
import type { CommandReply, LoopEvent } from '../loop/events.js';
import type { Clock } from '../loop/ports.js';
import type { SharedDatabase } from './ports.js';

export interface AskDeps {
  readonly database: Pick<SharedDatabase, 'ask' | 'answerTo' | 'withdraw'>;
  readonly clock: Clock;
  readonly isStopped: () => boolean;
}

/** People wait for the answer; a takeover may fall into it. */
const patienceMs = 15_000;
/** A leader may have begun just before the command ran out. */
const lateMs = 3_000;
const lookMs = 100;

/**
 * The leader's answer, or why there is none. Never throws. It says that nothing was changed only where
 * that is sure: a command that was given up is withdrawn first.
 */
export async function askLeader(
  command: Omit<Extract<LoopEvent, { kind: 'command' }>, 'kind'>,
  deps: AskDeps,
): Promise<CommandReply> {
  const { database, clock, isStopped } = deps;
  let id: number;
  try {
    id = await database.ask(JSON.stringify(command), patienceMs);
  } catch {
    return unknown;
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
  return giveUp(id, deps);
}

async function giveUp(id: number, { database }: AskDeps): Promise<CommandReply> {
  try {
    if (await database.withdraw(id, JSON.stringify(withdrawn))) {
      return withdrawn;
    }
    const answer = await database.answerTo(id);
    return answer === undefined ? unknown : (JSON.parse(answer) as CommandReply);
  } catch {
    return unknown;
  }
}

const withdrawn = unanswered(
  'no replica leads now, so nothing was changed; give the command again',
);
const unknown = unanswered(
  'the database does not answer, so the leader may or may not have been asked; see whether the command ' +
    'was carried out before you give it again',
);

function unanswered(message: string): CommandReply {
  return { ok: false, status: 503, message };
}
