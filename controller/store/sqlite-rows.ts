/**
 * Reads rows of the state file into the port's types. The tables are STRICT, so a column has the type
 * that it was declared with, and one that has not is a defect of ours.
 */
import { assert } from '../base/assert.js';
import type {
  DeadLetter,
  OutboxEntry,
  StoredHistoryEntry,
  StoredNotification,
} from '../loop/ports.js';
import { checkedValue, type StoredValue } from './checked-value.js';
import type { SqliteRow } from './sqlite-driver.js';
import { storeError } from './store-errors.js';

/** A row of the state as it was written (`checkedValue`). Throws `OpError` `store-corrupt`. */
export function storedValue(row: SqliteRow, path: string): StoredValue {
  const value = { kind: text(row, 'kind'), key: text(row, 'key'), json: text(row, 'json') };
  return checkedValue(value, row.hash, (reason) =>
    storeError(
      'store-corrupt',
      path,
      `${reason}; restore a backup, or move the file away to start anew from Git`,
    ),
  );
}

export function historyEntry(row: SqliteRow): StoredHistoryEntry {
  return {
    id: integer(row, 'id'),
    atMs: integer(row, 'at_ms'),
    kind: text(row, 'kind'),
    json: text(row, 'json'),
  };
}

function notification(row: SqliteRow): StoredNotification {
  return {
    id: text(row, 'id'),
    topic: text(row, 'topic'),
    sink: text(row, 'sink'),
    createdAtMs: integer(row, 'created_at_ms'),
    json: text(row, 'json'),
  };
}

export function outboxEntry(row: SqliteRow): OutboxEntry {
  return {
    ...notification(row),
    expendable: integer(row, 'expendable') === 1,
    attempts: integer(row, 'attempts'),
    nextAttemptAtMs: integer(row, 'next_attempt_at_ms'),
  };
}

export function deadLetter(row: SqliteRow): DeadLetter {
  return {
    ...notification(row),
    attempts: integer(row, 'attempts'),
    error: text(row, 'error'),
    diedAtMs: integer(row, 'died_at_ms'),
  };
}

export function text(row: SqliteRow, column: string): string {
  const value = row[column];
  assert(typeof value === 'string', `column ${column} is no text`);
  return value;
}

export function integer(row: SqliteRow, column: string): number {
  const value = row[column];
  assert(typeof value === 'number', `column ${column} is no integer`);
  return value;
}
