/**
 * Releases behind a gateway with everything real: a Git repository, `headgate serve` in its own process,
 * the gateway's Envoy, whose load reports are all that the gates have, and requests, none of which is
 * lost.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startService } from '../../controller/demo/services.js';
import {
  allTo,
  checkoutGatewayRoute,
  checkoutMesh,
  checkoutRouter,
} from '../support/checkout-mesh.js';
import { policyYaml, successGate } from '../support/policy-yaml.js';
import { type ServedGateway, serveGateway } from '../support/served-gateway.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';

const test = suite('releases behind a gateway');
const undo: Undo = [];

/** v3 is the bad one. */
const versions = [
  { version: 'v1', errorShare: 0 },
  { version: 'v2', errorShare: 0 },
  { version: 'v3', errorShare: 0.4 },
];

const policy = policyYaml({
  name: 'quick',
  steps: ['{ progress: 20, bake: 1s }', '{ progress: 100, bake: 1s }'],
  gates: [successGate('5s', 15)],
});

/** All requests to the service go to `version`. */
const router = (version: string): string =>
  checkoutRouter(
    allTo(
      version,
      versions.map((one) => one.version),
    ),
  );

async function setUp(): Promise<ServedGateway> {
  const services = await Promise.all(
    versions.map(({ version, errorShare }) => startService(version, errorShare)),
  );
  undo.push(() => Promise.all(services.map((service) => service.stop())));
  const ports = Object.fromEntries(services.map(({ version, port }) => [version, port]));
  return serveGateway(undo, {
    requestsPerSecond: 100,
    filesFor: (gatewayPort) => ({
      'mesh.yaml': checkoutMesh({ gatewayPort, ports, more: [policy] }),
      'router.yaml': router('v1'),
      'gateway-route.yaml': checkoutGatewayRoute(),
    }),
  });
}

const stage = await openStage(test, undo, setUp);

const known: string[] = [];

/** Commits `files`; the rollout that comes of it, once it is in one of `phases`. */
async function release(files: Readonly<Record<string, string>>, phases: readonly string[]) {
  await stage.repository.commit('a release', files);
  const { id } = await stage.headgate.newRollout(known);
  known.push(id);
  return stage.headgate.rolloutIn(id, phases, 60_000);
}

/** The version that gives the next 30 answers; several where they differ. */
async function answering(): Promise<string> {
  const before = stage.load.counts();
  await until('thirty more answers', () => stage.load.counts().sent >= before.sent + 30);
  const { byVersion } = stage.load.counts();
  const names = Object.keys(byVersion);
  return names.filter((name) => byVersion[name] !== before.byVersion[name]).join(' and ');
}

test('a good release goes up step by step, on the figures of the gateway alone', async () => {
  assert.is(await answering(), 'v1');
  const rollout = await release({ 'router.yaml': router('v2') }, ['Succeeded', 'RolledBack']);
  assert.is(rollout.phase, 'Succeeded', rollout.reason);
  assert.is(await answering(), 'v2');
});

test('a bad release comes back', async () => {
  const rollout = await release({ 'router.yaml': router('v3') }, ['Succeeded', 'RolledBack']);
  assert.is(rollout.phase, 'RolledBack');
  assert.match(rollout.reason, /gate success failed: success rate [\d.]+% < 99%/);
  assert.is(await answering(), 'v2');
});

test('another match of a gateway route is a rollout, too', async () => {
  const files = {
    'gateway-route.yaml': checkoutGatewayRoute('prefix: /, hostname: { suffix: .com }'),
  };
  const rollout = await release(files, ['Succeeded', 'RolledBack']);
  assert.is(rollout.phase, 'Succeeded', rollout.reason);
  assert.is(rollout.name, 'checkout');
  assert.is(await answering(), 'v2');
});

test('and not one request is lost', () => {
  const { lost, sent } = stage.load.counts();
  assert.is(lost, 0, `${lost} of ${sent} requests: ${stage.load.lastLoss()}`);
  assert.ok(sent > 100);
});

test.run();
