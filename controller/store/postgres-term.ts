/**
 * The `Store` port over PostgreSQL, as the leader of one epoch has it. Every write is one transaction that
 * first locks the lease's row for reading and checks that it is still this leader's: whoever takes it over
 * waits for that transaction, and none begins after.
 */
import { failpoint } from '../base/failpoint.js';
import type { OpError } from '../base/op-error.js';
import type { Clock, HistoryEntry, Logger, Store, StoreWrite, Transaction } from '../loop/ports.js';
import { valueHash } from './checked-value.js';
import { historyEntriesMax, outboxEntriesMax } from './limits.js';
import type { PostgresConnection, Sql, SqlRow } from './postgres-connection.js';
import { postgresError } from './postgres-errors.js';
import { buryPostgres, enqueuePostgres, trimPostgresOutbox } from './postgres-outbox.js';
import { readDeadLetters, readHistory, readOutbox, readValues } from './postgres-rows.js';

export interface TermOptions {
  readonly epoch: number;
  readonly holder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Commits that there have been for sure: a database that knows of fewer has lost some. */
  readonly seenSeq: number;
  /** Called after each commit with its number. */
  readonly onCommit: (seq: number) => void;
}

/** Marks of values that were deleted are kept for followers over so many commits. */
const marksKept = 1000;
/** How often what followers no longer need is thrown away, in commits. */
const sweepEvery = 500;

export function createTerm(connection: PostgresConnection, options: TermOptions): Store {
  const { epoch, clock, logger } = options;
  const { place } = connection.settings;
  let operations = 0;
  let { seenSeq } = options;
  /** The newest commit as this term knows it; undefined: not looked yet. */
  let lastSeq: number | undefined;
  const write = (work: (sql: Sql) => Promise<void>): Promise<void> =>
    connection.transaction(async (sql) => {
      await checkLease(sql, connection, options);
      await work(sql);
    });
  return {
    async load() {
      const { seq, values } = await readValues(connection);
      lastSeq = seq;
      return values;
    },
    history: (query) => readHistory(connection, query),
    deadLetters: (limit) => readDeadLetters(connection, limit),

    async commit(transaction: Transaction) {
      operations += 1;
      const operation = `${options.holder}/${epoch}/${operations}`;
      let dropped = 0;
      let seq = 0;
      failpoint('store.commit.before');
      try {
        await write(async (sql) => {
          seq = await nextSeq(sql, { epoch, operation, seenSeq, place });
          checkNoneCameLate(lastSeq, seq, place);
          await writeValues(sql, transaction.writes, { epoch, seq });
          await appendHistory(sql, transaction.history, epoch);
          await enqueuePostgres(sql, transaction.notifications, epoch);
          for (const sink of new Set(transaction.notifications.map((each) => each.sink))) {
            dropped += await trimPostgresOutbox(sql, { sink, nowMs: clock.now(), epoch });
          }
          await answer(sql, transaction.answers ?? [], place);
          await sql.run("SELECT pg_notify('headgate', 'state')");
          failpoint('store.commit.inside');
        });
      } catch (error) {
        if (!(await wasCommitted(connection, operation, error))) {
          throw error;
        }
      }
      failpoint('store.commit.after');
      seenSeq = Math.max(seenSeq, seq);
      lastSeq = seq;
      options.onCommit(seq);
      if (dropped > 0) {
        logger.warn('store.outboxTrimmed', { dropped, limit: outboxEntriesMax });
      }
    },

    async outbox(query) {
      return readOutbox(connection, query);
    },

    delivered: (id, sink) =>
      write(async (sql) => {
        await sql.run('DELETE FROM headgate_outbox WHERE id = $1 AND sink = $2', [id, sink]);
      }),

    retryLater: (id, sink, nextAttemptAtMs) =>
      write(async (sql) => {
        await sql.run(
          'UPDATE headgate_outbox SET attempts = attempts + 1, next_attempt_at_ms = $3, epoch = $4 ' +
            'WHERE id = $1 AND sink = $2',
          [id, sink, nextAttemptAtMs, epoch],
        );
      }),

    giveUp: (id, sink, error) =>
      write(async (sql) => {
        const { rows } = await sql.run(
          'SELECT seq FROM headgate_outbox WHERE id = $1 AND sink = $2',
          [id, sink],
        );
        const seqs = rows.map((row) => Number(row.seq));
        await buryPostgres(sql, seqs, { error, nowMs: clock.now(), epoch, attempts: 1 });
      }),

    async close() {
      // The connection is the database's.
    },
  };
}

/** The error that tells a leader that it leads no more. */
export function fenced(place: string, epoch: number, row: SqlRow | undefined): OpError {
  return postgresError(
    'store-fenced',
    place,
    `belongs to a newer leader (epoch ${row?.epoch ?? 'unknown'}, this one has ${epoch})`,
  );
}

async function checkLease(
  sql: Sql,
  connection: PostgresConnection,
  { epoch, holder }: TermOptions,
): Promise<void> {
  const { rows } = await sql.run(
    "SELECT epoch, holder FROM headgate_lease WHERE name = 'leader' FOR SHARE",
  );
  const [row] = rows;
  if (Number(row?.epoch) !== epoch || row?.holder !== holder) {
    throw fenced(connection.settings.place, epoch, row);
  }
}

