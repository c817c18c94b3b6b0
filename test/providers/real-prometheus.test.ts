/**
 * Whole rollouts by a query of a real Prometheus, which scrapes real counters: one that is good, one in
 * whose middle Prometheus is killed, and one that is bad.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runHere } from '../cli/run-main.js';
import { type App, startHttpApp } from '../support/apps.js';
import { type PrometheusProcess, startPrometheus } from '../support/prometheus.js';
import { until } from '../support/until.js';
import { type GatedController, startGated } from './gated-controller.js';

interface Stage {
  readonly folder: string;
  readonly target: App;
  readonly controller: GatedController;
  prometheus: PrometheusProcess;
}

const story = suite<Stage>('rollouts by a real Prometheus');

/** Of each version: of a hundred requests a second so many are errors. */
const errorsOf: Readonly<Record<string, number>> = { v1: 0, v2: 0, v3: 50 };

/** Counters as a service of a hundred requests a second would have them at this moment. */
function metrics(): string {
  const seconds = performance.now() / 1000;
  return Object.entries(errorsOf)
    .map(([version, errors]) => {
      const label = (code: number) => `requests_total{node="checkout-${version}",code="${code}"}`;
      return `${label(200)} ${seconds * (100 - errors)}\n${label(500)} ${seconds * errors}\n`;
    })
    .join('');
}

const selected = 'node=~"{{ canary }}"';
const share =
  `sum(rate(requests_total{${selected},code="500"}[{{ window }}]))` +
  ` / sum(rate(requests_total{${selected}}[{{ window }}]))`;

const undo: (() => Promise<unknown>)[] = [];

story.before(async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-prometheus-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const target = await startHttpApp((_, response) => response.end(metrics()));
  undo.push(() => target.stop());
  const prometheus = await startPrometheus({ folder, targetPort: target.port, port: 0 });
  undo.push(() => context.prometheus.kill());
  Object.assign(context, { folder, target, prometheus });
  const query = `{ provider: prometheus, query: '${share}', max: 0.02, window: 2s, interval: 1s }`;
  const controller = await startGated({
    providers: [`{ name: prometheus, kind: prometheus, url: "${prometheus.url}", timeout: 2s }`],
    gates: [`{ name: burn, query: ${query} }`],
  });
  undo.push(() => controller.stop());
  Object.assign(context, { controller });
});

story.after(async () => {
  for (const step of undo.reverse()) {
    await step();
  }
});

story('a good release is promoted on what Prometheus says', async ({ controller }) => {
  const { id } = await controller.release('v2');
  const ended = await controller.headgate.rolloutIn(id, ['Succeeded']);
  const texts = ended.evidence.map(({ gates }) => gates.map(({ text }) => text));
  const passed = 'query 0 ≤ 0.02 (1 sample, 2s)';
  assert.equal(texts, [[passed], [passed]]);
});

story('with Prometheus killed it waits and says so, and then goes on', async (stage) => {
  const { controller, folder, target } = stage;
  const { headgate } = controller;
  const { id } = await controller.release('v1');
  await stage.prometheus.kill();
  const failing = await controller.gate(id, 'burn', ({ errors }) => errors >= 2);
  assert.is(failing.verdict, 'none');
  assert.is(failing.failures, 0, 'that Prometheus is dead is no failure of the canary');
  assert.is(failing.code, 'provider-unreachable');
  const why = /query: prometheus cannot be reached: ECONNREFUSED \(\d+ errors in a row since .*Z\)/;
  assert.match(failing.text, why);
  const { stdout } = await runHere(['rollouts', id, '--server', headgate.url]);
  assert.match(stdout, why);
  assert.match(stdout, /Waits for +.*gate burn/);
  const { text } = await fetch(`${headgate.url}/metrics`).then(async (answer) => ({
    text: await answer.text(),
  }));
  assert.match(text, /^headgate_gate_measurements_total\{result="provider-unreachable"\} [2-9]/m);
  await headgate.rolloutIn(id, ['Baking']);
  const { port } = stage.prometheus;
  stage.prometheus = await startPrometheus({ folder, targetPort: target.port, port });
  await headgate.rolloutIn(id, ['Succeeded']);
  await until('its end is logged', () => headgate.log().includes('gate.recovered'));
});

story('a bad release is rolled back on what Prometheus says', async ({ controller }) => {
  const { id } = await controller.release('v3');
  const { reason } = await controller.headgate.rolloutIn(id, ['RolledBack']);
  assert.match(reason, /^gate burn failed: query 0\.[45]\d* > 0\.02 \(1 sample, 2s\)/);
});

story.run();
