/** When providers are asked: at each order's interval, one question at a time, and never for nothing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createMeasurer, inFlightMax } from '../../controller/providers/measurer.js';
import type { Measurement } from '../../controller/rollout/gates/measurement.js';
import { type ChatServer, startChatServer, status } from '../notify/chat-server.js';
import { manualClock } from '../support/clock.js';
import { recordingLogger } from '../support/recording-logger.js';
import { until } from '../support/until.js';
import { order, provider } from './asking.js';

const test = suite<{ server: ChatServer }>('measurer');

test.before.each(async (context) => {
  context.server = await startChatServer();
});
test.after.each(({ server }) => server.close());

const question = { kind: 'http', method: 'GET', path: '/run', statuses: [] } as const;

function start(server: ChatServer) {
  const clock = manualClock();
  const logger = recordingLogger();
  const measured: { readonly id: string; readonly measurement: Measurement }[] = [];
  const measurer = createMeasurer([provider('http', server.url)], {
    clock,
    logger,
    random: () => 0.5,
    onMeasured: (id, measurement) => void measured.push({ id, measurement }),
  });
  const count = (wanted: number) =>
    until(`${wanted} measurements`, () => measured.length === wanted);
  return { clock, logger, measurer, measured, count };
}

test('asks when an order is due, and again after its interval and a little', async ({ server }) => {
  const { clock, measurer, measured, count } = start(server);
  const one = order(question, { notBeforeMs: clock.now() + 3000 });
  measurer.watch([one]);
  clock.advance(2999);
  assert.is(server.requests.length, 0);
  clock.advance(1);
  await count(1);
  assert.is(measured[0]?.id, one.id);
  assert.equal(measured[0]?.measurement.outcome, { kind: 'response', status: 200 });
  // The interval is 10 s, and half of the jitter's tenth comes on top.
  assert.equal(clock.waitingMs(), [10_500]);
  measurer.watch([one]);
  clock.advance(10_500);
  await count(2);
  await measurer.stop();
  assert.equal(clock.waitingMs(), []);
});

test('asks once at a time, however slow the answer', async ({ server }) => {
  const { clock, measurer, count } = start(server);
  let finish = () => {};
  server.answer((response) => {
    finish = () => response.end();
  });
  const slow = order({ ...question, timeoutMs: 600_000 });
  measurer.watch([slow]);
  clock.advance(0);
  await server.until(1);
  clock.advance(60_000);
  measurer.watch([slow]);
  clock.advance(60_000);
  assert.is(server.requests.length, 1);
  finish();
  await count(1);
  await measurer.stop();
});

test('an order that is gone is cancelled, and its answer is told to nobody', async ({ server }) => {
  const { clock, measurer, measured } = start(server);
  const closed = new Promise<void>((resolve) => {
    server.answer((response) => void response.on('close', resolve));
  });
  measurer.watch([order(question)]);
  clock.advance(0);
  await server.until(1);
  measurer.watch([]);
  await closed;
  await measurer.stop();
  assert.equal(measured, []);
  assert.equal(clock.waitingMs(), []);
});

test('what is done is asked no more, until it is not', async ({ server }) => {
  const { clock, measurer, count } = start(server);
  measurer.watch([order(question)]);
  clock.advance(0);
  await count(1);
  measurer.watch([order(question, { isDone: true })]);
  clock.advance(3_600_000);
  assert.is(server.requests.length, 1);
  measurer.watch([order(question)]);
  clock.advance(0);
  await count(2);
  await measurer.stop();
});

test('a hundred gates ask a provider a few at a time, and each is asked', async ({ server }) => {
  const { clock, measurer, measured, count } = start(server);
  let open: (() => void)[] = [];
  let most = 0;
  server.answer((response) => {
    open.push(() => response.end());
    most = Math.max(most, open.length);
  });
  const orders = Array.from({ length: 100 }, (_, index) => order(question, { id: `${index}` }));
  measurer.watch(orders);
  clock.advance(0);
  while (measured.length < 100) {
    const wanted = Math.min(100, measured.length + inFlightMax);
    await server.until(wanted);
    const finishing = open;
    open = [];
    for (const finish of finishing) {
      finish();
    }
    await count(wanted);
  }
  assert.is(most, inFlightMax);
  assert.equal(
    measured.map(({ id }) => Number(id)).sort((a, b) => a - b),
    [...orders.keys()],
  );
  await measurer.stop();
});

test('a row of errors is logged once, and its end', async ({ server }) => {
  const { clock, logger, measurer, count } = start(server);
  server.answer(status(503));
  measurer.watch([order(question)]);
  clock.advance(0);
  await count(1);
  clock.advance(10_500);
  await count(2);
  server.answer(status(200));
  clock.advance(10_500);
  await count(3);
  assert.equal(
    logger.lines.map(({ event, fields }) => `${event} ${fields.code ?? ''}`.trim()),
    ['gate.error http-status', 'gate.recovered'],
  );
  await measurer.stop();
});

test('a provider that is not there, or of another kind, is an error', async ({ server }) => {
  const { clock, measurer, measured, count } = start(server);
  measurer.watch([
    order(question, { id: 'a', provider: 'nobody' }),
    order({ kind: 'query', query: 'up' }, { id: 'b' }),
  ]);
  clock.advance(0);
  await count(2);
  const codes = measured.map(({ id, measurement: { outcome } }) =>
    outcome.kind === 'error' ? `${id} ${outcome.code}` : id,
  );
  assert.equal(codes.sort(), ['a provider-unknown', 'b provider-kind']);
  assert.is(server.requests.length, 0);
  await measurer.stop();
});

test.run();
