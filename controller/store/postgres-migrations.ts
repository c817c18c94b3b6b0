/**
 * The tables in PostgreSQL, as numbered steps that each run once. While replicas are replaced one after
 * another, old and new versions use the same tables: a step only adds, and says which is the oldest
 * version of the tables whose programs may go on beside it. A step that was released is never edited.
 * Where a step leaves a version behind, whoever of it leads is fenced off in the same transaction, and
 * leads no more (`takeLease`); until it is replaced it serves what it has.
 */
import type { PostgresConnection, Sql } from './postgres-connection.js';
import { postgresError } from './postgres-errors.js';

export interface PostgresStep {
  /** The oldest schema version whose programs may use the tables after this step. */
  readonly usableFrom: number;
  readonly sql: string;
}

/** Step n, from 1, is at index n - 1. Every row of the state carries the epoch of its writer. */
export const postgresSteps: readonly PostgresStep[] = [
  {
    usableFrom: 1,
    sql: `
  CREATE TABLE headgate_lease (
    name text PRIMARY KEY,
    epoch bigint NOT NULL,
    holder text NOT NULL,
    ends_at timestamptz NOT NULL
  );
  INSERT INTO headgate_lease VALUES ('leader', 0, '', '-infinity');

  CREATE TABLE headgate_head (
    id integer PRIMARY KEY CHECK (id = 1),
    epoch bigint NOT NULL,
    seq bigint NOT NULL,
    forgotten_seq bigint NOT NULL,
    operation text NOT NULL
  );
  INSERT INTO headgate_head VALUES (1, 0, 0, 0, '');

  CREATE TABLE headgate_state (
    kind text NOT NULL,
    key text NOT NULL,
    json text,
    hash text NOT NULL,
    epoch bigint NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (kind, key)
  );
  CREATE INDEX headgate_state_by_seq ON headgate_state (seq);

  CREATE TABLE headgate_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms bigint NOT NULL,
    kind text NOT NULL,
    json text NOT NULL,
    epoch bigint NOT NULL
  );

  CREATE TABLE headgate_outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL,
    sink text NOT NULL,
    topic text NOT NULL,
    created_at_ms bigint NOT NULL,
    json text NOT NULL,
    expendable boolean NOT NULL,
    attempts integer NOT NULL,
    next_attempt_at_ms bigint NOT NULL,
    epoch bigint NOT NULL,
    UNIQUE (id, sink)
  );
  CREATE INDEX headgate_outbox_by_topic ON headgate_outbox (sink, topic, seq);

  CREATE TABLE headgate_dead_letters (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL,
    sink text NOT NULL,
    topic text NOT NULL,
    created_at_ms bigint NOT NULL,
    json text NOT NULL,
    attempts integer NOT NULL,
    error text NOT NULL,
    died_at_ms bigint NOT NULL,
    epoch bigint NOT NULL
  );

  CREATE TABLE headgate_replicas (
    replica text PRIMARY KEY,
    seq bigint NOT NULL,
    seen_at timestamptz NOT NULL,
    epoch bigint NOT NULL,
    state_seq bigint NOT NULL,
    json text NOT NULL
  );

  CREATE TABLE headgate_proxies (
    replica text NOT NULL,
    id text NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    json text,
    PRIMARY KEY (replica, id)
  );

  CREATE TABLE headgate_news (
    replica text NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    json text NOT NULL,
    PRIMARY KEY (replica, seq)
  );

  CREATE TABLE headgate_commands (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    replica text NOT NULL,
    asked_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    json text NOT NULL,
    answer text
  );
  `,
  },
];

/** `pg_advisory_xact_lock` keeps two starts from making the tables at once; it ends with its transaction. */
const migrationLock = 0x48474154;

/** A change of a table waits for who reads it, and who comes later waits for the change: not for long. */
const lockMs = 2_000;

/**
 * Brings the database to the newest of `steps`, or leaves a newer one as it is where this version may go on
 * beside it. All or nothing. Throws `OpError`, `store-too-new` where it may not.
 */
export async function migratePostgres(
  connection: PostgresConnection,
  steps: readonly PostgresStep[] = postgresSteps,
): Promise<void> {
  await connection.transaction(async (sql) => {
    await sql.run(`SET LOCAL lock_timeout = ${lockMs}`);
    await sql.run('SELECT pg_advisory_xact_lock($1)', [migrationLock]);
    await sql.run(
      'CREATE TABLE IF NOT EXISTS headgate_schema (version integer PRIMARY KEY, ' +
        'usable_from integer NOT NULL, applied_at timestamptz NOT NULL)',
    );
    const { version, usableFrom } = await readVersion(sql);
    if (usableFrom > steps.length) {
      throw postgresError(
        'store-too-new',
        connection.settings.place,
        `was brought to schema ${version} by a newer headgate, and this one knows ` +
          `${steps.length}; run that version, or restore a backup from before the upgrade`,
      );
    }
    for (const [index, step] of steps.entries()) {
      if (index + 1 > version) {
        await sql.run(step.sql);
        await sql.run('INSERT INTO headgate_schema VALUES ($1, $2, clock_timestamp())', [
          index + 1,
          step.usableFrom,
        ]);
      }
    }
    if (version > 0 && (await readVersion(sql)).usableFrom > usableFrom) {
      await endTerm(sql);
    }
  });
}

/** Whoever leads wrote its last, and the next one may lead at once. */
async function endTerm(sql: Sql): Promise<void> {
  await sql.run(
    "UPDATE headgate_lease SET epoch = epoch + 1, holder = '', ends_at = '-infinity' " +
      "WHERE name = 'leader'",
  );
}

async function readVersion(
  sql: Sql,
): Promise<{ readonly version: number; readonly usableFrom: number }> {
  const { rows } = await sql.run(
    'SELECT COALESCE(MAX(version), 0) AS version, COALESCE(MAX(usable_from), 0) AS usable_from ' +
      'FROM headgate_schema',
  );
  return { version: Number(rows[0]?.version), usableFrom: Number(rows[0]?.usable_from) };
}