/** Invariants H5 and H7: neither the epoch nor the number of commits ever falls. */
async function nextSeq(
  sql: Sql,
  {
    epoch,
    operation,
    seenSeq,
    place,
  }: {
    readonly epoch: number;
    readonly operation: string;
    readonly seenSeq: number;
    readonly place: string;
  },
): Promise<number> {
  const { rows } = await sql.run(
    'UPDATE headgate_head SET seq = seq + 1, epoch = $1, operation = $2 ' +
      'WHERE id = 1 AND epoch <= $1 AND seq >= $3 RETURNING seq',
    [epoch, operation, seenSeq],
  );
  const [row] = rows;
  if (row === undefined) {
    throw postgresError(
      'store-regressed',
      place,
      `has lost commits: it does not have the ${seenSeq} that were there in epoch ${epoch}; ` +
        'bring back the database that has them, or accept the loss with `headgate state accept`',
    );
  }
  const seq = Number(row.seq);
  if (seq % sweepEvery === 0) {
    await sql.run('DELETE FROM headgate_state WHERE json IS NULL AND seq <= $1', [seq - marksKept]);
    await sql.run('UPDATE headgate_head SET forgotten_seq = GREATEST(0, $1)', [seq - marksKept]);
    await sql.run(
      "DELETE FROM headgate_commands WHERE ends_at < clock_timestamp() - interval '1 day'",
    );
  }
  return seq;
}

/**
 * A commit that was given up may become durable long after (a server that waits for its standby). What was
 * read before it did is no ground for another one.
 */
function checkNoneCameLate(lastSeq: number | undefined, seq: number, place: string): void {
  if (lastSeq !== undefined && seq !== lastSeq + 1) {
    throw postgresError(
      'store-moved',
      place,
      'made a commit durable that it had not answered; the state is read again',
      'backoff',
    );
  }
}

/**
 * True where the transaction is durable although its end was not heard. Only the leader of an epoch writes,
 * so the newest operation is this one or it never was.
 */
async function wasCommitted(
  connection: PostgresConnection,
  operation: string,
  error: unknown,
): Promise<boolean> {
  if ((error as { readonly code?: unknown }).code !== 'store-doubtful') {
    return false;
  }
  try {
    const { rows } = await connection.query('SELECT operation FROM headgate_head WHERE id = 1');
    return rows[0]?.operation === operation;
  } catch {
    // Nobody can tell now: the caller throws what says so.
    return false;
  }
}

async function writeValues(
  sql: Sql,
  writes: readonly StoreWrite[],
  { epoch, seq }: { readonly epoch: number; readonly seq: number },
): Promise<void> {
  // One statement cannot change a row twice; the last word counts.
  const values = [
    ...new Map(writes.map((value) => [JSON.stringify([value.kind, value.key]), value])).values(),
  ];
  if (values.length === 0) {
    return;
  }
  await sql.run(
    'INSERT INTO headgate_state (kind, key, json, hash, epoch, seq) ' +
      'SELECT kind, key, json, hash, $5, $6 ' +
      'FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS new (kind, key, json, hash) ' +
      'ON CONFLICT (kind, key) DO UPDATE SET json = excluded.json, hash = excluded.hash, ' +
      'epoch = excluded.epoch, seq = excluded.seq',
    [
      values.map(({ kind }) => kind),
      values.map(({ key }) => key),
      values.map(({ json }) => json),
      values.map(({ json }) => (json === null ? '' : valueHash(json))),
      epoch,
      seq,
    ],
  );
}

async function appendHistory(
  sql: Sql,
  entries: readonly HistoryEntry[],
  epoch: number,
): Promise<void> {
  if (entries.length === 0) {
    return;
  }
  await sql.run(
    'INSERT INTO headgate_history (at_ms, kind, json, epoch) SELECT at_ms, kind, json, $4 ' +
      'FROM unnest($1::bigint[], $2::text[], $3::text[]) WITH ORDINALITY ' +
      'AS new (at_ms, kind, json, place) ORDER BY place',
    [
      entries.map(({ atMs }) => atMs),
      entries.map(({ kind }) => kind),
      entries.map(({ json }) => json),
      epoch,
    ],
  );
  await sql.run(
    'DELETE FROM headgate_history WHERE id <= (SELECT MAX(id) FROM headgate_history) - $1',
    [historyEntriesMax],
  );
}

/** A command that was withdrawn has an answer already: then nothing of it may become durable. */
async function answer(
  sql: Sql,
  answers: NonNullable<Transaction['answers']>,
  place: string,
): Promise<void> {
  for (const { command, json } of answers) {
    const { count } = await sql.run(
      'UPDATE headgate_commands SET answer = $2 WHERE id = $1 AND answer IS NULL',
      [command, json],
    );
    if (count === 0) {
      throw postgresError('store-withdrawn', place, `has no command ${command} that waits`);
    }
  }
  if (answers.length > 0) {
    await sql.run("SELECT pg_notify('headgate', 'commands')");
  }
}
