/** The PostgreSQL adapter: the suite of every store, then the lease, the changes and what replicas tell. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClock } from '../../controller/clock.js';
import type { Store } from '../../controller/loop/ports.js';
import type { SharedDatabase } from '../../controller/replicas/ports.js';
import { openPostgres } from '../../controller/store/postgres.js';
import { postgresSettings } from '../../controller/store/postgres-settings.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { recordingLogger } from '../support/recording-logger.js';
import { opError, type StoreDatabase, storeSuite, transaction } from './store-suite.js';

/** One server for all databases of this file, started by whoever needs it first. */
let server: Promise<TestPostgres> | undefined;
const serverOf = (): Promise<TestPostgres> => {
  server ??= startPostgres();
  return server;
};

const neverMs = 600_000;

function open(url: string, replica: string, leaseMs = neverMs): Promise<SharedDatabase> {
  const deps = { clock: createClock(), logger: recordingLogger() };
  return openPostgres(postgresSettings(url, undefined), { replica, leaseMs, ...deps });
}

storeSuite('the PostgreSQL store', async (): Promise<StoreDatabase> => {
  const postgres = await serverOf();
  const url = await postgres.createDatabase();
  const name = url.split('/').at(-1) ?? '';
  let starts = 0;
  return {
    async open({ clock, logger }): Promise<Store> {
      starts += 1;
      const replica = `r${starts}`;
      const settings = postgresSettings(url, undefined);
      const shared = await openPostgres(settings, { replica, leaseMs: neverMs, clock, logger });
      await postgres.sql("UPDATE headgate_lease SET ends_at = '-infinity'", name);
      const epoch = await shared.takeLease(0);
      return { ...shared.term(epoch ?? 0), close: () => shared.close() };
    },
    takeOver: async () => {
      await postgres.sql("UPDATE headgate_lease SET epoch = epoch + 1, holder = 'other'", name);
    },
    remove: () => {},
  };
});

interface Context {
  url: string;
  name: string;
  postgres: TestPostgres;
  opened: SharedDatabase[];
  replica(name: string, leaseMs?: number): Promise<SharedDatabase>;
}

const test = suite<Context>('a shared database');

test.before.each(async (context) => {
  context.postgres = await serverOf();
  context.url = await context.postgres.createDatabase();
  context.name = context.url.split('/').at(-1) ?? '';
  context.opened = [];
  context.replica = async (name, leaseMs) => {
    const shared = await open(context.url, name, leaseMs);
    context.opened.push(shared);
    return shared;
  };
});

test.after.each(async ({ opened }) => {
  await Promise.all(opened.map((one) => one.close()));
});

test.after(async () => {
  await (await server)?.stop();
});

test('the lease is taken by one, renewed by it alone, and free once it has run out or been let go', async (context) => {
  const a = await context.replica('a', 300);
  const b = await context.replica('b', 300);
  assert.is(await a.takeLease(0), 1);
  assert.is(await b.takeLease(0), undefined);
  assert.is(await a.renewLease(1, 0), true);
  assert.is(await b.renewLease(1, 0), false);
  assert.equal(await b.lease(), {
    ...{ epoch: 1, holder: 'a' },
    ...{ isFree: false, isLeftBehind: false },
  });
  await context.postgres.sql('SELECT pg_sleep(0.35)');
  assert.is((await b.lease()).isFree, true);
  assert.is(await b.takeLease(0), 2);
  assert.is(await a.renewLease(1, 0), false);
  await a.releaseLease(1);
  assert.is(await a.takeLease(0), undefined);
  await b.releaseLease(2);
  // Whoever has seen a later epoch than the database knows never leads one of those again.
  assert.is(await a.takeLease(7), 8);
});

test('D13 five replicas that start at once on an empty database make its tables once, and one leads an epoch', async (context) => {
  const replicas = await Promise.all(
    ['a', 'b', 'c', 'd', 'e'].map((name) => context.replica(name)),
  );
  for (let round = 1; round <= 200; round += 1) {
    const epochs = await Promise.all(replicas.map((one) => one.takeLease(0)));
    assert.equal(
      epochs.filter((epoch) => epoch !== undefined),
      [round],
    );
    const leader = replicas[epochs.findIndex((epoch) => epoch !== undefined)];
    await leader?.releaseLease(round);
  }
});

test('the lease of a database that has lost commits is not renewed', async (context) => {
  const a = await context.replica('a');
  const term = a.term((await a.takeLease(0)) ?? 0);
  for (const json of ['1', '2']) {
    await term.commit(transaction({ writes: [value('x', json)] }));
  }
  assert.is(await a.renewLease(1, 2), true);
  await context.postgres.sql('UPDATE headgate_head SET seq = 1', context.name);
  assert.is(await a.renewLease(1, 2), false);
});

test('changes are what was written since, marks of what is gone among them', async (context) => {
  const a = await context.replica('a');
  const b = await context.replica('b');
  assert.equal(await b.changesSince(undefined), {
    position: { epoch: 0, seq: 0 },
    isWhole: true,
    values: [],
  });
  const term = a.term((await a.takeLease(0)) ?? 0);
  await term.commit(transaction({ writes: [value('x', '1'), value('y', '1')] }));
  const first = await b.changesSince(undefined);
  assert.equal(first.position, { epoch: 1, seq: 1 });
  await term.commit(transaction({ writes: [value('y', null), value('z', '3')] }));
  const { isWhole, values, position } = await b.changesSince(first.position);
  assert.equal({ isWhole, position }, { isWhole: false, position: { epoch: 1, seq: 2 } });
  assert.equal(sorted(values), [value('y', null), value('z', '3')]);
  assert.equal(sorted((await b.changesSince(undefined)).values), [
    value('x', '1'),
    value('z', '3'),
  ]);
});

