/**
 * A state that no controller has open, as an archive and back, whether it is a file or a database; and what
 * a person says of a database that has lost commits.
 */
import { OpError } from '../base/op-error.js';
import type { Clock, Logger } from '../loop/ports.js';
import { type Archive, fillStore } from './archive.js';
import { deadLettersMax, historyEntriesMax } from './limits.js';
import { isPostgresUrl, openStore } from './open-store.js';
import { openPostgres } from './postgres.js';
import { acceptLoss, readArchive } from './postgres-archive.js';
import { PostgresConnection } from './postgres-connection.js';
import { postgresSettings } from './postgres-settings.js';

export interface StatePlace {
  /** A path, or a PostgreSQL URL. */
  readonly url: string;
  readonly readPassword?: () => string;
}

export interface MoveDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Of a database while replicas use it: one moment of it. A file must not be in use. Throws `OpError`. */
export async function exportState(place: StatePlace, deps: MoveDeps): Promise<Archive> {
  if (isPostgresUrl(place.url)) {
    return withConnection(place, deps, readArchive);
  }
  const store = await openStore(place.url, deps);
  try {
    return {
      values: await store.load(),
      history: [...(await store.history({ limit: historyEntriesMax }))].reverse(),
      outbox: await store.undelivered(),
      deadLetters: [...(await store.deadLetters(deadLettersMax))].reverse(),
    };
  } finally {
    await store.close();
  }
}

/** Into a state that is empty and that nobody has open. Throws `OpError`. */
export async function importState(
  place: StatePlace,
  archive: Archive,
  deps: MoveDeps,
): Promise<void> {
  if (!isPostgresUrl(place.url)) {
    const store = await openStore(place.url, deps);
    try {
      await fillStore(store, archive);
    } finally {
      await store.close();
    }
    return;
  }
  const database = await openPostgres(postgresSettings(place.url, place.readPassword), {
    ...deps,
    replica: `import~${process.pid}`,
    leaseMs: importMs,
  });
  try {
    const epoch = await database.takeLease(0);
    if (epoch === undefined) {
      throw new OpError('store-locked', 'a replica leads on this database; stop all replicas', {
        retry: { kind: 'stalled' },
      });
    }
    try {
      await fillStore(database.term(epoch), archive);
    } finally {
      await database.releaseLease(epoch);
    }
  } finally {
    await database.close();
  }
}

/** For as long no replica leads: more than the largest state takes. */
const importMs = 120_000;

/**
 * What the database has counts from now on, although replicas have seen more: they go on from it. Throws
 * `OpError`.
 */
export async function acceptState(place: StatePlace, deps: MoveDeps): Promise<void> {
  if (!isPostgresUrl(place.url)) {
    throw new OpError('store-unsupported', 'only a PostgreSQL state can lose commits', {
      retry: { kind: 'stalled' },
    });
  }
  await withConnection(place, deps, acceptLoss);
}

async function withConnection<T>(
  place: StatePlace,
  { logger }: MoveDeps,
  work: (connection: PostgresConnection) => Promise<T>,
): Promise<T> {
  const connection = new PostgresConnection(
    postgresSettings(place.url, place.readPassword),
    logger,
    1,
  );
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}
