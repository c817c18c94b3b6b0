/**
 * The database that several replicas share, in PostgreSQL: the lease, the state and its changes, what
 * replicas tell one another, and commands. Times that more than one replica goes by are the database's.
 */
import { errorText } from '../base/op-error.js';
import type { Clock, Logger } from '../loop/ports.js';
import type { Position, SharedDatabase, StateChanges } from '../replicas/ports.js';
import { PostgresConnection, type Sql } from './postgres-connection.js';
import { PostgresListener } from './postgres-listener.js';
import { migratePostgres, type PostgresStep, postgresSteps } from './postgres-migrations.js';
import { hear, leave, tell } from './postgres-news.js';
import { checkedRow, readDeadLetters, readHistory } from './postgres-rows.js';
import type { PostgresSettings } from './postgres-settings.js';
import { createTerm } from './postgres-term.js';
import { text } from './rows.js';

export interface PostgresOptions {
  /** This start of this replica: no other ever has this name. */
  readonly replica: string;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The tables as another version of headgate has them. Undefined: as this one has them. */
  readonly steps?: readonly PostgresStep[];
}

/** How long a start waits for a database that cannot be reached: both may be starting together. */
const startPatienceMs = 30_000;
const startRetryMs = 1_000;

/** Connects and brings the tables up to date. Throws `OpError`. */
export async function openPostgres(
  settings: PostgresSettings,
  options: PostgresOptions,
): Promise<SharedDatabase> {
  const { clock, logger } = options;
  const connection = new PostgresConnection(settings, logger);
  // A leader that waits for a free connection behind its own questions would lose its lease.
  const leaseConnection = new PostgresConnection(settings, logger, 1);
  const listener = new PostgresListener(settings, {
    ...{ clock, logger, echo: `echo ${options.replica}` },
    notify: (payload) => connection.query("SELECT pg_notify('headgate', $1)", [payload]),
  });
  const close = async (): Promise<void> => {
    await listener.stop();
    await Promise.all([connection.close(), leaseConnection.close()]);
  };
  try {
    await untilReached(() => migratePostgres(connection, options.steps), options);
  } catch (error) {
    await close();
    throw error;
  }
  logger.info('store.opened', { place: settings.place });
  listener.start();
  return {
    term: (epoch, seenSeq = 0, onCommit = () => {}) =>
      createTerm(connection, { ...options, epoch, holder: options.replica, seenSeq, onCommit }),
    reader: {
      history: (query) => readHistory(connection, query),
      deadLetters: (limit) => readDeadLetters(connection, limit),
    },
    changesSince: (since) => readChanges(connection, since),
    ...leaseOf(leaseConnection, options),
    tell: (news) => tell(connection, options.replica, news),
    hear: (heard) => hear(connection, options.replica, heard),
    leave: () => leave(connection, options.replica),
    ...commandsOf(connection, options),
    onWake: (wake) => listener.onWake(wake),
    close,
  };
}

async function untilReached(
  call: () => Promise<void>,
  { clock, logger }: PostgresOptions,
): Promise<void> {
  const giveUpAtMs = clock.now() + startPatienceMs;
  for (;;) {
    try {
      await call();
      return;
    } catch (error) {
      const { retry } = error as { readonly retry?: { readonly kind: string } };
      if (retry?.kind !== 'backoff' || clock.now() >= giveUpAtMs) {
        throw error;
      }
      logger.warn('store.notReachedYet', { error: errorText(error) });
      await new Promise<void>((resolve) => {
        clock.after(startRetryMs, resolve);
      });
    }
  }
}

function readChanges(
  connection: PostgresConnection,
  since: Position | undefined,
): Promise<StateChanges> {
  return connection.transaction(
    async (sql) => {
      const head = await readHead(sql);
      const isWhole = since === undefined || since.seq < head.forgottenSeq;
      const { rows } = await sql.run(
        `SELECT kind, key, json, hash FROM headgate_state WHERE seq > $1 ${
          isWhole ? 'AND json IS NOT NULL' : ''
        }`,
        [isWhole ? -1 : since.seq],
      );
      const values = rows.map((row) =>
        row.json === null
          ? { kind: text(row, 'kind'), key: text(row, 'key'), json: null }
          : checkedRow(row, connection.settings.place),
      );
      return { position: { epoch: head.epoch, seq: head.seq }, isWhole, values };
    },
    { isSnapshot: true },
  );
}

