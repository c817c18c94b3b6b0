/**
 * Three replicas are replaced one after another, and the leader is killed, while a release rolls out through
 * real Envoys under traffic: not one request is lost, and the rollout ends as it should.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePorts } from '../../controller/demo/free-ports.js';
import { startLoad } from '../../controller/demo/load.js';
import { meshFiles } from '../../controller/demo/mesh-files.js';
import { startService } from '../../controller/demo/services.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { startEnvoy } from '../support/envoy.js';
import type { HeadgateProcess } from '../support/headgate.js';
import { policyYaml, successGate } from '../support/policy-yaml.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';
import { openReplicas, viewOf } from './replica-stage.js';

const rolling = suite('replicas are replaced in mid-rollout');
const undo: Undo = [];
const names = ['a', 'b', 'c'] as const;

const policy = policyYaml({
  name: 'steady',
  steps: [
    '{ progress: 10, bake: 3s }',
    '{ progress: 30, bake: 3s }',
    '{ progress: 60, bake: 3s }',
    '{ progress: 100, bake: 3s }',
  ],
  gates: [successGate('5s', 5)],
});

const stage = await openStage(rolling, undo, async () => {
  const services = await Promise.all(['v1', 'v2'].map((version) => startService(version, 0)));
  undo.push(() => Promise.all(services.map((service) => service.stop())));
  const [egress = 0, v1 = 0, v2 = 0, ...xds] = await freePorts(6);
  const app = Object.fromEntries(services.map(({ version, port }) => [version, port]));
  const xdsPorts = Object.fromEntries(names.map((name, index) => [name, xds[index] ?? 0]));
  const files = meshFiles({ checkout: { v1, v2 }, app });
  const replicas = await openReplicas(undo, { names, lease: '4s', policy, xdsPorts, files });
  const addresses = xds.map((port) => ({ address: '127.0.0.1', port }));
  const listeners = {
    web: { egress },
    'checkout-v1': { ingress: v1 },
    'checkout-v2': { ingress: v2 },
  };
  for (const [name, ports] of Object.entries(listeners)) {
    const at = (port: number | undefined) =>
      port === undefined ? undefined : { address: '127.0.0.1', port };
    const { ingress, egress: out } = ports as { ingress?: number; egress?: number };
    const envoy = await startEnvoy(
      renderBootstrap({
        nodeId: `mesh/shop/virtualNode/${name}`,
        xds: addresses,
        ingress: at(ingress),
        egress: at(out),
      }),
    );
    undo.push(() => envoy.stop());
  }
  return { ...replicas, egress };
});

rolling('no request is lost', async () => {
  const { leader } = await stage.roles();
  await until('all Envoys are synced', async () => (await leader.status()).proxies.synced === 3);
  const load = startLoad({
    port: stage.egress,
    host: 'checkout.shop.local',
    requestsPerSecond: 50,
  });
  undo.push(() => load.stop());
  await until('traffic flows', () => (load.counts().byVersion.v1 ?? 0) > 20);
  load.reset();
  const id = await stage.release('v2', leader);
  await leader.rolloutIn(id, ['Baking']);
  for (const name of names) {
    await replace(name, name === 'b' ? 'SIGKILL' : 'SIGTERM');
  }
  const { leader: last } = await stage.roles();
  const ended = await last.rolloutIn(id, ['Succeeded', 'RolledBack', 'Aborted', 'Paused'], 180_000);
  assert.is(ended.phase, 'Succeeded', ended.reason);
  await until('only the new one answers', async () => {
    const before = load.counts().byVersion;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const after = load.counts().byVersion;
    return after.v1 === before.v1 && (after.v2 ?? 0) > (before.v2 ?? 0);
  });
  await load.stop();
  const { sent, lost, errors, byVersion } = load.counts();
  process.stdout.write(
    `  ${sent} requests, ${lost} lost, ${errors} errors, ${JSON.stringify(byVersion)}\n`,
  );
  assert.is(lost, 0, load.lastLoss());
  assert.is(errors, 0);
});

rolling.run();

/** Ends the replica and starts another one in its place, which must know who leads before the next goes. */
async function replace(name: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const old = await replicaCalled(name);
  await old.stop(signal);
  const next = await stage.start(name);
  await until(`${name} takes part`, async () => {
    const view = await viewOf(next);
    return view?.leader !== undefined && (await next.status()).meshes.length === 1;
  });
}

async function replicaCalled(name: string): Promise<HeadgateProcess> {
  for (const replica of stage.replicas.filter(({ isRunning }) => isRunning())) {
    if ((await viewOf(replica))?.name === name) {
      return replica;
    }
  }
  throw new Error(`no replica ${name} runs`);
}
