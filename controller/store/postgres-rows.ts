/** Reads rows of PostgreSQL into the port's types. Its `bigint` comes as text, and none of ours is beyond 2^53. */
import type {
  DeadLetter,
  OutboxEntry,
  Store,
  StoredHistoryEntry,
  StoredNotification,
} from '../loop/ports.js';
import { checkedValue, type StoredValue } from './checked-value.js';
import type { PostgresConnection, SqlRow } from './postgres-connection.js';
import { postgresError } from './postgres-errors.js';

/** All values, and the number of the commit that was the newest then. */
export function readValues(connection: PostgresConnection) {
  return connection.transaction(
    async (sql) => {
      const head = await sql.run('SELECT seq FROM headgate_head WHERE id = 1');
      const { rows } = await sql.run(
        'SELECT kind, key, json, hash FROM headgate_state WHERE json IS NOT NULL ' +
          'ORDER BY kind COLLATE "C", key COLLATE "C"',
      );
      const { place } = connection.settings;
      return {
        seq: Number(head.rows[0]?.seq),
        values: rows.map((row) => storedValue(row, place)),
      };
    },
    { isSnapshot: true },
  );
}

/** A row of the state as it was written (`checkedValue`). Throws `OpError` `store-corrupt`. */
export function storedValue(row: SqlRow, place: string): StoredValue {
  const value = { kind: text(row, 'kind'), key: text(row, 'key'), json: text(row, 'json') };
  return checkedValue(value, row.hash, (reason) =>
    postgresError(
      'store-corrupt',
      place,
      `${reason}; what is served stays as it is: restore the table headgate_state from a backup`,
    ),
  );
}

export async function readHistory(
  connection: PostgresConnection,
  { kind, before, limit }: Parameters<Store['history']>[0],
): Promise<readonly StoredHistoryEntry[]> {
  const { rows } = await connection.query(
    'SELECT id, at_ms, kind, json FROM headgate_history ' +
      'WHERE id < $1 AND ($2::text IS NULL OR kind = $2) ORDER BY id DESC LIMIT $3',
    [before ?? Number.MAX_SAFE_INTEGER, kind ?? null, limit],
  );
  return rows.map((row) => ({
    id: Number(row.id),
    atMs: Number(row.at_ms),
    kind: text(row, 'kind'),
    json: text(row, 'json'),
  }));
}

export async function readOutbox(
  connection: PostgresConnection,
  { sink, limit }: Parameters<Store['outbox']>[0],
): Promise<readonly OutboxEntry[]> {
  const { rows } = await connection.query(
    'SELECT * FROM headgate_outbox ' +
      'WHERE seq IN (SELECT MIN(seq) FROM headgate_outbox WHERE sink = $1 GROUP BY topic) ' +
      'ORDER BY next_attempt_at_ms, seq LIMIT $2',
    [sink, limit],
  );
  return rows.map((row) => ({
    ...notification(row),
    expendable: row.expendable === true,
    attempts: Number(row.attempts),
    nextAttemptAtMs: Number(row.next_attempt_at_ms),
  }));
}

export async function readDeadLetters(
  connection: PostgresConnection,
  limit: number,
): Promise<readonly DeadLetter[]> {
  const { rows } = await connection.query(
    'SELECT * FROM headgate_dead_letters ORDER BY seq DESC LIMIT $1',
    [limit],
  );
  return rows.map((row) => ({
    ...notification(row),
    attempts: Number(row.attempts),
    error: text(row, 'error'),
    diedAtMs: Number(row.died_at_ms),
  }));
}

export function notification(row: SqlRow): StoredNotification {
  return {
    id: text(row, 'id'),
    topic: text(row, 'topic'),
    sink: text(row, 'sink'),
    createdAtMs: Number(row.created_at_ms),
    json: text(row, 'json'),
  };
}

export function text(row: SqlRow, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') {
    throw new Error(`assertion failed: column ${column} is no text`);
  }
  return value;
}
