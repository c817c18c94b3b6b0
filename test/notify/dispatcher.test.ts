/** Delivery from a real store over real HTTP, with chat servers that are dead, slow or rude. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OpError } from '../../controller/base/op-error.js';
import { seededRandom } from '../../controller/base/random.js';
import type { Announcement } from '../../controller/loop/events.js';
import type { Store } from '../../controller/loop/ports.js';
import { createDispatcher, type Dispatcher } from '../../controller/notify/dispatcher.js';
import { exchangeTimeoutMs } from '../../controller/notify/http-exchange.js';
import { notificationsFor } from '../../controller/notify/notification.js';
import type { Sink } from '../../controller/notify/sink.js';
import { ageMaxMs, backoffMaxMs, backoffMs } from '../../controller/notify/sink-worker.js';
import { createSlackSink } from '../../controller/notify/slack.js';
import { createWebhookSink } from '../../controller/notify/webhook.js';
import { openStore } from '../../controller/store/open-store.js';
import { type ManualClock, manualClock } from '../support/clock.js';
import { type RecordingLogger, recordingLogger } from '../support/recording-logger.js';
import { announcement } from './announcements.js';
import { type ChatServer, startChatServer, status } from './chat-server.js';

interface Context {
  folder: string;
  clock: ManualClock;
  logger: RecordingLogger;
  store: Store;
  server: ChatServer;
  dispatcher: Dispatcher | undefined;
}

const test = suite<Context>('delivery of notifications');

test.before.each(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-notify-'));
  context.clock = manualClock();
  context.logger = recordingLogger();
  context.store = await openStore(join(context.folder, 'headgate.db'), context);
  context.server = await startChatServer();
});

test.after.each(async (context) => {
  await context.dispatcher?.stop();
  context.dispatcher = undefined;
  await context.store.close();
  await context.server.close();
  rmSync(context.folder, { recursive: true });
});

test('the notifications of one topic arrive in their order, each once', async (context) => {
  const { server, store, logger } = context;
  start(context, [hook(context)]);
  const ids = ['1', '2', '3', '4', '5'];
  for (const id of ids) {
    await announce(context, { id });
    context.dispatcher?.wake();
  }
  await logger.until('notify.delivered', 5);
  assert.equal(received(server), ids);
  assert.equal(await store.outbox({ sink: 'hook', limit: 9 }), []);
  assert.equal(context.dispatcher?.status(), [
    { sink: 'hook', delivered: 5, failedAttempts: 0, givenUp: 0 },
  ]);
});

test('what waits from before the start is sent on the first wake', async (context) => {
  await announce(context, { id: 'old' });
  start(context, [hook(context)]);
  await context.logger.until('notify.delivered', 1);
  assert.equal(received(context.server), ['old']);
});

test('a server that is dead for an hour is asked rarely, then told all in order', async (context) => {
  const { server, clock, logger } = context;
  await server.close();
  for (const id of ['1', '2', '3']) {
    await announce(context, { id, rollout: 'reviews-7' });
    await announce(context, { id: `${id}b`, rollout: 'ratings-2' });
  }
  start(context, [hook(context)]);
  const endMs = clock.now() + 3_600_000;
  while (clock.now() < endMs) {
    clock.advance(await nextWaitMs(clock));
  }
  await nextWaitMs(clock);
  const attempts = context.dispatcher?.status()[0]?.failedAttempts ?? 0;
  assert.ok(attempts > 10 && attempts < 60, `${attempts} attempts in an hour`);
  context.server = await startChatServer(Number(new URL(server.url).port));
  clock.advance(backoffMaxMs);
  await logger.until('notify.delivered', 6);
  const ids = received(context.server);
  const ofTopic = (isOther: boolean) => ids.filter((id) => id.endsWith('b') === isOther);
  assert.equal(ofTopic(false), ['1', '2', '3']);
  assert.equal(ofTopic(true), ['1b', '2b', '3b']);
});

test('Retry-After is honoured, and the same id comes again', async (context) => {
  const { server, clock, logger } = context;
  server.answer(status(429, { 'retry-after': '90' }));
  await announce(context, { id: '1' });
  start(context, [hook(context)]);
  await logger.until('notify.failed', 1);
  server.answer(status(200));
  await idle();
  clock.advance(89_000);
  context.dispatcher?.wake();
  await idle();
  // A send would show its own deadline here.
  assert.equal(clock.waitingMs(), [1_000]);
  clock.advance(1_000);
  await logger.until('notify.delivered', 1);
  assert.equal(received(server), ['1', '1']);
  assert.equal(
    server.requests.map((request) => request.headers['idempotency-key']),
    ['1', '1'],
  );
});

test('a notification that is refused becomes a dead letter and the next one goes', async (context) => {
  const { server, store, logger } = context;
  server.answer((response, request) => {
    status(
      JSON.parse(request.body).id === '1' ? 400 : 200,
      {},
      'invalid_payload',
    )(response, request);
  });
  await announce(context, { id: '1' });
  await announce(context, { id: '2' });
  start(context, [hook(context)]);
  await logger.until('notify.delivered', 1);
  assert.equal(received(server), ['1', '2']);
  const [letter] = await store.deadLetters(9);
  assert.is(letter?.id, '1');
  assert.is(letter?.error, 'HTTP 400: invalid_payload');
  assert.is(logger.lines.find((line) => line.event === 'notify.gaveUp')?.level, 'error');
});

test('what could not be delivered for a week is given up', async (context) => {
  const { server, store, clock, logger } = context;
  server.answer(status(500));
  await announce(context, { id: '1' });
  start(context, [hook(context)]);
  await logger.until('notify.failed', 1);
  await nextWaitMs(clock);
  clock.advance(ageMaxMs + 1);
  await logger.until('notify.gaveUp', 1);
  assert.equal(
    (await store.deadLetters(9)).map((letter) => letter.id),
    ['1'],
  );
});

test('what another version stored is given up and holds nothing up', async (context) => {
  const { store, server, logger } = context;
  const stored = { topic: 't', sink: 'hook', createdAtMs: 0, json: '{"form":"other"}' };
  await store.commit({ writes: [], history: [], notifications: [{ ...stored, id: 'odd' }] });
  await announce(context, { id: '1', rollout: 't' });
  start(context, [hook(context)]);
  await logger.until('notify.delivered', 1);
  assert.equal(received(server), ['1']);
});

test('a slow sink delays no other', async (context) => {
  const { server, clock, logger } = context;
  const slow = await startChatServer();
  slow.answer(() => {});
  try {
    for (const id of ['1', '2']) {
      await announce(context, { id }, ['slow', 'hook']);
    }
    const slowSink = createSlackSink({ name: 'slow', url: slow.url }, clock);
    start(context, [slowSink, hook(context)]);
    await slow.until(1);
    await logger.until('notify.delivered', 2);
    assert.equal(received(server), ['1', '2']);
    clock.advance(exchangeTimeoutMs);
    const [failed] = await logger.until('notify.failed', 1);
    assert.is(failed?.fields.sink, 'slow');
  } finally {
    await context.dispatcher?.stop();
    await slow.close();
  }
});

test('a wake during a send is not lost', async (context) => {
  const { server, logger } = context;
  let release: () => void = () => {};
  server.answer((response) => {
    release = () => response.writeHead(200).end();
  });
  await announce(context, { id: '1' });
  start(context, [hook(context)]);
  await server.until(1);
  await announce(context, { id: '2', rollout: 'other' });
  context.dispatcher?.wake();
  server.answer(status(200));
  release();
  await logger.until('notify.delivered', 2);
});

test('after a crash between the send and its mark the same id is sent again', async (context) => {
  const { store, server, logger } = context;
  await announce(context, { id: '1' });
  // The process ends before the store is told.
  const crashed: Store = { ...store, delivered: () => new Promise(() => {}) };
  createDispatcher(crashed, [hook(context)], dependencies(context)).wake();
  await server.until(1);
  start(context, [hook(context)]);
  await logger.until('notify.delivered', 1);
  assert.equal(received(server), ['1', '1']);
});

test('a store that fails at the mark does not make the same process send twice', async (context) => {
  const { store, server, clock, logger } = context;
  await announce(context, { id: '1' });
  let isFull = true;
  const flaky: Store = {
    ...store,
    delivered: async (id, sink) => {
      if (isFull) {
        throw new OpError('store-full', 'the disk is full');
      }
      await store.delivered(id, sink);
    },
  };
  context.dispatcher = createDispatcher(flaky, [hook(context)], dependencies(context));
  context.dispatcher.wake();
  await logger.until('notify.storeFailed', 1);
  isFull = false;
  clock.advance(await nextWaitMs(clock));
  await logger.until('notify.delivered', 1);
  assert.equal(received(server), ['1']);
});

test('a stop waits for the send under way and starts no other', async (context) => {
  const { server, store } = context;
  server.answer((response) => void setImmediate(() => response.writeHead(200).end()));
  await announce(context, { id: '1' });
  await announce(context, { id: '2' });
  start(context, [hook(context)]);
  await server.until(1);
  await context.dispatcher?.stop();
  context.dispatcher?.wake();
  const waiting = await store.outbox({ sink: 'hook', limit: 9 });
  assert.equal(
    waiting.map((entry) => entry.id),
    ['2'],
  );
  assert.equal(received(server), ['1']);
  assert.equal(context.clock.waitingMs(), []);
});

test('no log line and no dead letter tells the URL', async (context) => {
  const { server, store, clock, logger } = context;
  server.answer((response, request) => response.writeHead(500).end(`no ${request.path}`));
  await announce(context, { id: '1' }, ['chat']);
  start(context, [createSlackSink({ name: 'chat', url: server.url }, clock)]);
  await logger.until('notify.failed', 1);
  server.answer((response, request) => response.writeHead(404).end(`no ${request.path}`));
  clock.advance(await nextWaitMs(clock));
  await logger.until('notify.gaveUp', 1);
  const said = JSON.stringify([
    logger.lines,
    await store.deadLetters(9),
    context.dispatcher?.status(),
  ]);
  assert.match(said, 'HTTP 404: no [redacted]');
  assert.not.match(said, 's3cret');
});

test('the wait grows twofold up to five minutes, and is anywhere below that', () => {
  const longest = () => 1;
  assert.equal(
    [1, 2, 3, 9, 10, 60].map((failures) => backoffMs(failures, longest)),
    [1_000, 2_000, 4_000, 256_000, backoffMaxMs, backoffMaxMs],
  );
  assert.is(
    backoffMs(3, () => 0),
    0,
  );
  assert.is(
    backoffMs(3, () => 0.5),
    2_000,
  );
});

test.run();

function hook({ server, clock }: Context): Sink {
  return createWebhookSink({ name: 'hook', url: server.url }, clock);
}

function dependencies({ clock, logger }: Context) {
  return { clock, logger, random: seededRandom(1) };
}

function start(context: Context, sinks: readonly Sink[]): void {
  context.dispatcher = createDispatcher(context.store, sinks, dependencies(context));
  context.dispatcher.wake();
}

/** Stores an announcement of now for the sinks of the given names. */
async function announce(
  { store, clock }: Context,
  changes: Partial<Announcement>,
  sinks: readonly string[] = ['hook'],
): Promise<void> {
  const audiences = sinks.map((name) => ({ name }));
  const notifications = notificationsFor(
    announcement({ atMs: clock.now(), ...changes }),
    audiences,
  );
  await store.commit({ writes: [], history: [], notifications });
}

/** The ids of the webhooks that came in. */
function received(server: ChatServer): readonly string[] {
  return server.requests.map((request) => JSON.parse(request.body).id);
}

/** Lets everything run that waits for no socket. */
function idle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The wait of the only worker, once no exchange is under way. */
async function nextWaitMs(clock: ManualClock): Promise<number> {
  for (;;) {
    await idle();
    const [waitMs] = clock.waitingMs();
    // While an exchange runs, its deadline is the only timer.
    if (waitMs !== undefined && waitMs !== exchangeTimeoutMs) {
      return waitMs;
    }
  }
}
