/**
 * Connections to PostgreSQL, each question with a limit of its own. Nothing here needs a session that
 * lasts: whatever is asked is one transaction, so that a pooler between (PgBouncer in transaction mode)
 * does no harm. A connection that did not answer in time is thrown away, since nobody knows what it does.
 */
import pg from 'pg';
import type { Logger } from '../loop/ports.js';
import { toPostgresError } from './postgres-errors.js';
import type { PostgresSettings } from './postgres-settings.js';

export type SqlValue = string | number | boolean | null | readonly (string | number | null)[];
export type SqlRow = Readonly<Record<string, unknown>>;

export interface Sql {
  /** Rows of the statement; `length` is the number of rows that it returned or changed. */
  run(sql: string, values?: readonly SqlValue[]): Promise<SqlRows>;
}

export interface SqlRows {
  readonly rows: readonly SqlRow[];
  /** Rows that the statement returned or changed. */
  readonly count: number;
}

/** A database that is slower than this is as good as gone: what is served does not wait for it. */
const questionMs = 5_000;
/** Of the whole state at once. */
const wholeMs = 60_000;
const connectMs = 3_000;
/** The loop, the dispatcher, a reader of the history and one to spare. */
const connectionsMax = 4;

export class PostgresConnection {
  readonly settings: PostgresSettings;
  private readonly pool: pg.Pool;

  constructor(settings: PostgresSettings, logger: Logger, max = connectionsMax) {
    this.settings = settings;
    this.pool = new pg.Pool({ ...clientConfig(settings), max, idleTimeoutMillis: 60_000 });
    // The pool stops listening as it hands a connection over, and an error may come in the same packet.
    this.pool.on('connect', (client) => {
      client.on('error', () => {});
    });
    this.pool.on('error', (error) => {
      logger.warn('store.connectionLost', { place: settings.place, error: error.message });
    });
  }

  /** One transaction, at an end when this resolves. Throws `OpError`; `isDoubtful` tells of `COMMIT`. */
  transaction<T>(
    work: (sql: Sql) => Promise<T>,
    options: { readonly isSnapshot?: boolean } = {},
  ): Promise<T> {
    const limitMs = options.isSnapshot ? wholeMs : questionMs;
    const kind = options.isSnapshot ? 'ISOLATION LEVEL REPEATABLE READ READ ONLY' : '';
    return this.withClient(async (sql) => {
      await sql.run(
        `BEGIN ${kind}; SET LOCAL statement_timeout = ${limitMs}; ` +
          `SET LOCAL idle_in_transaction_session_timeout = ${questionMs}`,
      );
      const result = await work(sql);
      await commit(sql);
      return result;
    }, limitMs);
  }

  /** One statement. */
  query(sql: string, values?: readonly SqlValue[]): Promise<SqlRows> {
    return this.withClient((client) => client.run(sql, values), questionMs);
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async withClient<T>(work: (sql: Sql) => Promise<T>, limitMs: number): Promise<T> {
    let client: pg.PoolClient | undefined;
    let broken: Error | undefined;
    // Between two questions of a transaction nobody else listens to the connection.
    const onError = (error: Error) => {
      broken = error;
    };
    try {
      client = await this.pool.connect();
      client.on('error', onError);
      const result = await work(sqlOf(client, limitMs));
      return result;
    } catch (error) {
      broken = error instanceof Error ? error : new Error(String(error));
      throw toPostgresError(error, this.settings.place);
    } finally {
      if (broken === undefined) {
        client?.off('error', onError);
      }
      // One that is thrown away may go on complaining while it ends, and then nobody else listens.
      // A failed transaction is rolled back by the connection's end.
      client?.release(broken);
    }
  }
}

/** What `pg` is to know of the database. */
export function clientConfig(settings: PostgresSettings): pg.ClientConfig {
  return {
    host: settings.host,
    port: settings.port,
    database: settings.database,
    user: settings.user,
    // The library takes a function, and then nothing of the password is kept in its settings.
    password: () => settings.password() ?? '',
    ssl: settings.tls,
    application_name: 'headgate',
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  };
}

function sqlOf(client: pg.PoolClient, limitMs: number): Sql {
  return {
    async run(sql, values) {
      const result = await client.query({
        text: sql,
        values: values === undefined ? undefined : [...values],
        query_timeout: limitMs,
      } as pg.QueryConfig);
      // Several statements at once answer with a list.
      return Array.isArray(result)
        ? { rows: [], count: 0 }
        : { rows: result.rows, count: result.rowCount ?? 0 };
    },
  };
}

/** A connection that breaks here leaves open whether the transaction is durable. */
async function commit(sql: Sql): Promise<void> {
  try {
    await sql.run('COMMIT');
  } catch (error) {
    if (error instanceof Error && !('severity' in error)) {
      Object.assign(error, { isDoubtful: true });
    }
    throw error;
  }
}
