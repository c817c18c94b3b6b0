/**
 * The outbox inside the SQLite file: notifications that wait for their sink, bounded for each, and the
 * dead letters that will not be sent. Every function runs inside the transaction of its caller.
 */
import type { StoredNotification } from '../loop/ports.js';
import { deadLettersMax, outboxEntriesMax } from './limits.js';
import { integer } from './rows.js';
import type { SqliteDriver, SqliteRow } from './sqlite-driver.js';

/** A notification that already waits is not queued twice: a repeated commit is harmless. */
export function enqueue(
  driver: SqliteDriver,
  notification: StoredNotification,
  epoch: number,
): void {
  driver.run(
    'INSERT INTO outbox (id, sink, topic, created_at_ms, json, expendable, attempts, ' +
      'next_attempt_at_ms, epoch) VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?) ON CONFLICT DO NOTHING',
    notification.id,
    notification.sink,
    notification.topic,
    notification.createdAtMs,
    notification.json,
    notification.expendable === true ? 1 : 0,
    epoch,
  );
}

/** Brings a sink's outbox back under its limit; the number of notifications that will not be sent. */
export function trimOutbox(
  driver: SqliteDriver,
  { sink, nowMs, epoch }: { readonly sink: string; readonly nowMs: number; readonly epoch: number },
): number {
  const [row] = driver.all('SELECT COUNT(*) AS waiting FROM outbox WHERE sink = ?', sink);
  const excess = integer(row ?? {}, 'waiting') - outboxEntriesMax;
  if (excess <= 0) {
    return 0;
  }
  const seqs = driver.all(
    'SELECT seq FROM outbox WHERE sink = ? ORDER BY expendable DESC, seq LIMIT ?',
    sink,
    excess,
  );
  bury(driver, seqs, { error: 'the outbox was full', nowMs, epoch, attempts: 0 });
  return excess;
}

/** Moves entries of the outbox to the dead letters; `attempts` is added to those they had. */
export function bury(
  driver: SqliteDriver,
  seqs: readonly SqliteRow[],
  letter: {
    readonly error: string;
    readonly nowMs: number;
    readonly epoch: number;
    readonly attempts: number;
  },
): void {
  for (const row of seqs) {
    const seq = integer(row, 'seq');
    driver.run(
      'INSERT INTO dead_letters (id, sink, topic, created_at_ms, json, attempts, error, ' +
        'died_at_ms, epoch) SELECT id, sink, topic, created_at_ms, json, attempts + ?, ?, ?, ? ' +
        'FROM outbox WHERE seq = ?',
      letter.attempts,
      letter.error,
      letter.nowMs,
      letter.epoch,
      seq,
    );
    driver.run('DELETE FROM outbox WHERE seq = ?', seq);
  }
  driver.run(
    'DELETE FROM dead_letters WHERE seq <= (SELECT MAX(seq) FROM dead_letters) - ?',
    deadLettersMax,
  );
}
