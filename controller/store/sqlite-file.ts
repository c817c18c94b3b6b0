/**
 * Brings a state file to the point where the store may write to it: made if absent, locked for this
 * process alone, checked, at the newest schema. The lock is SQLite's own on the file, held from the
 * first access until the process ends in whatever way (sqlite.org, "PRAGMA locking_mode"); in this mode
 * the write-ahead log needs no shared memory either. Nothing else in this process may open the file:
 * POSIX drops a process's locks on a file when it closes any descriptor of it.
 */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileBytesMax, lockWaitMs } from './limits.js';
import { migrate } from './migrations.js';
import { openSqliteDriver, type SqliteDriver } from './sqlite-driver.js';
import { storeError, toOpError } from './store-errors.js';

/** `HGAT`: tells our files from other programs' databases. */
const applicationId = 0x48474154;

export interface StateFileOptions {
  /** Milliseconds since 1970, for the record of the schema's steps. */
  readonly nowMs: number;
  /** Default `lockWaitMs`. */
  readonly lockWaitMs?: number;
  /** Default `fileBytesMax`. */
  readonly bytesMax?: number;
}

/** The open file at the absolute `path`. Throws `OpError`; the file is then closed and as it was. */
export async function openStateFile(
  path: string,
  options: StateFileOptions,
): Promise<SqliteDriver> {
  try {
    if (!existsSync(path)) {
      refuseMissingFolder(path);
      await createStateFile(path, options);
    }
    refuseEmpty(path);
    return await openLocked(
      path,
      (driver) => {
        refuseForeign(driver, path);
        useWriteAheadLog(driver, path);
        limitSize(driver, options.bytesMax ?? fileBytesMax);
        refuseDamaged(driver, path);
        migrate(driver, path, options.nowMs);
      },
      options,
    );
  } catch (error) {
    throw toOpError(error, path);
  }
}

/**
 * Makes the file under another name and moves it into place complete, so that a file of zero bytes is
 * always damage and never the trace of a start that was killed. The draft's lock is held over the move:
 * whoever holds it and finds `path` absent is alone.
 */
async function createStateFile(path: string, options: StateFileOptions): Promise<void> {
  const draft = `${path}.new`;
  const driver = await openLocked(
    draft,
    (opened) => {
      if (existsSync(path)) {
        // Another process was quicker, and what is open here may be its file.
        return;
      }
      opened.exec(`PRAGMA application_id=${applicationId}`);
      migrate(opened, draft, options.nowMs);
      // A log whose database was removed would be replayed into the new one.
      rmSync(`${path}-wal`, { force: true });
      renameSync(draft, path);
      syncFolder(dirname(path));
    },
    options,
  );
  driver.close();
  rmSync(draft, { force: true });
}

/** Opens and locks the file and calls `prepare`; whatever throws, the file is closed again. */
async function openLocked(
  path: string,
  prepare: (driver: SqliteDriver) => void,
  options: StateFileOptions,
): Promise<SqliteDriver> {
  const driver = await openSqliteDriver(path);
  try {
    driver.exec(`PRAGMA busy_timeout=${options.lockWaitMs ?? lockWaitMs}`);
    driver.exec('PRAGMA locking_mode=EXCLUSIVE');
    // A commit has been synced to the disk when it returns. The default of a write-ahead log, NORMAL,
    // lets a power cut take back commits whose effects were already served.
    driver.exec('PRAGMA synchronous=FULL');
    // In this mode a transaction's lock outlives it.
    driver.exec('BEGIN EXCLUSIVE');
    driver.exec('COMMIT');
    prepare(driver);
    return driver;
  } catch (error) {
    driver.close();
    throw toOpError(error, path);
  }
}

function refuseMissingFolder(path: string): void {
  if (!existsSync(dirname(path))) {
    throw storeError('store-cannot-open', path, 'cannot be made: its folder does not exist');
  }
}

function refuseEmpty(path: string): void {
  const status = statSync(path);
  if (!status.isFile()) {
    throw storeError('store-cannot-open', path, 'is no regular file; name a file');
  }
  if (status.size === 0) {
    throw storeError(
      'store-corrupt',
      path,
      'is empty, so it was cut off: restore a backup, or remove the file to start anew from Git',
    );
  }
}

function refuseForeign(driver: SqliteDriver, path: string): void {
  const [row] = driver.all('PRAGMA application_id');
  if (row?.application_id !== applicationId) {
    throw storeError('store-foreign', path, "is another program's database; name another file");
  }
}

function useWriteAheadLog(driver: SqliteDriver, path: string): void {
  const [row] = driver.all('PRAGMA journal_mode=WAL');
  if (row?.journal_mode !== 'wal') {
    throw storeError(
      'store-cannot-open',
      path,
      `cannot use a write-ahead log (SQLite chose ${row?.journal_mode}); ` +
        'move it to a local file system',
    );
  }
}

function limitSize(driver: SqliteDriver, bytesMax: number): void {
  const [row] = driver.all('PRAGMA page_size');
  driver.exec(`PRAGMA max_page_count=${Math.floor(bytesMax / Number(row?.page_size))}`);
}

function refuseDamaged(driver: SqliteDriver, path: string): void {
  const [row] = driver.all('PRAGMA quick_check(1)');
  if (row?.quick_check !== 'ok') {
    throw storeError(
      'store-corrupt',
      path,
      'is damaged; restore a backup, or move the file away to start anew from Git ' +
        `(${row?.quick_check})`,
    );
  }
}

/** A rename is durable only when its folder is synced. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
