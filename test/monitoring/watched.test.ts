/**
 * A rollout as it is watched, with everything real: Envoy, its statistics and the controller's metrics in a
 * Prometheus that has the scrape and the rules we document, and a collector of traces. Every query of every
 * dashboard and alert finds what it asks for.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RolloutView } from '../../controller/api/rollout-view.js';
import { renderAlertRules } from '../../controller/monitoring/alert-rules.js';
import { alertTable } from '../../controller/monitoring/alert-table.js';
import { dashboards } from '../../controller/monitoring/dashboards.js';
import { scrapeConfig } from '../../controller/monitoring/scrape.js';
import { metricTable } from '../../controller/telemetry/metric-table.js';
import { traceIdOf } from '../../controller/telemetry/span.js';
import { startHttpApp } from '../support/apps.js';
import { checkoutGatewayRoute, checkoutMesh, checkoutRouter } from '../support/checkout-mesh.js';
import { type Collector, startCollector } from '../support/otlp-collector.js';
import { type PrometheusProcess, runPrometheus } from '../support/prometheus.js';
import { type ServedGateway, serveGateway } from '../support/served-gateway.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';

const watched = suite('a rollout that is watched');
const undo: Undo = [];

const policy = `apiVersion: headgate/v1
kind: RolloutPolicy
metadata: { name: watched }
spec:
  steps: [{ progress: 30, bake: 1s }, { progress: 100, bake: 1s, approval: true }]
  gates: [{ name: errors, successRate: { min: 99, window: 5s, minRequests: 5 } }]`;

interface Stage extends ServedGateway {
  readonly collector: Collector;
  readonly prometheus: PrometheusProcess;
}

async function setUp(): Promise<Stage> {
  const collector = await startCollector();
  undo.push(() => collector.stop());
  const [v1, v2] = await Promise.all(
    ['v1', 'v2'].map((version) => startHttpApp((_, response) => response.end(version))),
  );
  assert.ok(v1 && v2);
  undo.push(() => Promise.all([v1.stop(), v2.stop()]));
  const served = await serveGateway(undo, {
    requestsPerSecond: 40,
    filesFor: (port) => ({
      'mesh.yaml': checkoutMesh({
        gatewayPort: port,
        ports: { v1: v1.port, v2: v2.port },
        more: [checkoutGatewayRoute(), policy],
      }),
      'router.yaml': checkoutRouter({ v1: 100, v2: 0 }),
    }),
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
  });
  const folder = await mkdtemp(join(tmpdir(), 'headgate-watched-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'alerts.yaml'), renderAlertRules());
  const config = scrapeConfig
    .replace('127.0.0.1:8080', new URL(served.headgate.url).host)
    .replace('127.0.0.1:9901', new URL(served.envoy.adminUrl).host);
  const global =
    'global: { scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }';
  const prometheus = await runPrometheus(`${global}\n${config}`, { folder, port: 0 });
  undo.push(() => prometheus.kill());
  return { ...served, collector, prometheus };
}

const stage = await openStage(watched, undo, setUp);

let rollout: RolloutView;
let commit = '';

async function ask<T>(path: string): Promise<T> {
  const response = await fetch(`${stage.prometheus.url}/api/v1/${path}`);
  const body = (await response.json()) as { status: string; data: T; error?: string };
  assert.is(body.status, 'success', `${decodeURIComponent(path)}: ${body.error}`);
  return body.data;
}

interface Result {
  readonly result: readonly { readonly value: readonly [number, string] }[];
}

const query = (expr: string) => ask<Result>(`query?query=${encodeURIComponent(expr)}`);

/** As Grafana fills it in for the rollout that is on its way. */
function filledIn(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$mesh', 'shop')
    .replaceAll('$rollout', 'checkout');
}

watched('a release stops before its second step, for a person', async () => {
  commit = await stage.repository.commit('release v2', {
    'router.yaml': checkoutRouter({ v1: 0, v2: 100 }),
  });
  const { id } = await stage.headgate.newRollout([]);
  rollout = await stage.headgate.rolloutIn(id, ['WaitingForApproval']);
  assert.is(rollout.step.index, 1);
});

watched('the documented scrape reaches both', async () => {
  await until(
    'both are scraped',
    async () => (await query('sum by (job) (up) == 1')).result.length === 2,
  );
});

/** Empty while all is well: nothing is sent, nothing expires, nothing failed, nothing has ended. */
const quiet = [
  'Notifications',
  'Certificates end in',
  'Events that are not well',
  'How long rollouts take',
];

