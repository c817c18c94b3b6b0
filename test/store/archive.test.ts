/** A state goes from a file to PostgreSQL and back, and is the same; what is no archive is refused. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClock } from '../../controller/clock.js';
import { type Archive, parseArchive, renderArchive } from '../../controller/store/archive.js';
import { acceptState, exportState, importState } from '../../controller/store/move-state.js';
import { openPostgres } from '../../controller/store/postgres.js';
import { postgresSettings } from '../../controller/store/postgres-settings.js';
import { runHere } from '../cli/run-main.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { recordingLogger } from '../support/recording-logger.js';
import { openStage, type Undo } from '../support/stage.js';
import { opError } from './store-suite.js';

const archives = suite('archives of the state');
const undo: Undo = [];
const stage = await openStage(archives, undo, async () => {
  const postgres: TestPostgres = await startPostgres();
  undo.push(() => postgres.stop());
  const folder = mkdtempSync(join(tmpdir(), 'headgate-archive-'));
  undo.push(() => rmSync(folder, { recursive: true }));
  return { postgres, folder };
});
const deps = { clock: createClock(), logger: recordingLogger() };

const note = (id: string) => ({ id, topic: 't', sink: 'chat', createdAtMs: 5, json: '{}' });
const archive: Archive = {
  values: [
    { kind: 'applied', key: 'shop', json: '{"naïve":"\\u0000 🚦"}' },
    { kind: 'revision', key: '', json: '{}' },
  ],
  history: [1, 2, 3].map((n) => ({ atMs: n, kind: 'rollout', json: `{"n":${n}}` })),
  outbox: [note('n1'), { ...note('n2'), expendable: true }],
  deadLetters: [{ ...note('d1'), error: 'HTTP 404' }],
};

archives('a state is the same after file, database and file again', async () => {
  const first = { url: join(stage.folder, 'first.db') };
  const second = { url: await stage.postgres.createDatabase() };
  const third = { url: join(stage.folder, 'third.db') };
  await importState(first, archive, deps);
  await importState(second, await exportState(first, deps), deps);
  await importState(third, await exportState(second, deps), deps);
  const found = parseArchive(renderArchive(await exportState(third, deps)));
  assert.equal(comparable(found), comparable(archive));
});

archives('the command moves a state, and says what it moved', async () => {
  const from = join(stage.folder, 'moved.db');
  const to = await stage.postgres.createDatabase();
  await importState({ url: from }, archive, deps);
  const exported = await runHere(['state', 'export', '--state', from]);
  assert.is(exported.code, 0, exported.stderr);
  const file = join(stage.folder, 'moved.jsonl');
  writeFileSync(file, exported.stdout);
  const imported = await runHere(['state', 'import', file], { HEADGATE_STATE: to });
  assert.is(imported.code, 0, imported.stderr);
  assert.match(imported.stderr, 'imported 2 values, 3 entries of the history, 2 notifications');
  const again = await runHere(['state', 'import', file], { HEADGATE_STATE: to });
  assert.is(again.code, 1);
  assert.match(again.stderr, 'is not empty');
});

archives('half an archive, a changed one and another file are refused', async () => {
  const text = renderArchive(archive);
  for (const bad of [text.slice(0, -20), text.replace('HTTP 404', 'HTTP 500'), '{}\n', 'x', '']) {
    assert.throws(() => parseArchive(bad), /^the archive (is no state|was cut off)/);
  }
});

archives('nothing is imported below a leader', async () => {
  const url = await stage.postgres.createDatabase();
  const settings = postgresSettings(url, undefined);
  const leader = await openPostgres(settings, { ...deps, replica: 'a', leaseMs: 60_000 });
  await leader.takeLease(0);
  const error = await opError(importState({ url }, archive, deps));
  assert.is(error.code, 'store-locked');
  await leader.close();
});

archives('an accepted loss is above all that any replica has seen', async () => {
  const url = await stage.postgres.createDatabase();
  const settings = postgresSettings(url, undefined);
  const replica = await openPostgres(settings, { ...deps, replica: 'a', leaseMs: 60_000 });
  const seen = { epoch: 7, seq: 100 };
  await replica.tell({ seq: 1, position: seen, json: '{}', proxies: new Map() });
  await acceptState({ url }, deps);
  const { position, isWhole } = await replica.changesSince(seen);
  assert.equal({ position, isWhole }, { position: { epoch: 8, seq: 101 }, isWhole: true });
  assert.is(await replica.takeLease(seen.epoch), 9);
  await replica.close();
});

archives.run();

/** Without what an archive does not keep: tries, and when something was given up. */
function comparable({ values, history, outbox, deadLetters }: Archive) {
  const plain = (one: unknown) => JSON.parse(JSON.stringify(one));
  return {
    values: [...values].sort((left, right) => (left.kind < right.kind ? -1 : 1)).map(plain),
    history: history.map(({ atMs, kind, json }) => ({ atMs, kind, json })),
    outbox: outbox.map(({ id, expendable }) => ({ id, expendable: expendable === true })),
    deadLetters: deadLetters.map(({ id, error }) => ({ id, error })),
  };
}