test('C25 H2 a stored value that was changed by hand is refused, not served', async (context) => {
  const a = await context.replica('a');
  const term = a.term((await a.takeLease(0)) ?? 0);
  await term.commit(transaction({ writes: [value('x', '1')] }));
  await context.postgres.sql("UPDATE headgate_state SET json = '2'", context.name);
  for (const call of [() => term.load(), () => a.changesSince(undefined)]) {
    const error = await opError(call());
    assert.is(error.code, 'store-corrupt');
    assert.match(error.message, 'a x');
  }
});

test('commits, releases and commands wake whoever listens', async (context) => {
  const a = await context.replica('a');
  const b = await context.replica('b');
  const heard = new Set<string>();
  const all = new Promise<void>((resolve) => {
    b.onWake((topic) => {
      heard.add(topic);
      if (heard.size === 5) {
        resolve();
      }
    });
  });
  // A new connection wakes everybody once, so each is asked for until it was heard.
  const epoch = (await a.takeLease(0)) ?? 0;
  await a.term(epoch).commit(transaction({ writes: [value('x', '1')] }));
  await a.tell({
    seq: 1,
    position: { epoch: 1, seq: 1 },
    json: '{}',
    proxies: new Map(),
    batch: '[]',
  });
  await a.ask('{}', 1000);
  await a.askPoll();
  await a.releaseLease(epoch);
  await all;
});

test('each replica hears what the others told, once, and how it stands when it is new', async (context) => {
  const a = await context.replica('a');
  const b = await context.replica('b');
  const position = { epoch: 2, seq: 3 };
  const proxies = new Map<string, string | null>([
    ['p1', '1'],
    ['p2', '1'],
  ]);
  await a.tell({ seq: 1, position, json: '{"name":"a"}', proxies, batch: '[1]' });
  await a.tell({ seq: 2, position, json: '{"name":"a"}', proxies: new Map([['p1', null]]) });
  const first = await b.hear(new Map());
  assert.equal(
    first.peers.map(({ replica, position: at, json }) => ({ replica, at, json })),
    [{ replica: 'a', at: position, json: '{"name":"a"}' }],
  );
  const [news] = first.news;
  assert.is(news?.seq, 2);
  assert.equal([...(news?.proxies ?? [])].sort(), [
    ['p1', null],
    ['p2', '1'],
  ]);
  assert.equal(
    news?.batches.map(({ json }) => json),
    ['[1]'],
  );
  assert.equal((await b.hear(new Map([['a', 2]]))).news, []);
  assert.equal((await a.hear(new Map())).peers, []);
  await a.leave();
  assert.equal(await b.hear(new Map([['a', 2]])), { peers: [], news: [] });
});

test('nothing is written on the ground of what a late commit has changed', async (context) => {
  const a = await context.replica('a');
  const term = a.term((await a.takeLease(0)) ?? 0);
  await term.load();
  await term.commit(transaction({ writes: [value('x', '1')] }));
  // One that was given up, and became durable after the store was read.
  await context.postgres.sql('UPDATE headgate_head SET seq = seq + 1', context.name);
  const error = await opError(term.commit(transaction({ writes: [value('x', '2')] })));
  assert.is(error.code, 'store-moved');
  assert.equal(error.retry, { kind: 'backoff' });
  assert.equal(await term.load(), [value('x', '1')]);
  await term.commit(transaction({ writes: [value('x', '2')] }));
  assert.equal(await term.load(), [value('x', '2')]);
});

test('a command is answered in the transaction that carries it out', async (context) => {
  const a = await context.replica('a');
  const b = await context.replica('b');
  const id = await b.ask('{"command":"abort"}', 60_000);
  assert.equal(await a.asked(), [{ id, json: '{"command":"abort"}' }]);
  assert.is(await b.answerTo(id), undefined);
  const term = a.term((await a.takeLease(0)) ?? 0);
  await term.commit({ ...transaction({}), answers: [{ command: id, json: '{"ok":true}' }] });
  assert.is(await b.answerTo(id), '{"ok":true}');
  assert.equal(await a.asked(), []);
});

test('a command that was withdrawn is not carried out, and one that was answered not withdrawn', async (context) => {
  const a = await context.replica('a');
  const b = await context.replica('b');
  const term = a.term((await a.takeLease(0)) ?? 0);
  const carryOut = (command: number) =>
    term.commit({
      ...transaction({ writes: [value('x', `${command}`)] }),
      answers: [{ command, json: '{"ok":true}' }],
    });
  const first = await b.ask('{}', 60_000);
  assert.is(await b.withdraw(first, '{"ok":false}'), true);
  assert.equal(await a.asked(), []);
  assert.is((await opError(carryOut(first))).code, 'store-withdrawn');
  assert.equal(await term.load(), []);
  const second = await b.ask('{}', 60_000);
  await carryOut(second);
  assert.is(await b.withdraw(second, '{"ok":false}'), false);
  assert.is(await b.answerTo(second), '{"ok":true}');
});

test.run();

function value(key: string, json: string | null) {
  return { kind: 'a', key, json };
}

function sorted<T extends { readonly key: string }>(values: readonly T[]): readonly T[] {
  return [...values].sort((left, right) => (left.key < right.key ? -1 : 1));
}
