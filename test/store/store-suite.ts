/**
 * What every adapter of the `Store` port must do, written against the port alone: each adapter's test
 * file runs it with a harness of its own.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OpError } from '../../controller/base/op-error.js';
import type {
  HistoryEntry,
  Store,
  StoredNotification,
  Transaction,
} from '../../controller/loop/ports.js';
import {
  deadLettersMax,
  historyEntriesMax,
  outboxEntriesMax,
} from '../../controller/store/limits.js';
import { type ManualClock, manualClock } from '../support/clock.js';
import { type RecordingLogger, recordingLogger } from '../support/recording-logger.js';

export interface StoreDatabase {
  /** Opens the store over the one database of this harness. */
  open(dependencies: {
    readonly clock: ManualClock;
    readonly logger: RecordingLogger;
  }): Promise<Store>;
  /** Does to the open store what a second controller's start would do. */
  takeOver(): void | Promise<void>;
  remove(): void | Promise<void>;
}

interface Context {
  database: StoreDatabase;
  clock: ManualClock;
  logger: RecordingLogger;
  store: Store;
}

/** A transaction of the given parts; the others are empty. */
export function transaction(parts: Partial<Transaction>): Transaction {
  return { writes: [], history: [], notifications: [], ...parts };
}

/** The error that `call` rejects with, which must be an `OpError`. */
export async function opError(call: Promise<unknown>): Promise<OpError> {
  const error = await call.then(
    () => new Error('nothing was thrown'),
    (reason: unknown) => reason,
  );
  assert.instance(error, OpError);
  return error as OpError;
}

