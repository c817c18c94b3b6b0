/** Server-sent events: what is sent at first, what on a change, and how a client that was away goes on. */
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EventLog } from '../../controller/api/event-log.js';
import { type EventSink, EventStream } from '../../controller/api/event-stream.js';
import type { RolloutView } from '../../controller/api/rollout-view.js';
import type { StatusView } from '../../controller/api/view.js';
import { initialDurableState } from '../../controller/loop/persist.js';
import { startState } from '../../controller/loop/start-state.js';
import type { LoopState } from '../../controller/loop/state.js';
import { stepLoop } from '../../controller/loop/step.js';
import { LoadHistory } from '../../controller/rollout/load-history.js';
import { ScriptedLoop } from '../rollout/scripted-loop.js';
import { manualClock } from '../support/clock.js';
import { meshOf } from '../support/mesh.js';
import { accepted } from '../support/reading.js';
import { until } from '../support/until.js';
import { type RunningApi, runApi } from './running-api.js';

interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
}

/** A client that keeps every event, in the order in which they came. */
class EventClient {
  readonly events: ReceivedEvent[] = [];
  headers: IncomingMessage['headers'] = {};
  private rest = '';
  private readonly response: Promise<IncomingMessage>;

  constructor(url: string, lastId = '') {
    const headers = lastId === '' ? {} : { 'Last-Event-ID': lastId };
    this.response = new Promise((resolve, reject) => {
      get(`${url}/api/v1/events`, { headers }, (response) => {
        this.headers = response.headers;
        response.setEncoding('utf8');
        response.on('data', (text: string) => this.read(text));
        response.on('error', () => {});
        resolve(response);
      }).on('error', reject);
    });
  }

  async waitFor(what: string, isIt: (event: ReceivedEvent) => boolean): Promise<ReceivedEvent> {
    await until(what, () => this.events.some(isIt));
    return this.events.find(isIt) as ReceivedEvent;
  }

  /** Resolves when the server has ended the stream. */
  async ended(): Promise<void> {
    const response = await this.response;
    await new Promise<void>((resolve) => {
      if (response.closed) {
        resolve();
      } else {
        response.on('close', resolve);
      }
    });
  }

  async close(): Promise<void> {
    (await this.response).destroy();
  }

  private read(text: string): void {
    const blocks = (this.rest + text).split('\n\n');
    this.rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]),
      );
      const data = fields.get('data');
      if (data !== undefined) {
        this.events.push({
          id: fields.get('id') ?? '',
          type: fields.get('event') ?? '',
          data: JSON.parse(data),
        });
      }
    }
  }
}

const start = [
  'policy steps=10,50,100 bake=10s',
  'connect web1',
  'commit a1 checkout:v1=100,v2=0',
  'ack',
];

const events = suite<{ running: RunningApi }>('api events');

events.before.each(async (context) => {
  context.running = await runApi(start);
});

events.after.each(({ running }) => running.stop());

const isPhase = (phase: string) => (event: ReceivedEvent) =>
  event.type === 'rollout' && (event.data as RolloutView).phase === phase;

events('a client begins with the status and hears of each change', async ({ running }) => {
  const client = new EventClient(running.url);
  const first = await client.waitFor('the status', ({ type }) => type === 'status');
  assert.match(client.headers['content-type'] ?? '', /^text\/event-stream/);
  assert.equal(first.data, await running.json<StatusView>('/api/v1/status'));
  running.run('commit b2 checkout:v1=0,v2=100');
  const progressing = await client.waitFor('the rollout', isPhase('Progressing'));
  assert.is((progressing.data as RolloutView).id, 'checkout-1');
  const status = await client.waitFor(
    'the new status',
    ({ type, data }) => type === 'status' && (data as StatusView).revision.desired === 'b2',
  );
  assert.equal(
    (status.data as StatusView).rollouts.map(({ id }) => id),
    ['checkout-1'],
  );
  const numbers = client.events.map(({ id }) => Number(id.split('-')[1]));
  assert.equal(
    numbers,
    numbers.map((_, index) => (numbers[0] ?? 0) + index),
    'numbers rise by one',
  );
  await client.close();
});

events('a client that was away gets what it missed, once and in order', async ({ running }) => {
  const first = new EventClient(running.url);
  const { id } = await first.waitFor('the status', ({ type }) => type === 'status');
  const witness = new EventClient(running.url);
  await witness.waitFor('the status', ({ type }) => type === 'status');
  await first.close();
  running.run('commit b2 checkout:v1=0,v2=100');
  await witness.waitFor('a step', isPhase('Progressing'));
  running.run('ack', 'abort checkout-1 no', 'ack');
  await witness.waitFor('the end', isPhase('Aborted'));
  const second = new EventClient(running.url, id);
  await second.waitFor('the end', isPhase('Aborted'));
  const [status, ...missed] = witness.events;
  assert.is(status?.type, 'status');
  assert.equal(second.events, missed);
  await second.close();
  await witness.close();
});

events('an id of another run, or none at all, begins with the status', async ({ running }) => {
  for (const lastId of ['zzz-1', 'garbage', '-', 'a-b-c', '-1']) {
    const client = new EventClient(running.url, lastId);
    const [event] = [await client.waitFor('the status', () => true)];
    assert.is(event.type, 'status', lastId);
    await client.close();
  }
});

events('a stop ends the streams and does not wait for them', async ({ running }) => {
  const client = new EventClient(running.url);
  await client.waitFor('the status', () => true);
  const startMs = performance.now();
  await running.stop();
  await client.ended();
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs < 900, `it took ${tookMs} ms, not the second that is given to requests`);
});

