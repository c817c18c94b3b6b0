/**
 * Holds the lease, or tries to get it. Whoever holds it renews it well before it runs out, and gives up
 * by its own monotonic clock earlier than anybody else may take it: counted from before the renewal was
 * sent, since nobody knows when it arrived.
 */
import { failpoint } from '../base/failpoint.js';
import { errorText } from '../base/op-error.js';
import type { Clock, Logger } from '../loop/ports.js';
import type { LeaseState, SharedDatabase } from './ports.js';
import { Task } from './task.js';

export interface LeaseKeeperDeps {
  readonly database: Pick<SharedDatabase, 'lease' | 'takeLease' | 'renewLease' | 'releaseLease'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly leaseMs: number;
  /** The highest epoch that this replica knows of; undefined: it must not lead now. */
  readonly mayTake: (lease: LeaseState) => Promise<number | undefined>;
  /** Commits that this replica has seen: a database that has fewer is led by nobody. */
  readonly seenSeq: () => number;
  readonly onTaken: (epoch: number) => void;
  readonly onLost: (epoch: number, reason: string) => void;
}

/** Of the lease's length: how often it is renewed, and when it is given up if it cannot be. */
const renewShare = 1 / 5;
const giveUpShare = 2 / 3;

/** A lease that was let go is heard of at once; one that ran out is found by looking. */
const lookMs = 1_000;

export class LeaseKeeper {
  private readonly deps: LeaseKeeperDeps;
  private readonly task: Task;
  private held: { readonly epoch: number; untilMs: number } | undefined;
  private seen: LeaseState = {
    epoch: 0,
    holder: '',
    isFree: false,
    isLeftBehind: false,
  };
  /** Of all terms that this replica has heard of: none of them begins twice, whatever the database forgot. */
  private highest = 0;
  private cancelGiveUp = (): void => {};

  constructor(deps: LeaseKeeperDeps) {
    this.deps = deps;
    const renewMs = deps.leaseMs * renewShare;
    this.task = new Task(
      deps.clock,
      () => (this.held === undefined ? Math.min(lookMs, renewMs) : renewMs),
      () => this.look(),
    );
  }

  /** The lease as it was last seen. */
  last(): LeaseState {
    return this.seen;
  }

  /** True while nobody else can lead. */
  holds(epoch: number): boolean {
    return this.held?.epoch === epoch && this.deps.clock.now() < this.held.untilMs;
  }

  wake(): Promise<void> {
    return this.task.wake();
  }

  /** The store says that the term of `epoch` is over. */
  lose(epoch: number, reason: string): void {
    if (this.held?.epoch === epoch) {
      this.held = undefined;
      this.cancelGiveUp();
      this.deps.onLost(epoch, reason);
    }
  }

  /** Renews it no more: nobody takes it before it has run out. */
  abandon(): void {
    this.held = undefined;
    this.cancelGiveUp();
  }

  /** Lets the lease go, so that another replica takes it at once. */
  async release(): Promise<void> {
    const { held } = this;
    this.abandon();
    if (held !== undefined) {
      failpoint('lease.released');
      await this.deps.database.releaseLease(held.epoch).catch(() => undefined);
    }
  }

  async stop(): Promise<void> {
    await this.task.stop();
    await this.release();
  }

  private async look(): Promise<void> {
    const { database, logger } = this.deps;
    try {
      await (this.held === undefined ? this.tryToTake() : this.renew(this.held.epoch));
    } catch (error) {
      if (this.held !== undefined) {
        logger.warn('lease.notRenewed', { epoch: this.held.epoch, error: errorText(error) });
      }
      return;
    }
    if (this.held !== undefined) {
      this.see(await database.lease().catch(() => this.seen));
    }
  }

  private async tryToTake(): Promise<void> {
    const { database, clock, mayTake, onTaken } = this.deps;
    this.see(await database.lease());
    const isOpen = this.seen.isFree && !this.seen.isLeftBehind;
    const above = isOpen ? await mayTake(this.seen) : undefined;
    if (above === undefined) {
      return;
    }
    const sentAtMs = clock.now();
    const epoch = await database.takeLease(Math.max(above, this.highest));
    if (epoch !== undefined) {
      failpoint('lease.taken');
      this.highest = Math.max(this.highest, epoch);
      this.hold(epoch, sentAtMs);
      onTaken(epoch);
    }
  }

  private see(lease: LeaseState): void {
    if (lease.isLeftBehind && !this.seen.isLeftBehind) {
      this.deps.logger.error('replica.leftBehind', {
        advice:
          'a newer headgate has changed the tables; this one serves what it has and leads no more: ' +
          'replace it with that version',
      });
    }
    this.seen = lease;
    this.highest = Math.max(this.highest, lease.epoch);
  }

  private async renew(epoch: number): Promise<void> {
    const sentAtMs = this.deps.clock.now();
    const isOurs = await this.deps.database.renewLease(epoch, this.deps.seenSeq());
    if (!isOurs) {
      this.lose(epoch, 'another replica has the lease, or the database has lost commits');
    } else if (this.held?.epoch === epoch) {
      this.hold(epoch, sentAtMs);
    }
  }

  private hold(epoch: number, sentAtMs: number): void {
    const { clock, leaseMs } = this.deps;
    const untilMs = sentAtMs + leaseMs * giveUpShare;
    this.held = { epoch, untilMs };
    this.cancelGiveUp();
    this.cancelGiveUp = clock.after(Math.max(0, untilMs - clock.now()), () =>
      this.lose(epoch, 'the lease could not be renewed in time'),
    );
  }
}
