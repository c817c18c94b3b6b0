/**
 * A store in memory that fails as disks and connections do: a commit is refused, or is durable although
 * its answer is an error, or is never answered, since the process was killed just before or just after.
 */
import type {
  HistoryEntry,
  Store,
  StoredNotification,
  Transaction,
} from '../../controller/loop/ports.js';

/** What the next commits meet with; the `killed` ones are met once and never answered. */
export type StoreFault = 'none' | 'refused' | 'failedAfterwards' | 'killedBefore' | 'killedAfter';

export interface StoredValue {
  readonly kind: string;
  readonly key: string;
  readonly json: string;
  /** What `json` says, for the inspector; the loop reads the text. */
  readonly value: unknown;
}

export class SimulatedStore implements Store {
  fault: StoreFault = 'none';
  /** True once a commit was cut off: the process that made it must not be heard of again. */
  hasKilled = false;
  readonly historyEntries: HistoryEntry[] = [];
  /** By id: what people would have been told, and how often an id was used for something else. */
  readonly notifications = new Map<string, StoredNotification>();
  readonly repeated: string[] = [];
  /** Durable although the answer was an error: these come again, and are the same to their receivers. */
  private readonly doubtful = new Set<string>();
  /** How many commits have become durable. */
  commits = 0;
  private values = new Map<string, StoredValue>();
  /** As of the last commit whose maker knows that it is durable. */
  private known: readonly StoredValue[] = [];

  /** `onDurable`: a commit is durable from now on, whether its maker hears of it or not. */
  constructor(private readonly onDurable: () => void) {}

  confirmed(): readonly StoredValue[] {
    return this.known;
  }

  stored(): readonly StoredValue[] {
    return [...this.values.values()];
  }

  async load(): Promise<readonly StoredValue[]> {
    if (this.fault !== 'none') {
      throw new Error('the disk does not answer');
    }
    return this.stored();
  }

  async commit(transaction: Transaction): Promise<void> {
    const { fault } = this;
    if (fault === 'none' || fault === 'failedAfterwards' || fault === 'killedAfter') {
      this.apply(transaction);
    }
    if (fault === 'killedBefore' || fault === 'killedAfter') {
      this.hasKilled = true;
      await new Promise(() => {});
    }
    if (fault !== 'none') {
      throw new Error('the disk is full');
    }
    this.known = this.stored();
  }

  private apply({ writes, history, notifications }: Transaction): void {
    this.commits += 1;
    this.onDurable();
    for (const { kind, key, json } of writes) {
      if (json === null) {
        this.values.delete(`${kind}/${key}`);
      } else {
        this.values.set(`${kind}/${key}`, { kind, key, json, value: JSON.parse(json) });
      }
    }
    this.historyEntries.push(...history);
    for (const notification of notifications) {
      const known = this.notifications.get(notification.id);
      if (known !== undefined && !this.doubtful.has(notification.id)) {
        this.repeated.push(notification.id);
      }
      if (this.fault === 'failedAfterwards') {
        this.doubtful.add(notification.id);
      }
      this.notifications.set(notification.id, known ?? notification);
    }
  }

  async history() {
    return [];
  }
  async outbox() {
    return [];
  }
  async delivered() {}
  async retryLater() {}
  async giveUp() {}
  async deadLetters() {
    return [];
  }
  async close() {}
}
