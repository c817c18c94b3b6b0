/**
 * The `Store` port over one SQLite file. Every write is one transaction that first checks the epoch:
 * each start takes the next one, so a process that lost the file to a successor cannot write any more.
 * Calls run to their end without yielding; a commit costs one sync of the disk.
 */
import { failpoint } from '../base/failpoint.js';
import { OpError } from '../base/op-error.js';
import type {
  Clock,
  HistoryEntry,
  Logger,
  OutboxEntry,
  Store,
  StoreWrite,
  Transaction,
} from '../loop/ports.js';
import { valueHash } from './checked-value.js';
import { historyEntriesMax, outboxEntriesMax } from './limits.js';
import { deadLetter, historyEntry, integer, outboxEntry, storedValue } from './rows.js';
import type { SqliteDriver, SqliteRow, SqliteValue } from './sqlite-driver.js';
import { bury, enqueue, trimOutbox } from './sqlite-outbox.js';
import { storeError, toOpError } from './store-errors.js';

export interface SqliteStoreOptions {
  /** For messages. */
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SqliteStore extends Store {
  /** The term of this process: above those of all that had the file before. */
  readonly epoch: number;
  /** All notifications that wait, oldest first. */
  undelivered(): Promise<readonly OutboxEntry[]>;
}

/**
 * The store over a prepared state file, which it owns from here on. Takes the next epoch.
 * Throws `OpError`.
 */
export function createSqliteStore(driver: SqliteDriver, options: SqliteStoreOptions): SqliteStore {
  const { path, clock, logger } = options;
  const read = (sql: string, ...values: readonly SqliteValue[]): readonly SqliteRow[] => {
    try {
      return driver.all(sql, ...values);
    } catch (error) {
      throw toOpError(error, path);
    }
  };
  const epoch = guarded(path, () => takeEpoch(driver));
  const write = (work: () => void): void =>
    guarded(path, () =>
      inTransaction(driver, () => {
        checkEpoch(driver, epoch, path);
        work();
      }),
    );

  return {
    epoch,

    async undelivered() {
      return read('SELECT * FROM outbox ORDER BY seq').map(outboxEntry);
    },

    async load() {
      const rows = read('SELECT kind, key, json, hash FROM state ORDER BY kind, key');
      return rows.map((row) => storedValue(row, (reason) => corrupt(reason, path)));
    },

    async commit(transaction: Transaction) {
      let dropped = 0;
      failpoint('store.commit.before');
      write(() => {
        for (const value of transaction.writes) {
          writeValue(driver, value, epoch);
        }
        appendHistory(driver, transaction.history, epoch);
        for (const notification of transaction.notifications) {
          enqueue(driver, notification, epoch);
        }
        for (const sink of new Set(transaction.notifications.map((each) => each.sink))) {
          dropped += trimOutbox(driver, { sink, nowMs: clock.now(), epoch });
        }
        failpoint('store.commit.inside');
      });
      failpoint('store.commit.after');
      if (dropped > 0) {
        logger.warn('store.outboxTrimmed', { dropped, limit: outboxEntriesMax });
      }
    },

    async history({ kind, before, limit }) {
      const rows = read(
        'SELECT id, at_ms, kind, json FROM history ' +
          'WHERE id < ? AND (? IS NULL OR kind = ?) ORDER BY id DESC LIMIT ?',
        before ?? Number.MAX_SAFE_INTEGER,
        kind ?? null,
        kind ?? null,
        limit,
      );
      return rows.map(historyEntry);
    },

    async outbox({ sink, limit }) {
      const rows = read(
        'SELECT * FROM outbox ' +
          'WHERE seq IN (SELECT MIN(seq) FROM outbox WHERE sink = ? GROUP BY topic) ' +
          'ORDER BY next_attempt_at_ms, seq LIMIT ?',
        sink,
        limit,
      );
      return rows.map(outboxEntry);
    },

    async delivered(id, sink) {
      write(() => void driver.run('DELETE FROM outbox WHERE id = ? AND sink = ?', id, sink));
    },

    async retryLater(id, sink, nextAttemptAtMs) {
      write(() => {
        driver.run(
          'UPDATE outbox SET attempts = attempts + 1, next_attempt_at_ms = ?, epoch = ? ' +
            'WHERE id = ? AND sink = ?',
          nextAttemptAtMs,
          epoch,
          id,
          sink,
        );
      });
    },

    async giveUp(id, sink, error) {
      write(() => {
        const seqs = driver.all('SELECT seq FROM outbox WHERE id = ? AND sink = ?', id, sink);
        bury(driver, seqs, { error, nowMs: clock.now(), epoch, attempts: 1 });
      });
    },

    async deadLetters(limit) {
      return read('SELECT * FROM dead_letters ORDER BY seq DESC LIMIT ?', limit).map(deadLetter);
    },

    async close() {
      guarded(path, () => driver.close());
    },
  };
}

function corrupt(reason: string, path: string): OpError {
  const remedy = 'restore a backup, or move the file away to start anew from Git';
  return storeError('store-corrupt', path, `${reason}; ${remedy}`);
}

// Transactions

function guarded<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toOpError(error, path);
  }
}

function inTransaction<T>(driver: SqliteDriver, work: () => T): T {
  driver.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    driver.exec('COMMIT');
    return result;
  } catch (error) {
    rollBack(driver);
    throw error;
  }
}

/** After a full disk or an I/O error SQLite has rolled back by itself, and refuses to do it again. */
function rollBack(driver: SqliteDriver): void {
  try {
    driver.exec('ROLLBACK');
  } catch {
    // What failed before is what the caller is told.
  }
}

function takeEpoch(driver: SqliteDriver): number {
  return inTransaction(driver, () => {
    driver.run('UPDATE writer SET epoch = epoch + 1');
    return storedEpoch(driver);
  });
}

function checkEpoch(driver: SqliteDriver, epoch: number, path: string): void {
  const stored = storedEpoch(driver);
  if (stored !== epoch) {
    throw new OpError(
      'store-fenced',
      `state file ${path} belongs to a newer controller (epoch ${stored}, this one has ${epoch})`,
      { retry: { kind: 'stalled' } },
    );
  }
}

function storedEpoch(driver: SqliteDriver): number {
  const [row] = driver.all('SELECT epoch FROM writer');
  return integer(row ?? {}, 'epoch');
}

// Writes

function writeValue(driver: SqliteDriver, value: StoreWrite, epoch: number): void {
  if (value.json === null) {
    driver.run('DELETE FROM state WHERE kind = ? AND key = ?', value.kind, value.key);
    return;
  }
  driver.run(
    'INSERT INTO state (kind, key, json, hash, epoch) VALUES (?, ?, ?, ?, ?) ' +
      'ON CONFLICT (kind, key) DO UPDATE SET json = excluded.json, hash = excluded.hash, ' +
      'epoch = excluded.epoch',
    value.kind,
    value.key,
    value.json,
    valueHash(value.json),
    epoch,
  );
}

function appendHistory(
  driver: SqliteDriver,
  entries: readonly HistoryEntry[],
  epoch: number,
): void {
  if (entries.length === 0) {
    return;
  }
  for (const entry of entries) {
    driver.run(
      'INSERT INTO history (at_ms, kind, json, epoch) VALUES (?, ?, ?, ?)',
      entry.atMs,
      entry.kind,
      entry.json,
      epoch,
    );
  }
  driver.run(
    'DELETE FROM history WHERE id <= (SELECT MAX(id) FROM history) - ?',
    historyEntriesMax,
  );
}
