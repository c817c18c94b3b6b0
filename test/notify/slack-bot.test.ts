/** A Slack app: one message a rollout, edited, with its thread; Slack's own way of saying no. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OpError } from '../../controller/base/op-error.js';
import type { Announcement } from '../../controller/loop/events.js';
import type { Sink, SinkMemory } from '../../controller/notify/sink.js';
import { createSinkMemory } from '../../controller/notify/sink-memory.js';
import { createSlackBotSink } from '../../controller/notify/slack-bot.js';
import { openStore } from '../../controller/store/open-store.js';
import { manualClock } from '../support/clock.js';
import { recordingLogger } from '../support/recording-logger.js';
import { withTempFolder } from '../support/temp-folder.js';
import { announcement } from './announcements.js';
import { type Answer, type ChatServer, startChatServer, status } from './chat-server.js';

interface Context {
  server: ChatServer;
  memory: SinkMemory;
  sink: Sink;
}

const test = suite<Context>('a Slack app');

test.before.each(async (context) => {
  context.server = await startChatServer();
  context.memory = mapMemory();
  context.server.answer(slackLike());
  context.sink = sinkOf(context.server, context.memory);
});

test.after.each(({ server }) => server.close());

test('a rollout is one message, edited, with what happened as its thread', async (context) => {
  const { server, sink } = context;
  await sink.send(event('rollout.started'));
  await sink.send(event('rollout.paused'));
  await sink.send(event('rollout.rolledBack'));
  const calls = server.requests.map(({ path, body }) => {
    const { channel, ts, thread_ts, reply_broadcast, blocks } = JSON.parse(body);
    assert.is(channel, 'C0123456789');
    assert.ok(blocks.length > 0);
    return [path.split('/').at(-1), ts, thread_ts, reply_broadcast];
  });
  assert.equal(calls, [
    ['chat.postMessage', undefined, undefined, undefined],
    ['chat.update', '1.000', undefined, undefined],
    ['chat.postMessage', undefined, '1.000', false],
    ['chat.update', '1.000', undefined, undefined],
    ['chat.postMessage', undefined, '1.000', true],
  ]);
  assert.is(server.requests[0]?.headers.authorization, 'Bearer xoxb-s3cret');
});

test('news of no rollout is a message of its own', async ({ server, sink }) => {
  await sink.send(announcement({ event: 'revision.rejected', rollout: undefined }));
  await sink.send(announcement({ event: 'revision.rejected', rollout: undefined }));
  assert.equal(
    server.requests.map(({ path }) => path.split('/').at(-1)),
    ['chat.postMessage', 'chat.postMessage'],
  );
});

test('a message that somebody deleted is written anew', async ({ server, sink, memory }) => {
  await sink.send(event('rollout.started'));
  server.answer((response, request) =>
    request.path.endsWith('chat.update')
      ? json(response, { ok: false, error: 'message_not_found' })
      : json(response, { ok: true, ts: '9.000' }),
  );
  await sink.send(event('rollout.paused'));
  assert.is(await memory.get('reviews-7'), '9.000');
});

const refusals: readonly (readonly [string, 'backoff' | 'stalled'])[] = [
  ['ratelimited', 'backoff'],
  ['service_unavailable', 'backoff'],
  ['channel_not_found', 'stalled'],
  ['invalid_auth', 'stalled'],
];

for (const [error, kind] of refusals) {
  test(`"ok": false with ${error} is ${kind}`, async ({ server, sink }) => {
    server.answer((response) => json(response, { ok: false, error }));
    const failure = await failureOf(sink.send(event('rollout.started')));
    assert.is(failure.retry.kind, kind);
    assert.is(failure.message, `Slack says ${error}`);
  });
}

test('429 is waited for as Slack says', async ({ server, sink }) => {
  server.answer(status(429, { 'retry-after': '30' }));
  const failure = await failureOf(sink.send(event('rollout.started')));
  assert.equal(failure.retry, { kind: 'after', ms: 30_000 });
});

test('an answer that is no JSON is tried again', async ({ server, sink }) => {
  server.answer(status(200, {}, '<html>'));
  assert.is((await failureOf(sink.send(event('rollout.started')))).retry.kind, 'backoff');
});

test('which message is whose outlives the process, and the loop can still read the state', () =>
  withTempFolder(async (folder) => {
    const clock = manualClock();
    const open = () => openStore(`${folder}/state.db`, { clock, logger: recordingLogger() });
    const first = await open();
    await createSinkMemory(first, 'team', clock).set('reviews-7', '1.000');
    for (let index = 0; index < 600; index += 1) {
      clock.advance(1);
      await createSinkMemory(first, 'other', clock).set(`r-${index}`, String(index));
    }
    await first.close();
    const second = await open();
    assert.is(await createSinkMemory(second, 'team', clock).get('reviews-7'), '1.000');
    assert.is(await createSinkMemory(second, 'other', clock).get('r-599'), '599');
    assert.is(await createSinkMemory(second, 'other', clock).get('r-0'), undefined);
    await second.close();
  }));

function sinkOf(server: ChatServer, memory: SinkMemory): Sink {
  const apiUrl = new URL('/api', server.url).href;
  const target = { name: 'bot', token: 'xoxb-s3cret', channel: 'C0123456789', apiUrl };
  return createSlackBotSink(target, memory, manualClock());
}

function event(name: Announcement['event']): Announcement {
  return announcement({ event: name, rollout: 'reviews-7' });
}

/** Answers as Slack does: each message gets the next number for its name. */
function slackLike(): Answer {
  let messages = 0;
  return (response, request) => {
    const isNew = request.path.endsWith('chat.postMessage');
    messages += isNew ? 1 : 0;
    json(response, { ok: true, ts: `${messages}.000` });
  };
}

function json(response: Parameters<Answer>[0], body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function mapMemory(): SinkMemory {
  const map = new Map<string, string>();
  return {
    get: async (key) => map.get(key),
    set: async (key, value) => {
      map.set(key, value);
    },
  };
}

async function failureOf(sent: Promise<void>): Promise<OpError> {
  try {
    await sent;
  } catch (error) {
    assert.instance(error, OpError);
    return error as OpError;
  }
  return assert.unreachable('it did not fail') as never;
}

test.run();
