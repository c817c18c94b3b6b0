/**
 * Opens the store of one controller alone: a SQLite file, by its path or as a `file:` URL.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OpError } from '../base/op-error.js';
import type { Clock, Logger } from '../loop/ports.js';
import { createSqliteStore, type SqliteStore } from './sqlite.js';
import { openStateFile } from './sqlite-file.js';

export interface StoreDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The open store, which no other process can open until it is closed or this process ends.
 * Throws `OpError`, whose code starts with `store-`.
 */
export async function openStore(
  url: string,
  dependencies: StoreDependencies,
): Promise<SqliteStore> {
  const path = statePath(url);
  const driver = await openStateFile(path, { nowMs: dependencies.clock.now() });
  try {
    const store = createSqliteStore(driver, { path, ...dependencies });
    dependencies.logger.info('store.opened', { path, library: driver.library });
    return store;
  } catch (error) {
    driver.close();
    throw error;
  }
}

/** Whether `url` names a PostgreSQL database. */
export function isPostgresUrl(url: string): boolean {
  return /^postgres(ql)?:/i.test(url);
}

function statePath(url: string): string {
  if (url.startsWith('file:')) {
    return fileURLToPath(url);
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1];
  if (scheme !== undefined || url === '') {
    // The URL itself may carry a password.
    throw new OpError(
      'store-unsupported',
      `state must be the path of a file, not ${scheme === undefined ? 'empty' : `${scheme}://…`}`,
      { retry: { kind: 'stalled' } },
    );
  }
  return resolve(url);
}
