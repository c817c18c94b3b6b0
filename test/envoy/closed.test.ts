/**
 * The controller's process with an xDS port that asks who is there, and stock Envoys with bootstraps of
 * `headgate bootstrap`: who is what it says goes live, who takes another's name gets nothing.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runHere } from '../cli/run-main.js';
import { type Authority, createAuthority } from '../support/authority.js';
import { startEnvoy } from '../support/envoy.js';
import { type HeadgateProcess, startHeadgate } from '../support/headgate.js';
import { until } from '../support/until.js';

interface Context {
  folder: string;
  authority: Authority;
  headgate: HeadgateProcess;
}

const closed = suite<Context>('envoy: an xDS port that is closed to strangers');

const node = 'mesh/shop/virtualNode/cart';
const mesh = `apiVersion: headgate/v1
kind: Mesh
metadata: { name: shop }
spec: {}
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: cart }
spec:
  listeners:
    - portMapping: { port: 8080, protocol: http }
  serviceDiscovery: { dns: { hostname: cart.internal } }
`;

closed.before(async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-closed-'));
  const authority = await createAuthority();
  const server = await authority.issue('server', 'DNS:headgate.internal');
  for (const name of ['cart', 'till']) {
    await authority.issue(name, `URI:spiffe://shop.example/ns/shop/sa/${name}`);
  }
  const key = join(folder, 'token.key');
  await writeFile(key, `${'k'.repeat(40)}\n`);
  const source = await mkdtemp(join(folder, 'mesh-'));
  await writeFile(join(source, 'mesh.yaml'), mesh);
  Object.assign(context, {
    folder,
    authority,
    headgate: await startHeadgate([
      ...['--repo', source, '--state', join(folder, 'state.db'), '--http', '127.0.0.1:0'],
      // Reachable by other machines, and not called insecure.
      ...['--xds', '0.0.0.0:0', '--xds-cert', server.chain, '--xds-key', server.key],
      ...['--xds-client-ca', authority.ca, '--xds-crl', authority.crl],
      ...['--xds-clients', 'spiffe://shop.example/ns/{m}/sa/{n} => mesh/{m}/virtualNode/{n}'],
      ...['--xds-token-key', key],
    ]),
  });
});

closed.after(async ({ folder, authority, headgate }) => {
  await headgate.stop();
  await authority.remove();
  await rm(folder, { recursive: true, force: true });
});

/** What `headgate bootstrap` prints for the node with these flags. */
async function bootstrapOf(
  { authority, headgate }: Context,
  flags: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const xds = `127.0.0.1:${headgate.xds.port}`;
  const tls = ['--xds-ca', authority.ca, '--xds-name', 'headgate.internal'];
  const args = ['bootstrap', node, '--xds', xds, ...tls, ...flags];
  const { code, stdout, stderr } = await runHere(args);
  assert.is(code, 0, stderr);
  return JSON.parse(stdout);
}

async function tokenFile({ folder }: Context, who: string): Promise<string> {
  const key = join(folder, 'token.key');
  const { code, stdout, stderr } = await runHere(['proxy-token', who, '--key', key]);
  assert.is(code, 0, stderr);
  assert.match(stderr, /^token [0-9a-f]{12} of mesh\/shop\/virtualNode\/\w+, until 20/);
  const path = join(folder, `token-${who.replaceAll('/', '-')}`);
  await writeFile(path, stdout);
  return path;
}

/** An Envoy with these flags; `play` is given its page of statistics. */
async function withEnvoy(
  context: Context,
  flags: readonly string[],
  play: (envoy: Awaited<ReturnType<typeof startEnvoy>>) => Promise<void>,
): Promise<void> {
  const envoy = await startEnvoy(await bootstrapOf(context, flags));
  try {
    await play(envoy);
  } finally {
    await envoy.stop();
  }
}

const certificateOf = ({ authority }: Context, name: string): readonly string[] => [
  ...['--xds-cert', join(authority.folder, `${name}.pem`)],
  ...['--xds-key', join(authority.folder, `${name}.key`)],
];

const denied = async ({ headgate }: Context, reason: string): Promise<number> => {
  const text = await (await fetch(`${headgate.url}/metrics`)).text();
  const line = new RegExp(`^headgate_xds_denied_total\\{reason="${reason}"\\} (\\d+)`, 'm');
  return Number(line.exec(text)?.[1] ?? Number.NaN);
};

closed('an Envoy with its certificate goes live', async (context) => {
  await withEnvoy(context, certificateOf(context, 'cart'), (envoy) => envoy.waitUntilLive());
});

closed('an Envoy with its token goes live', async (context) => {
  const flags = ['--token-file', await tokenFile(context, node)];
  await withEnvoy(context, flags, (envoy) => envoy.waitUntilLive());
});

for (const way of ['certificate', 'token'] as const) {
  closed(
    `an Envoy with another's ${way} gets nothing, and the controller says who asked`,
    async (context) => {
      const before = await denied(context, 'node');
      const flags =
        way === 'certificate'
          ? certificateOf(context, 'till')
          : ['--token-file', await tokenFile(context, 'mesh/shop/virtualNode/till')];
      await withEnvoy(context, flags, async (envoy) => {
        await until('it is refused', async () => (await denied(context, 'node')) > before);
        assert.match(
          await envoy.admin('/server_info'),
          /"state": "(INITIALIZING|PRE_INITIALIZING)"/,
        );
        assert.match(await envoy.admin('/stats?filter=cds.update_success'), /: 0\n/);
      });
      assert.match(context.headgate.log(), /"event":"xds.denied".*"reason":"node"/);
    },
  );
}

closed('an Envoy without either gets nothing', async (context) => {
  const before = await denied(context, 'unauthenticated');
  await withEnvoy(context, [], async (envoy) => {
    await until('it is refused', async () => (await denied(context, 'unauthenticated')) > before);
    assert.match(await envoy.admin('/stats?filter=cds.update_success'), /: 0\n/);
  });
});

closed.run();