/** A response whose socket takes one write and then no more until it is told to. */
class StuckResponse extends Writable {
  text = '';
  private release: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 1 });
  }

  writeHead(): ServerResponse {
    return this as unknown as ServerResponse;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.release = done;
  }

  /** The socket takes what waits, and what comes after it. */
  async takeAll(): Promise<void> {
    while (this.writableLength > 0) {
      const release = this.release;
      this.release = undefined;
      release?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

events('a reader that does not read is sent nothing more, and catches up', async () => {
  const clock = manualClock();
  const loop = new ScriptedLoop();
  const moment = () => ({ state: loop.state, proxies: [], nowMs: loop.nowMs });
  const log = new EventLog(1000);
  const stream = new EventStream({ clock, log, moment });
  const response = new StuckResponse();
  stream.subscribe(response as unknown as EventSink, { lastId: '' });
  const waiting = response.writableLength;
  for (const revision of ['r1', 'r2', 'r3']) {
    loop.run(`reject ${revision}`);
    stream.stateChanged();
    clock.advance(1000);
  }
  clock.advance(60_000);
  assert.is(response.writableLength, waiting, 'nothing was added to what waits');
  await response.takeAll();
  const attempted = [...response.text.matchAll(/"attempted":"?(\w+)/g)].map(([, id]) => id);
  assert.equal(attempted, ['null', 'r1', 'r2', 'r3']);
  stream.stop();
});

/** A controller's state right after the first commit, which asks for a mesh of so many services. */
function stateWith(services: number, nowMs: number): LoopState {
  const names = Array.from({ length: services }, (_, index) => `service-${index}`);
  const mesh = meshOf(names.map((name) => ({ name, weights: { v1: 100, v2: 0 } })));
  const revision = { id: 'a1', author: 'ann', title: 'first', committedAtMs: nowMs };
  const settings = { ackDeadlineMs: 30_000 };
  const empty = startState(initialDurableState, new LoadHistory(), nowMs);
  const { state } = stepLoop(empty, accepted(revision, [mesh]), settings, nowMs);
  return stepLoop(state, { kind: 'tick' }, settings, nowMs).state;
}

events('a large graph is sent at every fifth look, a small one at each', () => {
  for (const { services, expected } of [
    { services: 3, expected: 11 },
    { services: 300, expected: 3 },
  ]) {
    const clock = manualClock();
    const state = stateWith(services, clock.now());
    const moment = () => ({ state, proxies: [], nowMs: clock.now() });
    const stream = new EventStream({ clock, log: new EventLog(1000), moment });
    const response = new StuckResponse();
    response.write = (text: unknown) => {
      response.text += text;
      return true;
    };
    stream.subscribe(response as unknown as EventSink, { lastId: '', mesh: 'demo' });
    for (let second = 1; second <= 10; second += 1) {
      state.load.record({
        ...{ mesh: 'demo', virtualNode: 'service-0-v1', direction: 'egress', instance: 'web' },
        ...{ fromMs: clock.now(), toMs: clock.now() + 1, successes: 1, errors: 0, issued: second },
      });
      clock.advance(1000);
    }
    assert.is(response.text.split('event: mesh').length - 1, expected);
    stream.stop();
  }
});

events('more than 64 listeners are refused', async ({ running }) => {
  const clients = Array.from({ length: 64 }, () => new EventClient(running.url));
  await Promise.all(clients.map((client) => client.waitFor('the status', () => true)));
  assert.is((await running.get('/api/v1/events')).status, 503);
  await clients[0]?.close();
  await until('a place is free', async () => {
    const response = await running.get('/api/v1/events');
    await response.body?.cancel();
    return response.status === 200;
  });
  await Promise.all(clients.map((client) => client.close()));
});

events('the log forgets the oldest events, and says so', () => {
  const loop = new ScriptedLoop();
  const moment = () => ({ state: loop.state, proxies: [], nowMs: loop.nowMs });
  const log = new EventLog(1000);
  log.look(moment());
  const { id } = log.snapshot(moment());
  for (let round = 0; round < 501; round += 1) {
    loop.run(`reject r${round}`);
    log.look(moment());
    if (round === 499) {
      assert.is(log.since(id)?.length, 500);
    }
  }
  assert.is(log.since(id), undefined);
});

events('nothing is sent while nothing changes but the time of a measurement', () => {
  const loop = new ScriptedLoop();
  for (const line of [...start, 'commit b2 checkout:v1=0,v2=100', 'ack']) {
    loop.run(line);
  }
  const moment = () => ({ state: loop.state, proxies: [], nowMs: loop.nowMs });
  const log = new EventLog(1000);
  log.look(moment());
  const { id } = log.snapshot(moment());
  loop.run('tick 2s');
  log.look(moment());
  assert.equal(log.since(id), []);
});

events('progress of the first clone is sent, and polls that find nothing are not', () => {
  const loop = new ScriptedLoop();
  const moment = () => ({ state: loop.state, proxies: [], nowMs: loop.nowMs });
  const log = new EventLog(1000);
  const heard = (event: Parameters<ScriptedLoop['send']>[0]) => {
    log.look(moment());
    const { id } = log.snapshot(moment());
    loop.send(event);
    log.look(moment());
    return (log.since(id) ?? []).map(({ json }) => JSON.parse(json) as StatusView);
  };
  const [first] = heard({ kind: 'sourceFetching', source: '', percent: 34 });
  assert.is(first?.source.fetchedPercent, 34);
  const [other] = heard({ kind: 'sourceFetching', source: 'base', percent: 5 });
  assert.is(other?.repositories[0]?.source.fetchedPercent, 5);
  for (const source of ['', 'base']) {
    assert.is(
      heard({ kind: 'sourceUnchanged', source }).length,
      1,
      'it answers for the first time',
    );
    loop.run('tick 1s');
    assert.equal(heard({ kind: 'sourceUnchanged', source }), []);
  }
});

events.run();
