/** What is read of PostgreSQL's tables alike by the leader, the others and an export. */
import type { DeadLetter, OutboxEntry, Store, StoredHistoryEntry } from '../loop/ports.js';
import type { StoredValue } from './checked-value.js';
import type { PostgresConnection, SqlRow } from './postgres-connection.js';
import { postgresError } from './postgres-errors.js';
import { deadLetter, historyEntry, outboxEntry, storedValue } from './rows.js';

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
        values: rows.map((row) => checkedRow(row, place)),
      };
    },
    { isSnapshot: true },
  );
}

/** A row of the state as it was written (`checkedValue`). Throws `OpError` `store-corrupt`. */
export function checkedRow(row: SqlRow, place: string): StoredValue {
  const remedy = 'what is served stays as it is: restore the table headgate_state from a backup';
  return storedValue(row, (reason) =>
    postgresError('store-corrupt', place, `${reason}; ${remedy}`),
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
  return rows.map(historyEntry);
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
  return rows.map(outboxEntry);
}

export async function readDeadLetters(
  connection: PostgresConnection,
  limit: number,
): Promise<readonly DeadLetter[]> {
  const { rows } = await connection.query(
    'SELECT * FROM headgate_dead_letters ORDER BY seq DESC LIMIT $1',
    [limit],
  );
  return rows.map(deadLetter);
}
