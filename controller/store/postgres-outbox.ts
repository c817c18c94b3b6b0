/**
 * The outbox inside PostgreSQL: notifications that wait for their sink, bounded for each, and the dead
 * letters that will not be sent. Every function runs inside the transaction of its caller.
 */
import type { StoredNotification } from '../loop/ports.js';
import { deadLettersMax, outboxEntriesMax } from './limits.js';
import type { Sql } from './postgres-connection.js';

/** A notification that already waits is not queued twice: a repeated commit is harmless. */
export async function enqueuePostgres(
  sql: Sql,
  notifications: readonly StoredNotification[],
  epoch: number,
): Promise<void> {
  if (notifications.length === 0) {
    return;
  }
  await sql.run(
    'INSERT INTO headgate_outbox (id, sink, topic, created_at_ms, json, expendable, attempts, ' +
      'next_attempt_at_ms, epoch) SELECT id, sink, topic, created, json, expendable, 0, 0, $7 ' +
      'FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::boolean[]) ' +
      'WITH ORDINALITY AS new (id, sink, topic, created, json, expendable, place) ORDER BY place ' +
      'ON CONFLICT (id, sink) DO NOTHING',
    [
      notifications.map(({ id }) => id),
      notifications.map(({ sink }) => sink),
      notifications.map(({ topic }) => topic),
      notifications.map(({ createdAtMs }) => createdAtMs),
      notifications.map(({ json }) => json),
      notifications.map(({ expendable }) => String(expendable === true)),
      epoch,
    ],
  );
}

/** Brings a sink's outbox back under its limit; the number of notifications that will not be sent. */
export async function trimPostgresOutbox(
  sql: Sql,
  { sink, nowMs, epoch }: { readonly sink: string; readonly nowMs: number; readonly epoch: number },
): Promise<number> {
  const counted = await sql.run('SELECT COUNT(*) AS waiting FROM headgate_outbox WHERE sink = $1', [
    sink,
  ]);
  const excess = Number(counted.rows[0]?.waiting) - outboxEntriesMax;
  if (excess <= 0) {
    return 0;
  }
  const { rows } = await sql.run(
    'SELECT seq FROM headgate_outbox WHERE sink = $1 ORDER BY expendable DESC, seq LIMIT $2',
    [sink, excess],
  );
  const seqs = rows.map((row) => Number(row.seq));
  await buryPostgres(sql, seqs, { error: 'the outbox was full', nowMs, epoch, attempts: 0 });
  return excess;
}

/** Moves entries of the outbox to the dead letters in the order of `seqs`; `attempts` is added. */
export async function buryPostgres(
  sql: Sql,
  seqs: readonly number[],
  letter: {
    readonly error: string;
    readonly nowMs: number;
    readonly epoch: number;
    readonly attempts: number;
  },
): Promise<void> {
  await sql.run(
    'INSERT INTO headgate_dead_letters (id, sink, topic, created_at_ms, json, attempts, error, ' +
      'died_at_ms, epoch) SELECT id, sink, topic, created_at_ms, json, attempts + $2, $3, $4, $5 ' +
      'FROM unnest($1::bigint[]) WITH ORDINALITY AS gone (seq, place) ' +
      'JOIN headgate_outbox USING (seq) ORDER BY place',
    // A text of PostgreSQL holds no NUL.
    [seqs, letter.attempts, letter.error.replaceAll('\0', ''), letter.nowMs, letter.epoch],
  );
  await sql.run('DELETE FROM headgate_outbox WHERE seq = ANY ($1::bigint[])', [seqs]);
  await sql.run(
    'DELETE FROM headgate_dead_letters ' +
      'WHERE seq <= (SELECT MAX(seq) FROM headgate_dead_letters) - $1',
    [deadLettersMax],
  );
}
