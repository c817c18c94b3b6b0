/**
 * One Envoy that is given one snapshot after another over ADS, for all that `--mode validate` does not look
 * at: updates in place, warming, addresses that are really listened on. It has the machine's ports to
 * itself only in a network namespace, where `namespace-process.ts` calls this.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { type Secret, withSecrets } from '../../controller/envoy/secrets.js';
import type { ProxyIdentity } from '../../controller/envoy/snapshot.js';
import { snapshotFor } from '../../controller/envoy/translate.js';
import { startEnvoy } from './envoy.js';
import { until } from './until.js';
import { startTestServer, type TestServer } from './xds-server.js';

/** What a proxy gets of a mesh; plain JSON. */
export interface Loading {
  readonly name: string;
  readonly yaml: string;
  readonly proxy: ProxyIdentity;
}

const nodeId = 'mesh/matrix/virtualNode/any';

/**
 * Which of `loadings` Envoy refuses, in its words, or has not acknowledged. Files that they name are in
 * `cwd`, with those of `certificateFolder()`, which every secret is made of.
 */
export async function loadOverAds(
  loadings: readonly Loading[],
  cwd: string,
): Promise<readonly string[]> {
  const secret = await secretOf(cwd);
  const server = await startTestServer();
  const envoy = await startEnvoy(renderBootstrap({ nodeId, xds: [server.address] }), { cwd });
  try {
    const refused: string[] = [];
    for (const loading of loadings) {
      const fault = await load(server, loading, secret);
      refused.push(...(fault === undefined ? [] : [`${loading.name}: ${fault}`]));
    }
    return refused;
  } finally {
    await envoy.stop('SIGKILL');
    await server.stop();
  }
}

async function load(
  server: TestServer,
  { yaml, proxy }: Loading,
  secret: Secret,
): Promise<string | undefined> {
  const { meshes } = loadMeshes({
    files: [{ path: 'mesh.yaml', bytes: Buffer.from(yaml) }],
    problems: [],
  });
  const [mesh] = meshes;
  const snapshot = mesh && snapshotFor(mesh, proxy);
  if (snapshot === undefined) {
    return 'nothing is served';
  }
  const known = server.events.length;
  server.serve(nodeId, withSecrets(snapshot, { get: () => secret }));
  const refusal = () => server.events.slice(known).find(({ kind }) => kind === 'proxyNacked');
  const isTaken = () => server.server.proxies()[0]?.ackedGeneration === server.generation();
  try {
    await until('all is acknowledged', () => isTaken() || refusal() !== undefined);
  } catch (error) {
    return String(error);
  }
  const found = refusal();
  return found?.kind === 'proxyNacked' ? found.error : undefined;
}

async function secretOf(folder: string): Promise<Secret> {
  const read = (name: string) => readFile(join(folder, name));
  return {
    certificate: {
      kind: 'certificate',
      chain: await read('server.pem'),
      key: await read('server.key'),
    },
    trust: { kind: 'trust', authorities: await read('ca.pem') },
  };
}
