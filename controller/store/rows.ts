/**
 * Reads rows of either database into the port's types. A column that has not the type that it was declared
 * with is a defect of ours. PostgreSQL's `bigint` comes as text, and none of ours is beyond 2^53; SQLite has
 * 0 and 1 for booleans.
 */
import { assert } from '../base/assert.js';
import type { OpError } from '../base/op-error.js';
import type {
  DeadLetter,
  OutboxEntry,
  StoredHistoryEntry,
  StoredNotification,
} from '../loop/ports.js';
import { checkedValue, type StoredValue } from './checked-value.js';

export type Row = Readonly<Record<string, unknown>>;

/** A row of the state as it was written; else throws what `refuse` makes of the reason. */
export function storedValue(row: Row, refuse: (reason: string) => OpError): StoredValue {
  const value = { kind: text(row, 'kind'), key: text(row, 'key'), json: text(row, 'json') };
  return checkedValue(value, row.hash, refuse);
}

export function historyEntry(row: Row): StoredHistoryEntry {
  return {
    id: integer(row, 'id'),
    atMs: integer(row, 'at_ms'),
    kind: text(row, 'kind'),
    json: text(row, 'json'),
  };
}

export function notification(row: Row): StoredNotification {
  return {
    id: text(row, 'id'),
    topic: text(row, 'topic'),
    sink: text(row, 'sink'),
    createdAtMs: integer(row, 'created_at_ms'),
    json: text(row, 'json'),
  };
}

export function outboxEntry(row: Row): OutboxEntry {
  return {
    ...notification(row),
    expendable: row.expendable === true || row.expendable === 1,
    attempts: integer(row, 'attempts'),
    nextAttemptAtMs: integer(row, 'next_attempt_at_ms'),
  };
}

export function deadLetter(row: Row): DeadLetter {
  return {
    ...notification(row),
    attempts: integer(row, 'attempts'),
    error: text(row, 'error'),
    diedAtMs: integer(row, 'died_at_ms'),
  };
}

export function text(row: Row, column: string): string {
  const value = row[column];
  assert(typeof value === 'string', `column ${column} is no text`);
  return value;
}

export function integer(row: Row, column: string): number {
  const value = row[column];
  const number = typeof value === 'string' ? Number(value) : value;
  assert(
    typeof number === 'number' && Number.isSafeInteger(number),
    `column ${column} is no integer`,
  );
  return number;
}
