/**
 * Reads what the leader stored, and never anything older than what this replica has seen: a database that
 * lost commits is held against until it has them again, or a person accepts the loss.
 */
import { failpoint } from '../base/failpoint.js';
import { errorText, OpError } from '../base/op-error.js';
import type { Logger, StoreWrite } from '../loop/ports.js';
import type { Position, SharedDatabase } from './ports.js';
import { isBehind, newest } from './position.js';

export interface StateReaderDeps {
  readonly database: Pick<SharedDatabase, 'changesSince'>;
  readonly logger: Logger;
  /** False while this replica leads: what it reads then is its own. */
  readonly isWanted: () => boolean;
  /** Takes in what changed; `isWhole`: what is not among `values` is gone. */
  readonly take: (values: readonly StoreWrite[], isWhole: boolean) => void;
}

export class StateReader {
  private readonly deps: StateReaderDeps;
  /** Of the state that was read last; undefined: all of it has to be read. */
  private position: Position | undefined;
  /** The newest that this replica has ever seen. */
  private highest: Position = { epoch: 0, seq: 0 };
  private holds = false;
  private isThere = true;

  constructor(deps: StateReaderDeps) {
    this.deps = deps;
  }

  /** The newest that this replica has ever seen, read or written. */
  seen(): Position {
    return this.highest;
  }

  /** True while the database has lost commits that this replica has seen. */
  isHeld(): boolean {
    return this.holds;
  }

  /** False while the database does not answer. */
  isReached(): boolean {
    return this.isThere;
  }

  /** What this replica has now, whoever wrote it. */
  saw(position: Position): void {
    this.highest = newest([this.highest, position]);
  }

  /** What was read so far is not what this replica has: all of it is read next. */
  startOver(): void {
    this.position = undefined;
  }

  /** `read` for whoever tries again: that the database does not answer is told once. */
  async tryRead(): Promise<void> {
    try {
      await this.read();
      this.isThere = true;
    } catch (error) {
      if (this.isThere) {
        this.deps.logger.error('store.failed', { error: errorText(error) });
      }
      this.isThere = !(error instanceof OpError);
    }
  }

  /** Takes in what changed since the last time. Throws what the database throws. */
  async read(): Promise<void> {
    const { position, isWhole, values } = await this.deps.database.changesSince(this.position);
    if (!this.deps.isWanted()) {
      return;
    }
    if (isBehind(position, this.highest)) {
      this.hold(position);
      return;
    }
    if (this.holds) {
      this.holds = false;
      this.position = undefined;
      this.deps.logger.info('replica.goesOn', { position });
      await this.read();
      return;
    }
    failpoint('follow.read');
    this.position = position;
    this.saw(position);
    if (isWhole || values.length > 0) {
      this.deps.take(values, isWhole);
    }
  }

  /** Invariant H5: what was served is never followed by something older. */
  private hold(position: Position): void {
    if (!this.holds) {
      this.deps.logger.error('state.regressed', {
        found: position,
        seen: this.highest,
        advice:
          'the database has lost commits; what is served stays. Bring back the database that has ' +
          'them, or accept the loss with `headgate state accept`',
      });
    }
    this.holds = true;
  }
}
