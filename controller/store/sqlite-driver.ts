/**
 * The few SQLite calls that the store needs, the same over two libraries: `node:sqlite` where this Node
 * has it (22.13 and later), else better-sqlite3, which is a native add-on and therefore only an optional
 * dependency. Both are synchronous; errors of both become `SqliteError` with SQLite's own code name
 * (sqlite.org, "Result and Error Codes").
 */
import { OpError } from '../base/op-error.js';

export type SqliteValue = string | number | null;
export type SqliteRow = Readonly<Record<string, SqliteValue>>;

export interface SqliteDriver {
  /** `node:sqlite` or `better-sqlite3`, for the log. */
  readonly library: string;
  /** Runs statements that take no values and whose rows nobody wants. */
  exec(sql: string): void;
  /** Runs one statement; the number of rows that it changed. */
  run(sql: string, ...values: readonly SqliteValue[]): number;
  all(sql: string, ...values: readonly SqliteValue[]): readonly SqliteRow[];
  close(): void;
}

export class SqliteError extends Error {
  override readonly name = 'SqliteError';
  /** The primary code, as `SQLITE_FULL`, or `SQLITE_IOERR_LOCK`; `SQLITE_ERROR` for all others. */
  readonly code: string;

  constructor(code: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.code = code;
  }
}

/** What the two libraries have in common, as far as it is used here. */
interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  close(): unknown;
}

interface Statement {
  run(...values: readonly SqliteValue[]): { readonly changes: number | bigint };
  all(...values: readonly SqliteValue[]): unknown[];
}

/**
 * Opens or creates the file at `path`, whose folder must exist.
 * Throws `SqliteError`, and `OpError` `store-library-missing` where this Node can load no SQLite.
 */
export async function openSqliteDriver(path: string): Promise<SqliteDriver> {
  const builtin = loadBuiltin();
  if (builtin !== undefined) {
    const open = () => new builtin.DatabaseSync(path);
    return createDriver('node:sqlite', translateErrors(open) as unknown as Database);
  }
  const addOn = await loadAddOn();
  return createDriver(
    'better-sqlite3',
    translateErrors(() => new addOn(path)) as unknown as Database,
  );
}

function createDriver(library: string, database: Database): SqliteDriver {
  // Every SQL text is a constant of ours, so the cache is bounded.
  const statements = new Map<string, Statement>();
  const prepare = (sql: string): Statement => {
    const statement = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  return {
    library,
    exec: (sql) => void translateErrors(() => database.exec(sql)),
    run: (sql, ...values) => translateErrors(() => Number(prepare(sql).run(...values).changes)),
    all: (sql, ...values) => translateErrors(() => prepare(sql).all(...values) as SqliteRow[]),
    close: () => void translateErrors(() => database.close()),
  };
}

/**
 * Undefined where this Node has no `node:sqlite`. The first use announces the module as experimental
 * on stderr, where our JSON log goes: that one warning is withheld.
 */
function loadBuiltin(): typeof import('node:sqlite') | undefined {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:sqlite') as typeof import('node:sqlite') | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

async function loadAddOn(): Promise<typeof import('better-sqlite3')> {
  try {
    return (await import('better-sqlite3')).default;
  } catch (cause) {
    throw new OpError(
      'store-library-missing',
      `Node ${process.versions.node} has no node:sqlite and better-sqlite3 cannot be loaded; ` +
        'run Node 22.13 or later, or npm install better-sqlite3',
      { retry: { kind: 'stalled' }, cause },
    );
  }
}

function translateErrors<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw new SqliteError(codeName(error), error);
  }
}

/** Result codes that lead to an answer of their own; `node:sqlite` tells the number only. */
const codeNames: Readonly<Record<number, string>> = {
  5: 'SQLITE_BUSY',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  26: 'SQLITE_NOTADB',
  3850: 'SQLITE_IOERR_LOCK',
};

function codeName(error: unknown): string {
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  if (typeof errcode === 'number') {
    // The low byte of an extended code is its primary code.
    return codeNames[errcode] ?? codeNames[errcode & 0xff] ?? 'SQLITE_ERROR';
  }
  // better-sqlite3 tells the extended name, as SQLITE_IOERR_WRITE.
  const names = Object.values(codeNames).filter((name) => String(code).startsWith(name));
  return names.at(-1) ?? 'SQLITE_ERROR';
}
