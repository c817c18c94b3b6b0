/** Rollouts of the real controller by judges of the operator's: a smoke test, gRPC health, a person. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ChatServer, startChatServer, status } from '../notify/chat-server.js';
import { secretText } from './asking.js';
import { type GatedController, startGated } from './gated-controller.js';
import { type HealthServer, startHealthServer } from './health-server.js';

interface Stage {
  readonly smoke: ChatServer;
  readonly health: HealthServer;
  readonly controller: GatedController;
}

const story = suite<Stage>('rollouts by other judges');

const smokeGate =
  '{ name: smoke, http: { provider: smoke-tests, method: POST, path: "/run?node={{ canary }}", ' +
  'json: { pointer: /passed, equals: true }, interval: 1s } }';
const healthGate =
  '{ name: health, grpc: { provider: checkout, service: shop.Checkout, interval: 1s } }';

const undo: (() => Promise<unknown>)[] = [];

story.before(async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-judges-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const token = join(folder, 'token');
  await writeFile(token, `${secretText}\n`);
  const smoke = await startChatServer();
  undo.push(() => smoke.close());
  const health = await startHealthServer();
  undo.push(async () => health.stop());
  const controller = await startGated({
    providers: [
      `{ name: smoke-tests, kind: http, url: "${smoke.url}", tokenFile: ${token} }`,
      `{ name: checkout, kind: grpc, url: "${health.url}" }`,
    ],
    gates: [smokeGate],
  });
  undo.push(() => controller.stop());
  Object.assign(context, { smoke, health, controller });
});

story.after(async () => {
  for (const step of undo.reverse()) {
    await step();
  }
});

story('a smoke test that passes promotes', async ({ controller, smoke }) => {
  smoke.answer(status(200, {}, '{"passed":true}'));
  const { id } = await controller.release('v2');
  const ended = await controller.headgate.rolloutIn(id, ['Succeeded']);
  assert.is(ended.evidence[0]?.gates[0]?.text, '/passed true = true (1 answer)');
  const [first] = smoke.requests;
  assert.is(first?.path, '/services/T0/B0/s3cret/run?node=checkout-v2');
  assert.is(first?.headers.authorization, `Bearer ${secretText}`);
  const about = JSON.parse(first?.body ?? '');
  assert.is(about.rollout, id);
  assert.equal([about.canary, about.stable], [['checkout-v2'], ['checkout-v1']]);
  assert.equal([about.step, about.steps, about.progress], [1, 2, 50]);
});

story('while it is away the rollout waits, and then it decides', async ({ controller, smoke }) => {
  smoke.answer(status(503, {}, `down, ${secretText}`));
  const { id } = await controller.release('v1');
  const { code, text } = await controller.gate(id, 'smoke', ({ errors }) => errors > 0);
  assert.is(code, 'http-status');
  assert.match(text, /^http: smoke-tests answered HTTP 503, expected 2xx \(1 error since /);
  smoke.answer(status(200, {}, '{"passed":false}'));
  const { reason } = await controller.headgate.rolloutIn(id, ['RolledBack']);
  assert.is(reason, 'gate smoke failed: /passed false ≠ true (1 answer)');
});

story('a server that is not serving rolls back, one that is promotes', async (stage) => {
  const { controller, health } = stage;
  await controller.setGates([healthGate]);
  health.set('NOT_SERVING');
  const bad = await controller.release('v3');
  const { reason } = await controller.headgate.rolloutIn(bad.id, ['RolledBack']);
  assert.is(reason, 'gate health failed: service shop.Checkout NOT_SERVING ≠ SERVING (1 answer)');
  health.set('SERVING');
  assert.is(await controller.headgate.command(bad.id, 'retry', 'mended'), 200);
  const again = await controller.headgate.newRollout(
    (await controller.headgate.rollouts()).filter(({ endedAt }) => endedAt).map(({ id }) => id),
  );
  await controller.headgate.rolloutIn(again.id, ['Succeeded']);
});

story('a person is asked, and what they said is kept', async ({ controller }) => {
  const { headgate } = controller;
  await controller.setGates([
    '{ name: qa, at: [50], approval: { text: click through it } }',
    '{ name: hold, at: [100], manual: {} }',
  ]);
  const { id } = await controller.release('v2');
  const waiting = await headgate.rolloutIn(id, ['WaitingForApproval']);
  assert.is(waiting.waitsFor, 'approval of gate qa');
  assert.match(waiting.gates[0]?.text ?? '', /^a person's approval, since .*Z: click through it$/);
  assert.is(await headgate.command(id, 'approve', 'all pages are there'), 200);
  await controller.gate(id, 'hold', ({ text }) => text.startsWith('held until'));
  const held = await headgate.rolloutIn(id, ['WaitingForApproval']);
  assert.is(held.waitsFor, 'release of gate hold');
  assert.is(await headgate.command(id, 'resume', 'the audit is done'), 200);
  const ended = await headgate.rolloutIn(id, ['Succeeded']);
  const texts = ended.evidence.flatMap(({ gates }) => gates.map(({ text }) => text));
  assert.match(texts[0] ?? '', /^approved by .+ at .*Z: all pages are there$/);
  assert.match(texts[1] ?? '', /^let go by .+ at .*Z: the audit is done$/);
});

story('no log line has the token', ({ controller }) => {
  assert.not.match(controller.headgate.log(), secretText);
});

story.run();
