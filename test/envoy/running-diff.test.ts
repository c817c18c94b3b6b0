/**
 * `headgate proxies ID --diff` against a real Envoy: its config dump says the same as what was sent, field by
 * field and in both protocols; and what it refused, or what a dump of before holds, shows.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { viewProxyConfig } from '../../controller/api/proxy-config-view.js';
import { compareRunning } from '../../controller/cli/compare-running.js';
import { freePorts } from '../../controller/demo/free-ports.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { readConfigDump } from '../../controller/envoy/config-dump.js';
import { runApi } from '../api/running-api.js';
import { runHere } from '../cli/run-main.js';
import { startEnvoy } from '../support/envoy.js';
import { goldenCases } from '../support/golden.js';
import { ratingsMesh } from '../support/ratings-mesh.js';
import { type ServedMesh, serveMesh } from '../support/served-mesh.js';
import { until } from '../support/until.js';

const test = suite('proxies --diff with a real Envoy');

const loopback = '127.0.0.1';
const dumpPath = '/config_dump?include_eds';

/** An Envoy for `nodeId`, live, with listeners at free ports. */
async function startProxy(mesh: ServedMesh, nodeId: string, protocol: 'delta' | 'sotw') {
  const [ingressPort = 0, egressPort = 0] = await freePorts(2);
  const envoy = await startEnvoy(
    renderBootstrap({
      ...{ nodeId, protocol, xds: [mesh.xds] },
      ingress: { address: loopback, port: ingressPort },
      egress: { address: loopback, port: egressPort },
    }),
  );
  await envoy.waitUntilLive();
  return envoy;
}

function configOf(mesh: ServedMesh) {
  const [proxy] = mesh.proxies();
  return viewProxyConfig(mesh.resources(proxy?.id ?? '') ?? []).resources;
}

/** Meshes with many kinds of fields, and no secrets: their contents are compared below. */
const cases = ['discovery-health-and-outliers', 'every-match-and-retry', 'gateway-host-names'];

for (const { name, path } of goldenCases('translate').filter((one) => cases.includes(one.name))) {
  test(`Envoy's words are ours, one for one: ${name}`, async () => {
    const mesh = await serveMesh(readFileSync(join(path, 'mesh.yaml'), 'utf8'));
    const { node } = JSON.parse(readFileSync(join(path, 'proxy.json'), 'utf8'));
    try {
      for (const protocol of ['delta', 'sotw'] as const) {
        const envoy = await startProxy(mesh, node, protocol);
        const dump = readConfigDump(JSON.parse(await envoy.admin(dumpPath)));
        const known = configOf(mesh);
        await envoy.stop();
        assert.ok(dump);
        assert.is(dump.nodeId, node);
        assert.is(dump.isDelta, protocol === 'delta');
        assert.ok(known.length > 3, `${known.length} resources`);
        // As if no version told: the contents have to.
        for (const isDelta of new Set([dump.isDelta, false])) {
          for (const one of compareRunning(known, { ...dump, isDelta })) {
            const what = `${protocol} ${one.type} ${one.name}`;
            assert.equal(one.running?.json, one.intended?.json, what);
            assert.is(one.runs, 'asIntended', what);
          }
        }
        await until('it has gone', () => mesh.proxies().length === 0);
      }
    } finally {
      await mesh.stop();
    }
  });
}

const weights = (first: number) =>
  ratingsMesh([
    { port: 9101, weight: first },
    { port: 9102, weight: 100 - first },
  ]);

test('what runs is told from what was acknowledged and what is intended', async () => {
  const nodeId = 'mesh/books/virtualNode/web';
  const mesh = await serveMesh(weights(90));
  const envoy = await startProxy(mesh, nodeId, 'delta');
  const folder = await mkdtemp(join(tmpdir(), 'headgate-running-'));
  const api = await runApi([], { proxyResources: (id) => mesh.resources(id) });
  try {
    api.proxies.push(...mesh.proxies());
    const id = mesh.proxies()[0]?.id ?? '';
    const diff = (...args: readonly string[]) =>
      runHere(['proxies', id, '--server', api.url, ...args]);
    const admin = ['--admin', envoy.adminUrl.replace('http://', '')];
    const before = join(folder, 'before.json');
    await writeFile(before, await envoy.admin(dumpPath));

    assert.equal(await diff(...admin), {
      code: 0,
      stdout: '',
      stderr: `${id} has acknowledged and runs all 6 resources as they are to be.\n`,
    });

    await mesh.publish(weights(40));
    const stale = await diff('--config-dump', before);
    assert.is(stale.code, 1);
    assert.match(stale.stdout, /^rds rds_egress_http_\d+ \(runs neither /);
    assert.match(stale.stdout, /^- +"weight": 9000$/m);
    assert.match(stale.stdout, /^\+ +"weight": 4000$/m);
    assert.not.match(stale.stdout, /^(cds|eds|lds) /m);
    assert.is((await diff(...admin)).code, 0);

    // Nothing but Envoy itself can know that this folder is not there.
    const logs = `spec: { logging: { accessLog: { file: { path: ${folder}/missing/log } } }, `;
    mesh.publishChanged(weights(40).replace('spec: { backends', `${logs}backends`), (made) => made);
    await until('it is refused', () => mesh.events.some(({ kind }) => kind === 'proxyNacked'));
    const refused = await diff(...admin);
    assert.is(refused.code, 1);
    assert.match(refused.stdout, /^lds lds_egress_\S+ \(runs what it acknowledged before\)/);
    assert.match(refused.stdout, /^! .*missing\/log/m);

    const named = await diff(...admin, '-o', 'name');
    assert.match(named.stdout, /^lds\/lds_egress_\S+\n$/);
  } finally {
    await api.stop();
    await envoy.stop();
    await mesh.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

test.run();
