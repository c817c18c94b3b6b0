/**
 * A gateway's Envoy before a real controller with a real repository, under load from outside: what the tests
 * of whole rollouts through a gateway stand on.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../controller/demo/free-ports.js';
import { type LoadClient, startLoad } from '../../controller/demo/load.js';
import { createRepository, type DemoRepository } from '../../controller/demo/repository.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { type RunningEnvoy, startEnvoy } from './envoy.js';
import { type HeadgateProcess, startHeadgate } from './headgate.js';
import type { Undo } from './stage.js';
import { until } from './until.js';

export interface ServedGateway {
  readonly repository: DemoRepository;
  readonly headgate: HeadgateProcess;
  readonly envoy: RunningEnvoy;
  readonly load: LoadClient;
}

/** Serves what `filesFor` writes for a gateway `edge` of mesh `shop` that listens on the port. */
export async function serveGateway(
  undo: Undo,
  {
    requestsPerSecond,
    path,
    filesFor,
    env = {},
  }: {
    readonly requestsPerSecond: number;
    /** Default: `/`. */
    readonly path?: string;
    readonly filesFor: (gatewayPort: number) => Readonly<Record<string, string>>;
    /** Variables of the controller. */
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<ServedGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-gateway-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const [gatewayPort = 0] = await freePorts(1);
  const repository = await createRepository(folder);
  await repository.commit('first release', filesFor(gatewayPort));
  const headgate = await startHeadgate(
    [
      ...['--repo', repository.bare, '--poll', '200ms', '--state', join(folder, 'headgate.db')],
      ...['--xds', '127.0.0.1:0', '--http', '127.0.0.1:0'],
    ],
    env,
  );
  undo.push(() => headgate.stop());
  const nodeId = 'mesh/shop/virtualGateway/edge';
  const envoy = await startEnvoy(renderBootstrap({ nodeId, xds: [headgate.xds] }));
  undo.push(() => envoy.stop());
  await envoy.waitUntilLive();
  await until('the gateway is synced', async () => (await headgate.status()).proxies.synced === 1);
  const load = startLoad({ port: gatewayPort, host: 'shop.example.com', path, requestsPerSecond });
  undo.push(() => load.stop());
  return { repository, headgate, envoy, load };
}
