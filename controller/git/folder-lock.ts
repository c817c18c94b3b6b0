/**
 * One owner for a folder: a lock file that its owner renews while it lives. It counts as held only
 * while it is fresh and, on this machine, its process exists; so the lock of a killed process never
 * stands in the way, neither at once here nor after half a minute on another machine with this volume.
 * Its age is told by the disk's own clock, since those of two processes may have been set differently.
 */
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { OpError } from '../base/op-error.js';
import type { Clock } from '../loop/ports.js';

/** An owner on another machine that is silent for three renewals is gone. */
const freshMs = 30_000;
const renewMs = 10_000;

/** Locks of this process: its own process id proves nothing about them. */
const heldHere = new Set<string>();

interface Owner {
  readonly pid: number;
  readonly host: string;
}

export interface FolderLock {
  /** @throws OpError `cache-locked` where another process has taken the lock over. */
  verify(): Promise<void>;
  release(): Promise<void>;
}

/** Takes `file`, in a folder that exists. @throws OpError `cache-locked` where another holds it. */
export async function lockFolder(file: string, clock: Clock): Promise<FolderLock> {
  if (heldHere.has(file)) {
    throw locked(file, ourselves());
  }
  heldHere.add(file);
  try {
    await takeOver(file);
  } catch (error) {
    heldHere.delete(file);
    throw error;
  }
  let cancelRenewal = (): void => {};
  let renewal: Promise<void> = Promise.resolve();
  const renewLater = (): void => {
    cancelRenewal = clock.after(renewMs, () => {
      // A lost lock or a full disk shows in the next `verify`, which is asked before each poll.
      renewal = renew(file).catch(() => {});
      renewLater();
    });
  };
  renewLater();
  return {
    verify: () => verify(file),
    async release() {
      cancelRenewal();
      await renewal;
      heldHere.delete(file);
      await verify(file).then(
        () => rm(file, { force: true }),
        () => {},
      );
    },
  };
}

/** Puts the lock in place, unless its present owner lives. */
async function takeOver(file: string): Promise<void> {
  const written = await writeOwner(file);
  try {
    const owner = await readOwner(file);
    if (owner !== undefined && owner !== nobody && (await isHeld(file, owner, written))) {
      throw locked(file, owner);
    }
    if (owner !== undefined) {
      // Of two processes that do this at once one loses its new lock, and `verify` tells it.
      await rm(file, { force: true });
    }
    // Unlike a rename, a link never replaces what somebody else has just put there.
    await link(written, file);
  } catch (error) {
    throw hasCode(error, 'EEXIST') ? locked(file, await readOwner(file)) : error;
  } finally {
    await rm(written, { force: true });
  }
}

async function renew(file: string): Promise<void> {
  await verify(file);
  await rename(await writeOwner(file), file);
}

async function verify(file: string): Promise<void> {
  const owner = await readOwner(file);
  if (owner?.pid !== process.pid || owner.host !== hostname()) {
    throw locked(file, owner);
  }
}

/** `written` is a file of this moment, to compare the lock's age with. */
async function isHeld(file: string, owner: Owner, written: string): Promise<boolean> {
  const [lock, now] = await Promise.all([stat(file), stat(written)]);
  // Both ways: a clock that was set back must not make a dead lock look fresh for hours.
  if (Math.abs(now.mtimeMs - lock.mtimeMs) > freshMs) {
    return false;
  }
  return owner.host !== hostname() || (owner.pid !== process.pid && isAlive(owner.pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/**
 * Undefined where there is no lock. A file that is no owner's is one that nobody holds. Throws what keeps the
 * file from being read: then nobody knows.
 */
async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    const owner: unknown = JSON.parse(await readFile(file, 'utf8'));
    return isOwner(owner) ? owner : nobody;
  } catch (error) {
    if (error instanceof SyntaxError) {
      return nobody;
    }
    if (hasCode(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}

const nobody: Owner = { pid: 0, host: '' };

function ourselves(): Owner {
  return { pid: process.pid, host: hostname() };
}

/** Our own name, in a file beside the lock; a reader of the lock then always sees one whole owner. */
async function writeOwner(file: string): Promise<string> {
  const written = `${file}.${process.pid}`;
  await writeFile(written, JSON.stringify(ourselves()));
  return written;
}

function isOwner(value: unknown): value is Owner {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'host' in value &&
    typeof value.host === 'string'
  );
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function locked(file: string, owner: Owner | undefined): OpError {
  const who = owner === undefined ? 'nobody' : `process ${owner.pid} on ${owner.host}`;
  return new OpError(
    'cache-locked',
    `${file} belongs to ${who}; stop that process or name another cache folder`,
  );
}
