/**
 * The gates that judge by what Envoy tells, with everything real: a Git repository, `headgate serve` in a
 * process of its own, a gateway's Envoy and its load. Each release has the policy that it is judged by.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startHttpApp } from '../support/apps.js';
import {
  allTo,
  checkoutGatewayRoute,
  checkoutMesh,
  checkoutRouter,
} from '../support/checkout-mesh.js';
import { policyYaml } from '../support/policy-yaml.js';
import { type ServedGateway, serveGateway } from '../support/served-gateway.js';
import { openStage, type Undo } from '../support/stage.js';

const test = suite('gates on what Envoy tells');
const undo: Undo = [];

interface Version {
  readonly delayMs: number;
  /** Of the answers, 0 to 1. */
  readonly errorShare: number;
}

const versions: Readonly<Record<string, Version>> = {
  good: { delayMs: 5, errorShare: 0 },
  better: { delayMs: 5, errorShare: 0 },
  unlucky: { delayMs: 5, errorShare: 0 },
  slow: { delayMs: 80, errorShare: 0 },
  slower: { delayMs: 120, errorShare: 0 },
  worse: { delayMs: 5, errorShare: 0.5 },
  worst: { delayMs: 5, errorShare: 0.6 },
  down: { delayMs: 5, errorShare: 1 },
};

/** True: every version answers every third request with an error, as where a database that all use is ill. */
let isOutage = false;

function startVersion(name: string, { delayMs, errorShare }: Version) {
  let count = 0;
  return startHttpApp((_request, response) => {
    count += 1;
    const share = isOutage ? 1 / 3 : errorShare;
    const isError = Math.floor(count * share) > Math.floor((count - 1) * share);
    setTimeout(() => {
      response.writeHead(isError ? 500 : 200, { 'x-version': name });
      response.end();
    }, delayMs);
  });
}

const second = (value: number): string => `{ unit: s, value: ${value} }`;
const ejecting = `outlierDetection: { ${[
  'maxServerErrors: 3',
  'maxEjectionPercent: 100',
  `interval: ${second(1)}`,
  `baseEjectionDuration: ${second(60)}`,
].join(', ')} }`;

const router = (version: string): string => checkoutRouter(allTo(version, Object.keys(versions)));

function policy(gates: readonly string[], deadline: string): string {
  return policyYaml({
    name: 'quick',
    steps: ['{ progress: 30, bake: 1s }', '{ progress: 100, bake: 1s }'],
    gates,
    fields: [`stepDeadline: ${deadline}`],
  });
}

async function setUp(): Promise<ServedGateway> {
  const ports: Record<string, number> = {};
  for (const [name, version] of Object.entries(versions)) {
    const app = await startVersion(name, version);
    undo.push(() => app.stop());
    ports[name] = app.port;
  }
  return serveGateway(undo, {
    requestsPerSecond: 40,
    filesFor: (gatewayPort) => ({
      'mesh.yaml': checkoutMesh({
        gatewayPort,
        ports,
        listener: ejecting,
        more: [checkoutGatewayRoute()],
      }),
      'router.yaml': router('good'),
    }),
  });
}

const stage = await openStage(test, undo, setUp);

const known: string[] = [];

interface Release {
  readonly version: string;
  readonly gates: readonly string[];
  readonly deadline?: string;
}

/** The id of the rollout that comes of `files`. */
async function commit(title: string, files: Readonly<Record<string, string>>): Promise<string> {
  await stage.repository.commit(title, files);
  const { id } = await stage.headgate.newRollout(known);
  known.push(id);
  return id;
}

/** The rollout of `version`, once it has ended or waits for a person. */
async function release({ version, gates, deadline = '5m' }: Release) {
  const judging = await commit(`judge ${version}`, { 'policy.yaml': policy(gates, deadline) });
  await stage.headgate.rolloutIn(judging, ['Succeeded']);
  const id = await commit(`release ${version}`, { 'router.yaml': router(version) });
  return stage.headgate.rolloutIn(id, ['Succeeded', 'RolledBack', 'Paused'], 180_000);
}

