/**
 * The tables of the SQLite state file, as numbered steps that each run once. A step that was released
 * is never edited: a change of the tables is a new step. A file that a newer version wrote is refused,
 * since this one cannot know what it would destroy.
 */
import { valueHash } from './checked-value.js';
import { text } from './rows.js';
import type { SqliteDriver } from './sqlite-driver.js';
import { storeError } from './store-errors.js';

interface Step {
  readonly sql: string;
  /** What of the rows SQL alone cannot make. Undefined: nothing. */
  readonly fill?: (driver: SqliteDriver) => void;
}

/** Step n, from 1, is at index n - 1. Every row of the state carries the epoch of its writer. */
const steps: readonly Step[] = [
  {
    sql: `
  CREATE TABLE writer (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL
  ) STRICT;
  INSERT INTO writer (id, epoch) VALUES (1, 0);

  CREATE TABLE state (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    json TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    json TEXT NOT NULL,
    epoch INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    sink TEXT NOT NULL,
    topic TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    json TEXT NOT NULL,
    expendable INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at_ms INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    UNIQUE (id, sink)
  ) STRICT;
  CREATE INDEX outbox_by_topic ON outbox (sink, topic, seq);

  CREATE TABLE dead_letters (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    sink TEXT NOT NULL,
    topic TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    json TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT NOT NULL,
    died_at_ms INTEGER NOT NULL,
    epoch INTEGER NOT NULL
  ) STRICT;
  `,
  },
  { sql: "ALTER TABLE state ADD COLUMN hash TEXT NOT NULL DEFAULT ''", fill: hashValues },
];

/** The number of the newest step. */
export const schemaVersion = steps.length;

/**
 * Brings the file to `schemaVersion`, each step in a transaction of its own: a crash between two leaves
 * a file that the next start goes on with. Throws `SqliteError`, and `OpError` `store-too-new`.
 */
export function migrate(driver: SqliteDriver, path: string, nowMs: number): void {
  driver.exec(
    'CREATE TABLE IF NOT EXISTS schema_steps ' +
      '(version INTEGER PRIMARY KEY, applied_at_ms INTEGER NOT NULL) STRICT',
  );
  const [row] = driver.all('SELECT COALESCE(MAX(version), 0) AS version FROM schema_steps');
  const version = Number(row?.version);
  if (version > schemaVersion) {
    throw storeError(
      'store-too-new',
      path,
      `was written by a newer headgate (schema ${version}, this one knows ${schemaVersion}); ` +
        'run that version, or restore a backup from before the upgrade',
    );
  }
  for (const [index, { sql, fill }] of steps.entries()) {
    if (index + 1 > version) {
      driver.exec('BEGIN IMMEDIATE');
      driver.exec(sql);
      fill?.(driver);
      driver.run('INSERT INTO schema_steps VALUES (?, ?)', index + 1, nowMs);
      driver.exec('COMMIT');
    }
  }
}

/** What was stored before values had hashes counts as it is. */
function hashValues(driver: SqliteDriver): void {
  for (const row of driver.all('SELECT kind, key, json FROM state')) {
    const [kind, key] = [text(row, 'kind'), text(row, 'key')];
    const hash = valueHash(text(row, 'json'));
    driver.run('UPDATE state SET hash = ? WHERE kind = ? AND key = ?', hash, kind, key);
  }
}
