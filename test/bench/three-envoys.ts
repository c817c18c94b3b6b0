/**
 * What benchmarks of the main loop stand on: the controller in a process of its own, a Git repository, a
 * good and a bad version of one service, and three Envoys of its caller, each with a client of its own.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../controller/demo/free-ports.js';
import { type LoadClient, startLoad } from '../../controller/demo/load.js';
import { meshFiles } from '../../controller/demo/mesh-files.js';
import { createRepository, type DemoRepository } from '../../controller/demo/repository.js';
import { startService } from '../../controller/demo/services.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { type RunningEnvoy, startEnvoy } from '../support/envoy.js';
import { type HeadgateProcess, startHeadgate } from '../support/headgate.js';
import type { Undo } from '../support/stage.js';
import { until } from '../support/until.js';

export const pollMs = 100;

export interface ThreeEnvoys {
  readonly repository: DemoRepository;
  readonly envoys: readonly RunningEnvoy[];
  readonly loads: readonly LoadClient[];
  /** Starts `headgate serve` on the state that the one before it left. */
  serve(): Promise<HeadgateProcess>;
}

/**
 * `policy` is a YAML document of kind RolloutPolicy; v1 is good and is served, v2 fails half of its requests,
 * or the share that `errorShare` says.
 */
export async function openThreeEnvoys(
  policy: string,
  undo: Undo,
  errorShare = 0.5,
): Promise<{ readonly stage: ThreeEnvoys; readonly headgate: HeadgateProcess }> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-bench-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const good = await startService('v1', 0);
  const bad = await startService('v2', errorShare);
  undo.push(() => Promise.all([good.stop(), bad.stop()]));
  const [xdsPort = 0, ...egressPorts] = await freePorts(4);
  const ports = { v1: good.port, v2: bad.port };
  const repository = await createRepository(folder);
  const files = meshFiles({ checkout: ports, app: ports });
  await repository.commit('first', { ...files, 'policy.yaml': policy });
  const started: HeadgateProcess[] = [];
  undo.push(() => Promise.all(started.map((one) => one.stop())));
  const serve = async () => {
    const headgate = await startHeadgate([
      ...['--repo', repository.bare, '--poll', `${pollMs}ms`, '--http', '127.0.0.1:0'],
      ...['--xds', `127.0.0.1:${xdsPort}`, '--state', join(folder, 'headgate.db')],
    ]);
    started.push(headgate);
    return headgate;
  };
  const headgate = await serve();
  const envoys = await Promise.all(
    egressPorts.map(async (port) => {
      const envoy = await startEnvoy(
        renderBootstrap({
          nodeId: 'mesh/shop/virtualNode/web',
          xds: [{ address: '127.0.0.1', port: xdsPort }],
          egress: { address: '127.0.0.1', port },
        }),
      );
      undo.push(() => envoy.stop());
      return envoy;
    }),
  );
  await until('three proxies are synced', async () => {
    const { proxies } = await headgate.status();
    return proxies.synced === envoys.length;
  });
  const loads = egressPorts.map((port) =>
    startLoad({ port, host: 'checkout.shop.local', requestsPerSecond: 100 }),
  );
  undo.push(() => Promise.all(loads.map((load) => load.stop())));
  return { stage: { repository, envoys, loads, serve }, headgate };
}

/** True where `envoy` has a weight for v2. */
export async function isWeighted(envoy: RunningEnvoy | undefined): Promise<boolean> {
  const dump = await envoy?.admin('/config_dump?resource=dynamic_route_configs');
  return /"name": "cds_egress_shop_checkout-v2[^"]*",\s*"weight": [1-9]/.test(dump ?? '');
}

/** Takes the newest commit back and waits until that is served everywhere. */
export async function revert(headgate: HeadgateProcess, stage: ThreeEnvoys): Promise<void> {
  const reverted = await stage.repository.revert();
  await until(
    'the revert is applied',
    async () => {
      const { revision, proxies } = await headgate.status();
      return revision.applied === reverted && proxies.synced === stage.envoys.length;
    },
    60_000,
  );
}

export interface Spread {
  readonly median: number;
  readonly worst: number;
}

/** The median of an even number of values is the upper one of the two in the middle. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((left, right) => left - right);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, worst: sorted.at(-1) ?? 0 };
}

export function renderLosses(loads: readonly LoadClient[]): string {
  const sum = (count: (load: LoadClient) => number) =>
    loads.reduce((total, load) => total + count(load), 0);
  return `requests: ${sum((load) => load.counts().sent)} sent, ${sum((load) => load.counts().lost)} lost`;
}