async function readHead(sql: Sql) {
  const { rows } = await sql.run(
    'SELECT epoch, seq, forgotten_seq FROM headgate_head WHERE id = 1',
  );
  return {
    epoch: Number(rows[0]?.epoch),
    seq: Number(rows[0]?.seq),
    forgottenSeq: Number(rows[0]?.forgotten_seq),
  };
}

function leaseOf(
  connection: PostgresConnection,
  { replica, leaseMs, steps = postgresSteps }: PostgresOptions,
): Pick<SharedDatabase, 'lease' | 'takeLease' | 'renewLease' | 'releaseLease'> {
  return {
    async lease() {
      const { rows } = await connection.query(
        'SELECT epoch, holder, ends_at < clock_timestamp() AS is_free, ' +
          '(SELECT MAX(usable_from) FROM headgate_schema) > $1 AS is_left_behind ' +
          "FROM headgate_lease WHERE name = 'leader'",
        [steps.length],
      );
      const [row] = rows;
      return {
        epoch: Number(row?.epoch),
        holder: String(row?.holder),
        isFree: row?.is_free === true,
        isLeftBehind: row?.is_left_behind === true,
      };
    },
    async takeLease(above) {
      const { rows } = await connection.query(
        'UPDATE headgate_lease SET epoch = GREATEST(epoch, $2::bigint) + 1, holder = $1, ' +
          "ends_at = clock_timestamp() + $3 * interval '1 millisecond' " +
          "WHERE name = 'leader' AND ends_at < clock_timestamp() AND " +
          '(SELECT MAX(usable_from) FROM headgate_schema) <= $4 RETURNING epoch',
        [replica, above, leaseMs, steps.length],
      );
      return rows[0] === undefined ? undefined : Number(rows[0].epoch);
    },
    async renewLease(epoch, seenSeq) {
      const { count } = await connection.query(
        "UPDATE headgate_lease SET ends_at = clock_timestamp() + $3 * interval '1 millisecond' " +
          "WHERE name = 'leader' AND holder = $1 AND epoch = $2 AND " +
          '(SELECT seq FROM headgate_head WHERE id = 1) >= $4',
        [replica, epoch, leaseMs, seenSeq],
      );
      return count === 1;
    },
    async releaseLease(epoch) {
      await connection.query(
        "WITH gone AS (UPDATE headgate_lease SET ends_at = '-infinity' " +
          "WHERE name = 'leader' AND holder = $1 AND epoch = $2 RETURNING 1) " +
          "SELECT pg_notify('headgate', 'lease') FROM gone",
        [replica, epoch],
      );
    },
  };
}

function commandsOf(
  connection: PostgresConnection,
  { replica }: PostgresOptions,
): Pick<SharedDatabase, 'ask' | 'asked' | 'answerTo' | 'withdraw' | 'askPoll'> {
  return {
    async ask(json, patienceMs) {
      const { rows } = await connection.query(
        'WITH new AS (INSERT INTO headgate_commands (replica, asked_at, ends_at, json) ' +
          "VALUES ($1, clock_timestamp(), clock_timestamp() + $3 * interval '1 millisecond', $2) " +
          "RETURNING id) SELECT id, pg_notify('headgate', 'commands') FROM new",
        [replica, json, patienceMs],
      );
      return Number(rows[0]?.id);
    },
    async asked() {
      const { rows } = await connection.query(
        'SELECT id, json FROM headgate_commands ' +
          'WHERE answer IS NULL AND ends_at > clock_timestamp() ORDER BY id LIMIT 100',
      );
      return rows.map((row) => ({ id: Number(row.id), json: text(row, 'json') }));
    },
    async answerTo(id) {
      const { rows } = await connection.query(
        'SELECT answer FROM headgate_commands WHERE id = $1',
        [id],
      );
      const answer = rows[0]?.answer;
      return typeof answer === 'string' ? answer : undefined;
    },
    async withdraw(id, json) {
      const { count } = await connection.query(
        'UPDATE headgate_commands SET answer = $2 WHERE id = $1 AND answer IS NULL',
        [id, json],
      );
      return count === 1;
    },
    async askPoll() {
      await connection.query("SELECT pg_notify('headgate', 'poll')");
    },
  };
}
