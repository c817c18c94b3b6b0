/** The SQLite adapter: the suite of every store, then what is wrong with files, disks and neighbours. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Store } from '../../controller/loop/ports.js';
import { openStore } from '../../controller/store/open-store.js';
import { createSqliteStore } from '../../controller/store/sqlite.js';
import { openSqliteDriver, type SqliteDriver } from '../../controller/store/sqlite-driver.js';
import { openStateFile } from '../../controller/store/sqlite-file.js';
import { manualClock } from '../support/clock.js';
import { recordingLogger } from '../support/recording-logger.js';
import { opError, type StoreDatabase, storeSuite, transaction } from './store-suite.js';

storeSuite('the SQLite store', (): StoreDatabase => {
  const folder = temporaryFolder();
  const path = join(folder, 'headgate.db');
  let driver: SqliteDriver | undefined;
  return {
    async open(dependencies) {
      driver = await openStateFile(path, { nowMs: 0 });
      return createSqliteStore(driver, { path, ...dependencies });
    },
    takeOver: () => driver?.exec('UPDATE writer SET epoch = epoch + 1'),
    remove: () => rmSync(folder, { recursive: true }),
  };
});

interface Context {
  folder: string;
  path: string;
}

const test = suite<Context>('SQLite state files');

test.before.each((context) => {
  context.folder = temporaryFolder();
  context.path = join(context.folder, 'headgate.db');
});

test.after.each(({ folder }) => rmSync(folder, { recursive: true }));

test('a store opens by path or file URL and leaves one file behind', async ({ folder, path }) => {
  const byPath = await open(path);
  await byPath.commit(transaction({ writes: [{ kind: 'a', key: 'x', json: '1' }] }));
  await byPath.close();
  const byUrl = await open(pathToFileURL(path).href);
  assert.is((await byUrl.load()).length, 1);
  await byUrl.close();
  for (const trace of ['headgate.db.new', 'headgate.db-wal', 'headgate.db-shm']) {
    assert.not(existsSync(join(folder, trace)), `${trace} was left behind`);
  }
});

test('a URL of another kind is refused without repeating its password', async () => {
  const error = await opError(open('postgres://headgate:s3cret@db/headgate'));
  assert.is(error.code, 'store-unsupported');
  assert.match(error.message, 'postgres://…');
  assert.not.match(error.message, 's3cret');
});

test('a second store on an open file is refused and the first goes on', async ({ path }) => {
  const store = await open(path);
  const error = await opError(openStateFile(path, { nowMs: 0, lockWaitMs: 0 }));
  assert.is(error.code, 'store-locked');
  assert.match(error.message, path);
  await store.commit(transaction({ writes: [{ kind: 'a', key: 'x', json: '1' }] }));
  await store.close();
  await (await open(path)).close();
});

test('each start takes the next epoch and its rows carry it', async ({ path }) => {
  for (const key of ['first', 'second']) {
    const store = await open(path);
    await store.commit(transaction({ writes: [{ kind: 'a', key, json: '1' }] }));
    await store.close();
  }
  const driver = await openSqliteDriver(path);
  const rows = driver.all('SELECT key, epoch FROM state ORDER BY key');
  driver.close();
  assert.equal(
    rows.map((row) => ({ ...row })),
    [
      { key: 'first', epoch: 1 },
      { key: 'second', epoch: 2 },
    ],
  );
});

test('an empty file is damage, not a new store', async ({ path }) => {
  await seed(path);
  truncateSync(path, 0);
  const error = await opError(open(path));
  assert.is(error.code, 'store-corrupt');
  assert.match(error.message, 'is empty');
});

test('a file that is no database is refused and stays as it is', async ({ path }) => {
  writeFileSync(path, 'state: none\n'.repeat(500));
  const error = await opError(open(path));
  assert.is(error.code, 'store-corrupt');
  assert.match(readFileSync(path, 'utf8'), /^state: none/);
});

test('a damaged page is found at the start', async ({ path }) => {
  const store = await open(path);
  const json = JSON.stringify('x'.repeat(200_000));
  await store.commit(transaction({ writes: [{ kind: 'a', key: 'x', json }] }));
  await store.close();
  const bytes = readFileSync(path);
  bytes.fill(0x5a, 4096, 20_000);
  writeFileSync(path, bytes);
  const error = await opError(open(path));
  assert.is(error.code, 'store-corrupt');
  assert.match(error.message, 'restore a backup');
});

test('C25 H2 a stored value that was changed by hand is refused, not served', async ({ path }) => {
  const store = await open(path);
  await store.commit(transaction({ writes: [{ kind: 'a', key: 'x', json: '1' }] }));
  await store.close();
  await byHand(path, "UPDATE state SET json = '2'");
  const again = await open(path);
  const error = await opError(again.load());
  await again.close();
  assert.is(error.code, 'store-corrupt');
  assert.match(error.message, 'a value (a x)');
  assert.match(error.message, 'restore a backup');
});

test('a file from before values had hashes is taken as it is, and guarded from then on', async ({
  path,
}) => {
  const written = [
    { kind: 'a', key: 'x', json: '1' },
    { kind: 'b', key: '', json: '"é"' },
  ];
  const store = await open(path);
  await store.commit(transaction({ writes: written }));
  await store.close();
  await byHand(path, 'ALTER TABLE state DROP COLUMN hash');
  await byHand(path, 'DELETE FROM schema_steps WHERE version = 2');
  const next = await open(path);
  assert.equal(await next.load(), written);
  await next.close();
  await byHand(path, "UPDATE state SET json = '2' WHERE kind = 'b'");
  const last = await open(path);
  assert.match((await opError(last.load())).message, 'a value (b )');
  await last.close();
});

test("another program's database is refused and stays as it is", async ({ path }) => {
  const driver = await openSqliteDriver(path);
  driver.exec('CREATE TABLE songs (title TEXT)');
  driver.close();
  const before = readFileSync(path);
  assert.is((await opError(open(path))).code, 'store-foreign');
  assert.equal(readFileSync(path), before);
});

test('a file of a newer version is refused and its tables stay as they are', async ({ path }) => {
  await seed(path);
  const driver = await openSqliteDriver(path);
  driver.exec('INSERT INTO schema_steps VALUES (99, 0)');
  driver.close();
  const error = await opError(open(path));
  assert.is(error.code, 'store-too-new');
  assert.match(error.message, 'schema 99');
  const after = await openSqliteDriver(path);
  const [row] = after.all('SELECT epoch FROM writer');
  after.close();
  assert.is(row?.epoch, 1);
});

test('a folder and a missing folder are refused with their path', async ({ folder, path }) => {
  mkdirSync(path);
  for (const wrong of [path, join(folder, 'absent', 'headgate.db')]) {
    const error = await opError(open(wrong));
    assert.is(error.code, 'store-cannot-open');
    assert.match(error.message, wrong);
  }
});

test('a log without its database is not replayed into a new one', async ({ path }) => {
  const store = await open(path);
  await store.commit(transaction({ writes: [{ kind: 'a', key: 'old', json: '1' }] }));
  const log = readFileSync(`${path}-wal`);
  await store.close();
  rmSync(path);
  writeFileSync(`${path}-wal`, log);
  const fresh = await open(path);
  assert.equal(await fresh.load(), []);
  await fresh.close();
});

test('on a full disk a commit fails whole and a smaller one works', async ({ path }) => {
  await seed(path);
  const driver = await openStateFile(path, { nowMs: 0, bytesMax: 200_000 });
  const clock = manualClock();
  const store = createSqliteStore(driver, { path, clock, logger: recordingLogger() });
  const before = await store.load();
  const error = await opError(
    store.commit(
      transaction({
        writes: [
          { kind: 'seed', key: 'x', json: '"changed"' },
          { kind: 'a', key: 'big', json: JSON.stringify('x'.repeat(300_000)) },
        ],
        history: [{ atMs: 0, kind: 'command', json: '{}' }],
      }),
    ),
  );
  assert.is(error.code, 'store-full');
  assert.equal(error.retry, { kind: 'backoff' });
  assert.equal(await store.load(), before);
  assert.equal(await store.history({ limit: 9 }), []);
  await store.commit(transaction({ writes: [{ kind: 'a', key: 'small', json: '1' }] }));
  await store.close();
  const reopened = await open(path);
  assert.is((await reopened.load()).length, before.length + 1);
  await reopened.close();
});

test('a file that may not be written cannot be locked and is refused', async (context) => {
  const { folder, path } = context;
  await seed(path);
  chmodSync(path, 0o444);
  chmodSync(folder, 0o755);
  const error = await asUnprivilegedUser(() => opError(open(path)));
  assert.is(error.code, 'store-cannot-lock');
  assert.match(error.message, 'write access');
});

test('a folder that may not be written is refused', async ({ folder, path }) => {
  await seed(path);
  chmodSync(path, 0o666);
  chmodSync(folder, 0o555);
  const withFile = await asUnprivilegedUser(() => opError(open(path)));
  const without = await asUnprivilegedUser(() => opError(open(`${path}.other`)));
  chmodSync(folder, 0o755);
  assert.is(withFile.code, 'store-read-only');
  assert.is(without.code, 'store-cannot-open');
});

test.run();

async function byHand(path: string, sql: string): Promise<void> {
  const driver = await openSqliteDriver(path);
  driver.exec(sql);
  driver.close();
}

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'headgate-store-'));
}

function open(url: string): Promise<Store> {
  return openStore(url, { clock: manualClock(), logger: recordingLogger() });
}

/** Makes a closed state file with one value. */
async function seed(path: string): Promise<void> {
  const store = await open(path);
  await store.commit(transaction({ writes: [{ kind: 'seed', key: 'x', json: '1' }] }));
  await store.close();
}

/** Root may write every file, so the tests that need a refusal run `call` as nobody. */
async function asUnprivilegedUser<T>(call: () => Promise<T>): Promise<T> {
  const nobody = 65534;
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) {
    process.seteuid?.(nobody);
  }
  try {
    return await call();
  } finally {
    if (isRoot) {
      process.seteuid?.(0);
    }
  }
}
