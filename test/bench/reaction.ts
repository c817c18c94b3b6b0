/**
 * `npm run bench:reaction [ROUNDS]`: how fast the main loop reacts, with real Git and three real Envoys.
 * Each round commits a bad release and its revert. Printed in milliseconds, median and worst:
 * the commit to the first changed weight inside an Envoy (its admin interface says so), less the poll
 * interval; the failing gate to the rollback that all three have acknowledged; and, once a round, the
 * start after `kill -9` to serving.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HistoryView } from '../../controller/api/history-view.js';
import { freePorts } from '../../controller/demo/free-ports.js';
import { startLoad } from '../../controller/demo/load.js';
import { checkout, meshFiles, routeFile } from '../../controller/demo/mesh-files.js';
import { createRepository } from '../../controller/demo/repository.js';
import { startService } from '../../controller/demo/services.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { startEnvoy } from '../support/envoy.js';
import { startHeadgate } from '../support/headgate.js';
import { until } from '../support/until.js';

const rounds = Number(process.argv[2] ?? 20);
const pollMs = 100;

const policy = `apiVersion: headgate/v1
kind: RolloutPolicy
metadata:
  name: quick
spec:
  steps:
    - { progress: 50, bake: 5s }
    - { progress: 100, bake: 5s }
  gates:
    - name: success
      successRate: { min: 99, window: 5s, minRequests: 10 }
`;

const folder = await mkdtemp(join(tmpdir(), 'headgate-bench-'));
const good = await startService('v1', 0);
const bad = await startService('v2', 0.5);
const [xdsPort = 0, ...egressPorts] = await freePorts(4);
const ports = { v1: good.port, v2: bad.port };
const repository = await createRepository(folder);
const files = meshFiles({ checkout: ports, app: ports });
await repository.commit('first', { ...files, 'policy.yaml': policy });
const serve = () =>
  startHeadgate([
    ...['--repo', repository.bare, '--poll', `${pollMs}ms`, '--http', '127.0.0.1:0'],
    ...['--xds', `127.0.0.1:${xdsPort}`, '--state', join(folder, 'headgate.db')],
  ]);
let headgate = await serve();
const envoys = await Promise.all(
  egressPorts.map((port) =>
    startEnvoy(
      renderBootstrap({
        nodeId: 'mesh/shop/virtualNode/web',
        xds: [{ address: '127.0.0.1', port: xdsPort }],
        egress: { address: '127.0.0.1', port },
      }),
    ),
  ),
);
await until('three proxies are synced', async () => {
  const { proxies } = await headgate.status();
  return proxies.synced === envoys.length;
});
const loads = egressPorts.map((port) =>
  startLoad({ port, host: 'checkout.shop.local', requestsPerSecond: 100 }),
);

/** True once `envoys[0]` has a weight for v2. */
async function isWeighted(): Promise<boolean> {
  const dump = await envoys[0]?.admin('/config_dump?resource=dynamic_route_configs');
  return /"name": "cds_egress_shop_checkout-v2[^"]*",\s*"weight": [1-9]/.test(dump ?? '');
}

const toWeight: number[] = [];
const toRollback: number[] = [];
const toServing: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  const known = (await headgate.rollouts()).map(({ id }) => id);
  await repository.commit(`bad ${round}`, { [routeFile]: checkout('v2') });
  const pushedMs = performance.now();
  await until('Envoy has the first weight', isWeighted);
  toWeight.push(performance.now() - pushedMs - pollMs);
  const { id } = await headgate.newRollout(known);
  await headgate.rolloutIn(id, ['RolledBack'], 30_000);
  const answer = await fetch(`${headgate.url}/api/v1/history?kind=rollout&limit=20`);
  const history = (await answer.json()) as readonly HistoryView[];
  const at = (phase: string) => {
    const entry = history.find((one) => one.rollout === id && one.data.phase === phase);
    return Date.parse(entry?.at ?? '');
  };
  toRollback.push(at('RolledBack') - at('RollingBack'));
  await headgate.stop('SIGKILL');
  const killedMs = performance.now();
  headgate = await serve();
  toServing.push(performance.now() - killedMs);
  const reverted = await repository.revert();
  await until(
    'the revert is applied',
    async () => {
      const { revision, proxies } = await headgate.status();
      return revision.applied === reverted && proxies.synced === envoys.length;
    },
    60_000,
  );
}

function print(title: string, values: readonly number[]): void {
  const sorted = [...values].sort((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const worst = sorted.at(-1) ?? 0;
  console.log(`${title}: median ${median.toFixed(0)} ms, worst ${worst.toFixed(0)} ms`);
}

console.log(`${rounds} rounds, 3 Envoys, poll every ${pollMs} ms`);
print('commit pushed to first changed weight in Envoy, less one poll interval', toWeight);
print('failing gate to rollback acknowledged by all three', toRollback);
print('start after kill -9 to serving', toServing);
const sent = loads.reduce((sum, load) => sum + load.counts().sent, 0);
const lost = loads.reduce((sum, load) => sum + load.counts().lost, 0);
console.log(`requests: ${sent} sent, ${lost} lost`);

await Promise.all(loads.map((load) => load.stop()));
await headgate.stop();
await Promise.all(envoys.map((envoy) => envoy.stop()));
await good.stop();
await bad.stop();
await rm(folder, { recursive: true, force: true });