/** Runs the suite; `name` is the adapter's. */
export function storeSuite(
  name: string,
  createDatabase: () => StoreDatabase | Promise<StoreDatabase>,
): void {
  const test = suite<Context>(name);

  test.before.each(async (context) => {
    context.database = await createDatabase();
    context.clock = manualClock(1000);
    context.logger = recordingLogger();
    context.store = await context.database.open(context);
  });

  test.after.each(async (context) => {
    await context.store.close();
    await context.database.remove();
  });

  const reopen = async (context: Context): Promise<Store> => {
    await context.store.close();
    context.store = await context.database.open(context);
    return context.store;
  };

  test('a new store is empty', async ({ store }) => {
    assert.equal(await store.load(), []);
    assert.equal(await store.history({ limit: 10 }), []);
    assert.equal(await store.outbox({ sink: 'chat', limit: 10 }), []);
    assert.equal(await store.deadLetters(10), []);
  });

  test('a committed transaction is all there after a restart', async (context) => {
    const text = JSON.stringify('naïve \u{1f6a6} "quoted"\n\u0000');
    await context.store.commit(
      transaction({
        writes: [value('rollout', 'reviews-1', text), value('mesh', 'prod')],
        history: [historyEntry('revision', 5)],
        notifications: [notification('n1', { topic: 'reviews-1', expendable: true })],
      }),
    );
    const store = await reopen(context);
    assert.equal(await store.load(), [
      { kind: 'mesh', key: 'prod', json: '{}' },
      { kind: 'rollout', key: 'reviews-1', json: text },
    ]);
    assert.equal(await store.history({ limit: 10 }), [
      { id: 1, atMs: 5, kind: 'revision', json: '{"n":5}' },
    ]);
    assert.equal(await store.outbox({ sink: 'chat', limit: 10 }), [
      {
        id: 'n1',
        sink: 'chat',
        topic: 'reviews-1',
        createdAtMs: 0,
        json: '{}',
        expendable: true,
        attempts: 0,
        nextAttemptAtMs: 0,
      },
    ]);
  });

  test('a later write replaces, null deletes, and the last of one transaction wins', async (context) => {
    const { store } = context;
    await store.commit(transaction({ writes: [value('a', 'x', '1'), value('a', 'y', '1')] }));
    await store.commit(
      transaction({ writes: [value('a', 'x', null), value('a', 'y', '2'), value('a', 'y', '3')] }),
    );
    await store.commit(transaction({ writes: [value('a', 'never-there', null)] }));
    assert.equal(await (await reopen(context)).load(), [{ kind: 'a', key: 'y', json: '3' }]);
  });

  test('the history is read newest first, by kind and page by page', async ({ store }) => {
    const history = [1, 2, 3, 4, 5, 6].map((n) =>
      historyEntry(n % 2 === 0 ? 'rollout' : 'revision', n),
    );
    await store.commit(transaction({ history }));
    const ids = async (query: Parameters<Store['history']>[0]) =>
      (await store.history(query)).map((entry) => entry.id);
    assert.equal(await ids({ limit: 2 }), [6, 5]);
    assert.equal(await ids({ limit: 2, before: 5 }), [4, 3]);
    assert.equal(await ids({ limit: 9, kind: 'rollout' }), [6, 4, 2]);
    assert.equal(await ids({ limit: 9, kind: 'rollout', before: 4 }), [2]);
    assert.equal(await ids({ limit: 9, kind: 'proxy' }), []);
  });

  test('the history keeps its newest entries and never uses an id again', async (context) => {
    const many = Array.from({ length: historyEntriesMax }, (_, n) => historyEntry('proxy', n));
    await context.store.commit(transaction({ history: many }));
    await context.store.commit(
      transaction({ history: [historyEntry('proxy', 1), historyEntry('proxy', 2)] }),
    );
    const kept = await (await reopen(context)).history({ limit: historyEntriesMax * 2 });
    assert.is(kept.length, historyEntriesMax);
    assert.is(kept[0]?.id, historyEntriesMax + 2);
    assert.is(kept.at(-1)?.id, 3);
  });

  test('the outbox shows the oldest notification of each topic of the sink', async ({ store }) => {
    await store.commit(
      transaction({
        notifications: [
          notification('a1', { topic: 'a' }),
          notification('a2', { topic: 'a' }),
          notification('b1', { topic: 'b' }),
          notification('a1', { topic: 'a', sink: 'hook' }),
        ],
      }),
    );
    assert.equal(await waiting(store, 'chat'), ['a1', 'b1']);
    assert.equal(await waiting(store, 'hook'), ['a1']);
    assert.equal(await waiting(store, 'chat', 1), ['a1']);
    await store.delivered('a1', 'chat');
    assert.equal(await waiting(store, 'chat'), ['a2', 'b1']);
    assert.equal(await waiting(store, 'hook'), ['a1']);
  });

  test('a notification that failed waits behind those that are due sooner', async (context) => {
    const { store } = context;
    await store.commit(
      transaction({
        notifications: [notification('a1', { topic: 'a' }), notification('b1', { topic: 'b' })],
      }),
    );
    await store.retryLater('a1', 'chat', 7000);
    assert.equal(await waiting(store, 'chat'), ['b1', 'a1']);
    const entries = await (await reopen(context)).outbox({ sink: 'chat', limit: 9 });
    assert.is(entries[1]?.attempts, 1);
    assert.is(entries[1]?.nextAttemptAtMs, 7000);
  });

  test('a notification that is given up becomes a dead letter and frees its topic', async (context) => {
    const { store, clock } = context;
    await store.commit(
      transaction({
        notifications: [notification('a1', { topic: 'a' }), notification('a2', { topic: 'a' })],
      }),
    );
    await store.retryLater('a1', 'chat', 7000);
    clock.advance(500);
    await store.giveUp('a1', 'chat', 'HTTP 404');
    assert.equal(await waiting(store, 'chat'), ['a2']);
    assert.equal(await (await reopen(context)).deadLetters(5), [
      {
        id: 'a1',
        sink: 'chat',
        topic: 'a',
        createdAtMs: 0,
        json: '{}',
        attempts: 2,
        error: 'HTTP 404',
        diedAtMs: 1500,
      },
    ]);
  });

  test('a notification that already waits is not queued twice', async ({ store }) => {
    await store.commit(transaction({ notifications: [notification('a1', { topic: 'a' })] }));
    await store.commit(transaction({ notifications: [notification('a1', { topic: 'a' })] }));
    await store.delivered('a1', 'chat');
    assert.equal(await waiting(store, 'chat'), []);
  });

  test('a full outbox drops its oldest progress first and no other sink', async ({
    store,
    logger,
  }) => {
    const verdicts = numbered(2, (n) => notification(`verdict${n}`, { topic: `v${n}` }));
    const progress = numbered(outboxEntriesMax, (n) =>
      notification(`p${n}`, { topic: `p${n}`, expendable: true }),
    );
    await store.commit(transaction({ notifications: [notification('x', { sink: 'hook' })] }));
    await store.commit(transaction({ notifications: [...verdicts, ...progress] }));
    const left = await waiting(store, 'chat', outboxEntriesMax * 2);
    assert.is(left.length, outboxEntriesMax);
    assert.equal(left.slice(0, 3), ['verdict0', 'verdict1', 'p2']);
    assert.equal(await waiting(store, 'hook'), ['x']);
    assert.equal(
      (await store.deadLetters(9)).map((letter) => letter.id),
      ['p1', 'p0'],
    );
    assert.equal(logger.lines.at(-1), {
      level: 'warn',
      event: 'store.outboxTrimmed',
      fields: { dropped: 2, limit: outboxEntriesMax },
    });
  });

  test('an outbox full of verdicts stays bounded too, and so do the dead letters', async ({
    store,
  }) => {
    const excess = deadLettersMax + 1;
    await store.commit(
      transaction({
        notifications: numbered(outboxEntriesMax + excess, (n) =>
          notification(`v${n}`, { topic: `v${n}` }),
        ),
      }),
    );
    const left = await waiting(store, 'chat', outboxEntriesMax * 2);
    assert.is(left.length, outboxEntriesMax);
    assert.is(left[0], `v${excess}`);
    const letters = await store.deadLetters(outboxEntriesMax);
    assert.is(letters.length, deadLettersMax);
    assert.is(letters.at(-1)?.id, 'v1');
  });

  test('after a takeover the old owner can write nothing any more', async ({ store, database }) => {
    await store.commit(
      transaction({
        writes: [value('a', 'x', '1')],
        notifications: [notification('n1', { topic: 'a' })],
      }),
    );
    await database.takeOver();
    const late = transaction({
      writes: [value('a', 'x', '2')],
      history: [historyEntry('command', 1)],
      notifications: [notification('n2', { topic: 'b' })],
    });
    for (const call of [
      () => store.commit(late),
      () => store.delivered('n1', 'chat'),
      () => store.retryLater('n1', 'chat', 5),
      () => store.giveUp('n1', 'chat', 'late'),
    ]) {
      const error = await opError(call());
      assert.is(error.code, 'store-fenced');
      assert.equal(error.retry, { kind: 'stalled' });
    }
    assert.equal(await store.load(), [{ kind: 'a', key: 'x', json: '1' }]);
    assert.equal(await store.history({ limit: 9 }), []);
    assert.equal(await waiting(store, 'chat'), ['n1']);
    assert.equal(await store.deadLetters(9), []);
  });

  test.run();
}

function value(kind: string, key: string, json: string | null = '{}') {
  return { kind, key, json };
}

function historyEntry(kind: string, n: number): HistoryEntry {
  return { atMs: n, kind, json: `{"n":${n}}` };
}

function notification(id: string, parts: Partial<StoredNotification> = {}): StoredNotification {
  return { id, sink: 'chat', topic: 'topic', createdAtMs: 0, json: '{}', ...parts };
}

function numbered<T>(count: number, make: (n: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

async function waiting(store: Store, sink: string, limit = 100): Promise<readonly string[]> {
  return (await store.outbox({ sink, limit })).map((entry) => entry.id);
}