/** What every rollout is judged by in one way or another. */
const compare = '{ name: compare, compare: { metric: errorRate, maxRate: 20 } }';

test('a healthy canary passes all of them', async () => {
  const gates = [
    compare,
    '{ name: slower, compare: { metric: latency, slowerThan: 1s, maxRate: 20 } }',
    '{ name: latency, latency: { max: 1s, maxRatioToBaseline: 20, minRequests: 20 } }',
    '{ name: health, health: {} }',
  ];
  const rollout = await release({ version: 'better', gates });
  assert.is(rollout.phase, 'Succeeded', rollout.reason);
  const verdicts = rollout.evidence.flatMap((step) => step.gates.map(({ verdict }) => verdict));
  assert.equal(verdicts, Array(8).fill('pass'));
});

test('a canary that answers more slowly comes back by the latency of both', async () => {
  const gate =
    '{ name: slower, latency: { quantile: 0.9, maxRatioToBaseline: 2, minRequests: 20 } }';
  const rollout = await release({ version: 'slow', gates: [gate] });
  assert.is(rollout.phase, 'RolledBack', rollout.reason);
  assert.match(
    rollout.reason,
    /gate slower failed: latency p90 \d+(\.\d)?ms > [\d.]+ms, 2 × the baseline's [\d.]+ms \(\d+ requests, 1m\)/,
  );
});

test('and by the share of slow answers, tested in sequence', async () => {
  const gate = '{ name: slower, compare: { metric: latency } }';
  const rollout = await release({ version: 'slower', gates: [gate, compare] });
  assert.is(rollout.phase, 'RolledBack', rollout.reason);
  assert.match(
    rollout.reason,
    /gate slower failed: share slower than \d+ms [\d.]+% > [\d.]+% of the baseline \(\d+ requests against \d+, \d+s; harm \d+ of 100\)/,
  );
});

test('a worse canary comes back by comparison', async () => {
  const rollout = await release({ version: 'worse', gates: [compare] });
  assert.is(rollout.phase, 'RolledBack', rollout.reason);
  assert.match(
    rollout.reason,
    /gate compare failed: error rate [\d.]+% > 0% of the baseline \(\d+ requests against \d+/,
  );
});

test('and by comparison with a baseline of its own', async () => {
  const gate =
    '{ name: compare, compare: { metric: errorRate, baseline: dedicated, maxRate: 20 } }';
  const rollout = await release({ version: 'worst', gates: [gate] });
  assert.is(rollout.phase, 'RolledBack', rollout.reason);
  const seen = /gate compare failed: error rate .* \((\d+) requests against (\d+)/.exec(
    rollout.reason,
  );
  assert.ok(seen, rollout.reason);
  const [canary, baseline] = seen.slice(1).map(Number);
  // As many as the canary's, by chance: the stable version as a whole has more than twice of them.
  const ratio = (baseline ?? 0) / (canary ?? 0);
  assert.ok(ratio > 0.6 && ratio < 1.6, rollout.reason);
});

test('a canary whose endpoints are put out comes back by its health', async () => {
  const rollout = await release({ version: 'down', gates: ['{ name: health, health: {} }'] });
  assert.is(rollout.phase, 'RolledBack', rollout.reason);
  assert.match(
    rollout.reason,
    /gate health failed: healthy endpoints 0% < 90% \(1 endpoint seen by 1 proxy, 1 ejected, 20s\)/,
  );
});

test('an outage that both suffer is no reason to come back', async () => {
  isOutage = true;
  const rollout = await release({ version: 'unlucky', gates: [compare], deadline: '30s' });
  assert.is(rollout.phase, 'Paused', rollout.reason);
  assert.match(rollout.reason, /both suffer/);
  isOutage = false;
  assert.is(await stage.headgate.command(rollout.id, 'abort', 'not today'), 200);
  await stage.headgate.rolloutIn(rollout.id, ['Aborted']);
});

test.run();
