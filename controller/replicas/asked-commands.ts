/**
 * Commands that were given to replicas that follow (`ask-leader.ts`): while this one leads, it carries out
 * each of them once. Their answers become durable with what they did.
 */
import { errorText } from '../base/op-error.js';
import type { Loop } from '../loop/loop.js';
import type { Clock, Logger } from '../loop/ports.js';
import type { SharedDatabase } from './ports.js';
import { Task } from './task.js';

export interface AskedCommandsDeps {
  readonly database: Pick<SharedDatabase, 'asked'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined while another replica leads. */
  readonly loop: () => Pick<Loop, 'command'> | undefined;
}

/** How long a command waits at most when no NOTIFY arrives. */
const lookMs = 1_000;

export class AskedCommands {
  private readonly looking: Task;
  /** Numbers of those that are being carried out. */
  private readonly underWay = new Set<number>();

  constructor(private readonly deps: AskedCommandsDeps) {
    this.looking = new Task(
      deps.clock,
      () => lookMs,
      () => this.look(),
    );
  }

  /** Looks now. */
  wake(): Promise<void> {
    return this.looking.wake();
  }

  stop(): Promise<void> {
    return this.looking.stop();
  }

  private async look(): Promise<void> {
    const loop = this.deps.loop();
    if (loop === undefined) {
      return;
    }
    try {
      for (const { id, json } of await this.deps.database.asked()) {
        if (!this.underWay.has(id)) {
          this.underWay.add(id);
          void loop.command(JSON.parse(json), id).then(() => this.underWay.delete(id));
        }
      }
    } catch (error) {
      this.deps.logger.warn('replica.commandsUnread', { error: errorText(error) });
    }
  }
}