watched('every query of every dashboard has an answer', async () => {
  const queries = dashboards.flatMap(({ rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap(({ title, queries: all }) => all.map(({ expr }) => ({ title, expr }))),
    ),
  );
  assert.ok(queries.length > 40, `${queries.length}`);
  for (const { title, expr } of queries.filter((one) => !quiet.includes(one.title))) {
    await until(`${title}: ${expr}`, async () => (await query(filledIn(expr))).result.length > 0);
  }
  for (const { expr } of queries.filter((one) => quiet.includes(one.title))) {
    await query(filledIn(expr));
  }
});

watched('canary and stable are told apart in Envoy’s own statistics', async () => {
  const { rows } = dashboards[1] ?? { rows: [] };
  const panels = rows.flatMap((row) => row.panels);
  const shown = async (title: string) => {
    const expr = panels.find((panel) => panel.title === title)?.queries[0]?.expr ?? '';
    return Number((await query(filledIn(expr))).result[0]?.value[1]);
  };
  await until('both have their share', async () => {
    const stable = await shown('Stable: requests a second');
    const canary = await shown('Canary: requests a second');
    return stable > canary && canary > 0;
  });
  assert.is(await shown('Canary: errors'), 0);
});

watched('every metric that a dashboard or an alert names exists', async () => {
  const exprs = [
    ...alertTable.map(({ expr }) => expr),
    ...dashboards.flatMap(({ rows }) =>
      rows.flatMap(({ panels }) =>
        panels.flatMap((panel) => panel.queries.map(({ expr }) => expr)),
      ),
    ),
  ];
  const named = exprs.flatMap(
    (expr) => expr.match(/\b(?:headgate|envoy|process|nodejs)_\w+/g) ?? [],
  );
  const asLabels = ['envoy_cluster_name', 'envoy_response_code_class'];
  const scraped = new Set(await ask<readonly string[]>('label/__name__/values'));
  const own = Object.keys(metricTable);
  for (const name of new Set(named.filter((one) => !asLabels.includes(one)))) {
    const isOwn = own.includes(name.replace(/_(bucket|sum|count)$/, ''));
    const exists = name.startsWith('headgate_') ? isOwn : scraped.has(name);
    assert.ok(exists, `${name} does not exist`);
  }
});

watched('Prometheus evaluates every rule, and none fires', async () => {
  interface Rules {
    readonly groups: readonly {
      readonly rules: readonly {
        name: string;
        health: string;
        lastError?: string;
        state: string;
      }[];
    }[];
  }
  const rules = async () => (await ask<Rules>('rules')).groups.flatMap((group) => group.rules);
  await until('all rules were evaluated', async () =>
    (await rules()).every(({ health }) => health !== 'unknown'),
  );
  const all = await rules();
  assert.is(all.length, alertTable.length);
  for (const { name, health, lastError, state } of all) {
    assert.is(health, 'ok', `${name}: ${lastError}`);
    assert.is.not(state, 'firing', name);
  }
});

watched('the trace goes from the commit to the last ACK', async () => {
  const { headgate, collector } = stage;
  assert.is(await headgate.command(rollout.id, 'approve', 'looks good'), 200);
  await headgate.rolloutIn(rollout.id, ['Succeeded']);
  const traceId = traceIdOf(commit);
  const own = () => collector.spans.filter((span) => span.traceId === traceId);
  await until('the commit’s span came', () => own().some(({ name }) => name === 'commit'));
  assert.equal(collector.faults, []);
  const byId = new Map(own().map((span) => [span.spanId, span]));
  const pathOf = (id: string): string => {
    const span = byId.get(id);
    return span === undefined ? '' : `${pathOf(span.parentSpanId)}/${span.name}`;
  };
  const paths = new Set(own().map(({ spanId }) => pathOf(spanId)));
  const steps = '/commit/rollout checkout';
  for (const path of [
    ...['/commit', '/commit/fetch', '/commit/validate', '/commit/plan', steps],
    ...['step 1/2', 'step 2/2'].flatMap((step) => [
      `${steps}/${step}`,
      `${steps}/${step}/push`,
      `${steps}/${step}/push/ack`,
    ]),
    // The last step served all of it already: its end is published, and nobody has to take anything.
    `${steps}/complete/push`,
    ...[`${steps}/step 1/2/gate errors`, `${steps}/step 1/2/wait for approval`],
  ]) {
    assert.ok(paths.has(path), `${path} is not among\n${[...paths].join('\n')}`);
  }
  const root = own().find(({ name }) => name === 'commit');
  assert.ok(root);
  for (const { name, fromMs, toMs, error } of own()) {
    assert.ok(fromMs >= root.fromMs && toMs <= root.toMs && fromMs <= toMs, name);
    assert.is(error, undefined, name);
  }
  assert.match(headgate.log(), `"traceId":"${traceId}"`);
});

watched.run();
