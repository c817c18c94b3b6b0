/**
 * Turns what SQLite refuses into operating errors that say which file, what is wrong with it and what a
 * person can do. Nothing of a failed transaction is kept, so whoever gets one may repeat it.
 */
import { OpError, type Retry } from '../base/op-error.js';
import { SqliteError } from './sqlite-driver.js';

interface Advice {
  readonly code: string;
  readonly text: string;
  readonly retry: Retry['kind'] & ('backoff' | 'stalled');
}

/** By SQLite's result code. */
const adviceOf: Readonly<Record<string, Advice>> = {
  SQLITE_BUSY: {
    code: 'store-locked',
    text: 'is in use by another process; one state file serves one controller',
    retry: 'stalled',
  },
  SQLITE_READONLY: {
    code: 'store-read-only',
    text: 'cannot be written; give this user write access to the file and its folder',
    retry: 'stalled',
  },
  SQLITE_IOERR: {
    code: 'store-io',
    text: 'cannot be read or written; check the disk and its file system',
    retry: 'backoff',
  },
  SQLITE_IOERR_LOCK: {
    code: 'store-cannot-lock',
    text: 'cannot be locked; give this user write access, or move it to a local file system',
    retry: 'stalled',
  },
  SQLITE_CORRUPT: {
    code: 'store-corrupt',
    text: 'is damaged; restore a backup, or move the file away to start anew from Git',
    retry: 'stalled',
  },
  SQLITE_FULL: {
    code: 'store-full',
    text: 'cannot grow; free disk space, and the controller goes on by itself',
    retry: 'backoff',
  },
  SQLITE_CANTOPEN: {
    code: 'store-cannot-open',
    text: 'cannot be opened; its folder must exist and be writable',
    retry: 'stalled',
  },
  SQLITE_NOTADB: {
    code: 'store-corrupt',
    text: 'is no SQLite database; restore a backup, or move the file away to start anew from Git',
    retry: 'stalled',
  },
};

/**
 * An error of SQLite or of the file system as an `OpError` about the state file at `path`; anything
 * else (an `OpError`, a failed assertion) as it is.
 */
export function toOpError(error: unknown, path: string): unknown {
  if (!(error instanceof SqliteError)) {
    return isSystemError(error)
      ? storeError('store-io', path, `failed: ${error.message}`, 'backoff', error)
      : error;
  }
  const advice = adviceOf[error.code];
  if (advice === undefined) {
    return storeError('store-failed', path, `failed: ${error.message}`, 'backoff', error);
  }
  const text = `${advice.text} (${error.message})`;
  return storeError(advice.code, path, text, advice.retry, error);
}

/** An operating error about the state file at `path`; `text` goes on after the path. */
export function storeError(
  code: string,
  path: string,
  text: string,
  retry: 'backoff' | 'stalled' = 'stalled',
  cause?: unknown,
): OpError {
  return new OpError(code, `state file ${path} ${text}`, { retry: { kind: retry }, cause });
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
