/**
 * D20: versions of headgate that know the tables in different forms, beside each other on one database: both
 * start, lead by turns and read what the other wrote; one that is too old leads and starts no more.
 */
import pg from 'pg';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClock } from '../../controller/clock.js';
import type { SharedDatabase } from '../../controller/replicas/ports.js';
import { openPostgres } from '../../controller/store/postgres.js';
import { type PostgresStep, postgresSteps } from '../../controller/store/postgres-migrations.js';
import { postgresSettings } from '../../controller/store/postgres-settings.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { recordingLogger } from '../support/recording-logger.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';
import { opError, transaction } from './store-suite.js';

/** What a version of today, the next one and the one after that know of the tables. */
const today = postgresSteps;
const adding: PostgresStep = {
  usableFrom: 1,
  sql: "ALTER TABLE headgate_history ADD COLUMN note text NOT NULL DEFAULT ''",
};
const next = [...today, adding];
const leaving: PostgresStep = {
  usableFrom: next.length,
  sql: 'ALTER TABLE headgate_history ADD COLUMN about text',
};
const later = [...next, leaving];

interface Context {
  url: string;
  name: string;
  open(replica: string, steps: readonly PostgresStep[]): Promise<SharedDatabase>;
  logger: ReturnType<typeof recordingLogger>;
  opened: SharedDatabase[];
}

const test = suite<Context>('tables of several versions');
const undo: Undo = [];
const postgres: TestPostgres = await openStage(test, undo, async () => {
  const server = await startPostgres();
  undo.push(() => server.stop());
  return server;
});

test.before.each(async (context) => {
  context.url = await postgres.createDatabase();
  context.name = context.url.split('/').at(-1) ?? '';
  context.logger = recordingLogger();
  context.opened = [];
  context.open = async (replica, steps) => {
    const shared = await openPostgres(postgresSettings(context.url, undefined), {
      ...{ replica, steps, leaseMs: 600_000, clock: createClock(), logger: context.logger },
    });
    context.opened.push(shared);
    return shared;
  };
});

test.after.each(async ({ opened }) => {
  await Promise.all(opened.map((one) => one.close()));
});

test('D20 old and new versions that start at once on an empty database make each step once', async (context) => {
  const versions = [today, next, today, next, today, next];
  await Promise.all(versions.map((steps, index) => context.open(`r${index}`, steps)));
  assert.equal(await schema(context), [1, 2]);
});

test('D20 old and new versions lead by turns while the tables change under the leader', async (context) => {
  const old = await context.open('old', today);
  const first = await lead(old);
  let isChanged = false;
  const opening = context.open('new', next).finally(() => {
    isChanged = true;
  });
  let commits = 0;
  do {
    commits += 1;
    await first.commit(write(`${commits}`));
  } while (!isChanged);
  const young = await opening;
  await first.commit(write('after'));
  assert.equal(await schema(context), [1, 2]);
  await old.releaseLease(1);
  const second = await lead(young);
  assert.equal(await second.load(), [{ kind: 'a', key: 'x', json: '"after"' }]);
  await second.commit(write('by the new one'));
  assert.is((await old.changesSince(undefined)).values[0]?.json, '"by the new one"');
  await young.releaseLease(2);
  await (await lead(old)).commit(write('by the old one again'));
  assert.is((await young.changesSince(undefined)).values[0]?.json, '"by the old one again"');
  assert.is((await young.reader.history({ limit: 10_000 })).length, commits + 3);
});

test('D20 a version that is too old for the tables writes, leads and starts no more', async (context) => {
  const old = await context.open('old', today);
  const term = await lead(old);
  await term.commit(write('before'));
  // What leaves it behind may come in a later upgrade than what only adds.
  await context.open('adding', next);
  const young = await context.open('new', later);
  assert.is((await opError(term.commit(write('late')))).code, 'store-fenced');
  assert.is(await old.renewLease(1, 0), false);
  assert.is(await old.takeLease(0), undefined);
  assert.is((await old.lease()).isLeftBehind, true);
  assert.is((await young.lease()).isLeftBehind, false);
  // The new one need not wait for the end of a lease that nobody can hold any more.
  const now = await lead(young);
  assert.equal(await now.load(), [{ kind: 'a', key: 'x', json: '"before"' }]);
  await young.releaseLease(3);
  assert.is(await old.takeLease(0), undefined);
  const error = await opError(context.open('older', today));
  assert.is(error.code, 'store-too-new');
  assert.match(error.message, 'schema 3');
});

test('D20 a change that fails leaves the tables as they were, and the old version in office', async (context) => {
  const old = await context.open('old', today);
  const term = await lead(old);
  const broken = { usableFrom: 3, sql: 'ALTER TABLE headgate_nothing ADD COLUMN x text' };
  await opError(context.open('new', [...next, broken]));
  assert.equal(await schema(context), [1]);
  await term.commit(write('on'));
  await context.open('mended', later);
  assert.equal(await schema(context), [1, 2, 3]);
});

test('D20 a change that has to wait for a reader holds nobody up, and is made when the reader is done', async (context) => {
  const old = await context.open('old', today);
  const term = await lead(old);
  const reader = new pg.Client({ connectionString: context.url });
  await reader.connect();
  try {
    await reader.query('BEGIN; SELECT * FROM headgate_history');
    const opening = context.open('new', next);
    await until('it could not be made', () =>
      context.logger.lines.some(({ event }) => event === 'store.notReachedYet'),
    );
    // Behind a change that waited for ever this one would wait too.
    await term.commit(write('meanwhile'));
    assert.equal(await schema(context), [1]);
    await reader.query('COMMIT');
    await opening;
    assert.equal(await schema(context), [1, 2]);
  } finally {
    await reader.end();
  }
});

test.run();

async function lead(shared: SharedDatabase) {
  const epoch = await shared.takeLease(0);
  assert.ok(epoch, 'it leads');
  return shared.term(epoch);
}

function write(text: string) {
  return transaction({
    writes: [{ kind: 'a', key: 'x', json: JSON.stringify(text) }],
    history: [{ atMs: 1, kind: 'note', json: '{}' }],
  });
}

async function schema({ name }: Context): Promise<readonly number[]> {
  const rows = await postgres.sql('SELECT version FROM headgate_schema ORDER BY version', name);
  return rows.map(({ version }) => Number(version));
}
