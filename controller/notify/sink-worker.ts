/**
 * One sink's share of the outbox: sends what is due, waits for what is not, backs off where the sink
 * fails. Two waits apply. One is the notification's own, which grows with its attempts, so that one
 * that the sink cannot digest does not hold up other topics. The other is the sink's, which grows with
 * failures in a row, so that a dead sink is not asked once for every topic.
 */
import { failpoint } from '../base/failpoint.js';
import { errorText, OpError, type Retry } from '../base/op-error.js';
import type { Random } from '../base/random.js';
import type { Clock, Logger, OutboxEntry, Store } from '../loop/ports.js';
import { readAnnouncement } from './notification.js';
import type { Sink, SinkStatus } from './sink.js';

/** The first wait after a failure is at most this long, each further one twice as long… */
const backoffBaseMs = 1_000;
/** …up to this. */
export const backoffMaxMs = 300_000;

/** How often a store that failed is asked again. */
const storeRetryMs = 2_000;

/** A notification that could not be delivered for this long is of no use to anybody. */
export const ageMaxMs = 7 * 24 * 3_600_000;

export interface DeliveryDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
}

export class SinkWorker {
  private isStopped = false;
  private isWakeMissed = false;
  private running: Promise<void> | undefined;
  private cancelTimer: () => void = () => {};
  private failuresInARow = 0;
  private pausedUntilMs = 0;
  /** Taken by the sink while the store could not be told: not sent again by this process. */
  private readonly sentUnmarked = new Set<string>();
  private counts: SinkStatus;

  constructor(
    private readonly store: Store,
    private readonly sink: Sink,
    private readonly dependencies: DeliveryDependencies,
  ) {
    this.counts = { sink: sink.name, delivered: 0, failedAttempts: 0, givenUp: 0 };
  }

  status(): SinkStatus {
    return this.counts;
  }

  wake(): void {
    if (this.isStopped) {
      return;
    }
    if (this.running !== undefined) {
      this.isWakeMissed = true;
      return;
    }
    this.cancelTimer();
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.cancelTimer();
    await this.running;
  }

  private async run(): Promise<void> {
    const { clock } = this.dependencies;
    let dueAtMs: number | undefined;
    do {
      this.isWakeMissed = false;
      dueAtMs = await this.sendDue();
    } while (this.isWakeMissed);
    // From the check of `isWakeMissed` on nothing is awaited, so that no wake is lost.
    this.running = undefined;
    if (dueAtMs !== undefined && !this.isStopped) {
      this.cancelTimer = clock.after(Math.max(0, dueAtMs - clock.now()), () => this.wake());
    }
  }

  /** Sends until nothing is due; when something will be, or undefined where nothing waits. */
  private async sendDue(): Promise<number | undefined> {
    const { clock } = this.dependencies;
    while (!this.isStopped) {
      if (this.pausedUntilMs > clock.now()) {
        return this.pausedUntilMs;
      }
      try {
        const [entry] = await this.store.outbox({ sink: this.sink.name, limit: 1 });
        if (entry === undefined) {
          return undefined;
        }
        if (entry.nextAttemptAtMs > clock.now()) {
          return entry.nextAttemptAtMs;
        }
        await this.deliver(entry);
      } catch (error) {
        this.pauseForStore(error);
      }
    }
    return undefined;
  }

  /** Throws only what the store throws. */
  private async deliver(entry: OutboxEntry): Promise<void> {
    const { logger, clock } = this.dependencies;
    if (!this.sentUnmarked.has(entry.id)) {
      try {
        await this.send(entry);
      } catch (error) {
        await this.fail(entry, error);
        return;
      }
      this.sentUnmarked.add(entry.id);
      this.failuresInARow = 0;
      const { error: _, ...counts } = this.counts;
      this.counts = { ...counts, delivered: counts.delivered + 1 };
    }
    failpoint('store.delivered.before');
    await this.store.delivered(entry.id, this.sink.name);
    failpoint('store.delivered.after');
    this.sentUnmarked.delete(entry.id);
    logger.info('notify.delivered', {
      sink: this.sink.name,
      id: entry.id,
      attempts: entry.attempts + 1,
      waitedMs: clock.now() - entry.createdAtMs,
    });
  }

  private async send(entry: OutboxEntry): Promise<void> {
    const announcement = readAnnouncement(entry.json);
    if (announcement === undefined) {
      throw new OpError('notify-unreadable', 'another version of headgate stored it', {
        retry: { kind: 'stalled' },
      });
    }
    failpoint('notify.send.before');
    await this.sink.send(announcement);
    failpoint('notify.send.after');
  }

  private async fail(entry: OutboxEntry, error: unknown): Promise<void> {
    const { logger, clock, random } = this.dependencies;
    const retry: Retry = error instanceof OpError ? error.retry : { kind: 'backoff' };
    const nowMs = clock.now();
    const text = errorText(error);
    const fields = {
      sink: this.sink.name,
      id: entry.id,
      attempts: entry.attempts + 1,
      error: text,
    };
    if (retry.kind === 'stalled' || nowMs - entry.createdAtMs > ageMaxMs) {
      this.counts = { ...this.counts, givenUp: this.counts.givenUp + 1, error: text };
      await this.store.giveUp(entry.id, this.sink.name, text);
      logger.error('notify.gaveUp', fields);
      return;
    }
    this.counts = { ...this.counts, failedAttempts: this.counts.failedAttempts + 1, error: text };
    this.failuresInARow += 1;
    const askedMs = retry.kind === 'after' ? retry.ms : 0;
    const sinkWaitMs = Math.max(askedMs, backoffMs(this.failuresInARow, random));
    const entryWaitMs = Math.max(askedMs, backoffMs(entry.attempts + 1, random));
    this.pausedUntilMs = nowMs + sinkWaitMs;
    await this.store.retryLater(entry.id, this.sink.name, nowMs + entryWaitMs);
    logger.warn('notify.failed', { ...fields, nextInMs: Math.max(sinkWaitMs, entryWaitMs) });
  }

  /** The store tells the loop too, which reports it; here it is enough to come back later. */
  private pauseForStore(error: unknown): void {
    if (!(error instanceof OpError)) {
      throw error;
    }
    const { logger, clock } = this.dependencies;
    this.pausedUntilMs = Math.max(this.pausedUntilMs, clock.now() + storeRetryMs);
    logger.warn('notify.storeFailed', { sink: this.sink.name, error: errorText(error) });
  }
}

/**
 * The wait after the given number of failures, from 1: anywhere up to the ceiling ("full jitter"), so
 * that many senders do not come back at the same moment.
 */
export function backoffMs(failures: number, random: Random): number {
  return Math.round(random() * Math.min(backoffMaxMs, backoffBaseMs * 2 ** (failures - 1)));
}
