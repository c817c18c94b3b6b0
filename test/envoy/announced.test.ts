/**
 * Announced endpoints with the real controller and real Envoys: the sidecars of a node come and go, and a
 * caller's requests follow them without a registry. What an Envoy's end looks like to the controller
 * (a goodbye, or a connection that breaks) is Envoy's own doing, so only a real one can show it.
 */
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePorts } from '../../controller/demo/free-ports.js';
import { type LoadClient, startLoad } from '../../controller/demo/load.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { lostGraceMs } from '../../controller/loop/announced.js';
import { startHttpApp } from '../support/apps.js';
import { type RunningEnvoy, startEnvoy } from '../support/envoy.js';
import { type HeadgateProcess, startHeadgate } from '../support/headgate.js';
import { serveMesh } from '../support/served-mesh.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';

interface Stage {
  readonly load: LoadClient;
  /** The caller's Envoy, and its name for the node. */
  readonly web: RunningEnvoy;
  readonly cluster: string;
  /** Starts a sidecar of the node at an address of its own; resolves when it is live. */
  readonly startSidecar: (address: string) => Promise<RunningEnvoy>;
  readonly serve: () => Promise<HeadgateProcess>;
  headgate: HeadgateProcess;
}

const test = suite('announced endpoints with real Envoys');
const undo: Undo = [];

const one = '127.0.0.1';
const two = '127.0.0.2';

function meshYaml(port: number): string {
  return `
apiVersion: headgate/v1
kind: Mesh
metadata: { name: tasks }
spec: {}
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: web }
spec:
  backends: [{ virtualService: { virtualServiceRef: { name: ratings.local } } }]
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: ratings }
spec:
  listeners: [{ portMapping: { port: ${port}, protocol: http } }]
  serviceDiscovery: { announced: {} }
---
apiVersion: headgate/v1
kind: VirtualService
metadata: { name: ratings.local }
spec: { provider: { virtualNode: { virtualNodeRef: { name: ratings } } } }
`;
}

async function setUp(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-announced-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const app = await startHttpApp((_request, response) => {
    response.writeHead(200, { 'x-version': 'ratings' }).end();
  });
  undo.push(() => app.stop());
  const mesh = join(folder, 'mesh');
  await mkdir(mesh);
  await writeFile(join(mesh, 'mesh.yaml'), meshYaml(app.port));
  const [xdsPort = 0, egressPort = 0, ingressPort = 0] = await freePorts(3);
  const xds = { address: one, port: xdsPort };
  const serve = () =>
    startHeadgate([
      ...['--repo', mesh, '--state', join(folder, 'headgate.db')],
      ...['--xds', `${one}:${xdsPort}`, '--http', `${one}:0`],
    ]);
  const headgate = await serve();
  const start = async (name: string, ports: object) => {
    const nodeId = `mesh/tasks/virtualNode/${name}`;
    const envoy = await startEnvoy(renderBootstrap({ nodeId, xds: [xds], ...ports }));
    undo.push(() => envoy.stop('SIGKILL'));
    await envoy.waitUntilLive();
    return envoy;
  };
  const web = await start('web', { egress: { address: one, port: egressPort } });
  const load = startLoad({ port: egressPort, host: 'ratings.local', requestsPerSecond: 100 });
  undo.push(() => load.stop());
  const startSidecar = (address: string) =>
    start('ratings', { ingress: { address, port: ingressPort } });
  const cluster = `cds_egress_tasks_ratings_http_${app.port}`;
  return { load, web, cluster, startSidecar, serve, headgate };
}

const stage = await openStage(test, undo, setUp);
test.after(() => stage.headgate.stop());

/** The addresses that the caller's Envoy sends requests to, sorted. */
async function endpoints(): Promise<readonly string[]> {
  const { web, cluster } = stage;
  const lines = (await web.admin('/clusters')).split('\n');
  const hosts = lines.flatMap((line) => {
    const [name, host = ''] = line.split('::');
    return name === cluster && /:\d+$/.test(host) ? [host.replace(/:\d+$/, '')] : [];
  });
  return [...new Set(hosts)].sort();
}

async function untilServedBy(addresses: readonly string[], withinMs: number): Promise<void> {
  const isSo = async () => (await endpoints()).join() === addresses.join();
  await until(`endpoints are ${addresses.join(' and ') || 'none'}`, isSo, withinMs);
}

/** Requests that `sidecar` let in so far. */
async function servedBy(sidecar: RunningEnvoy): Promise<number> {
  const stats = await sidecar.admin('/stats?filter=http.ingress.downstream_rq_2xx');
  return Number(/: (\d+)/.exec(stats)?.[1] ?? 0);
}

/** Fails where a request since the last `reset` had no answer of the application. */
async function noneLost(sentMin = 30): Promise<void> {
  const { load } = stage;
  await until('requests are sent', () => load.counts().sent >= sentMin);
  const { sent, lost } = load.counts();
  assert.is(lost, 0, `${lost} of ${sent} requests are lost, the last one: ${load.lastLoss()}`);
  totals.sent += sent;
  load.reset();
}

/** Well below the grace of a broken stream: what is out within it left at once. */
const atOnceMs = 3000;
const totals = { sent: 0 };
let first: RunningEnvoy;
let second: RunningEnvoy;

test('a node without a proxy has no endpoint, and its first proxy is one', async () => {
  const { load, startSidecar } = stage;
  assert.equal(await endpoints(), []);
  await until('requests are answered by Envoy itself', () => load.counts().lost > 10);
  assert.is(load.lastLoss(), 'Envoy itself answered 503');
  first = await startSidecar(one);
  await untilServedBy([one], atOnceMs);
  await until('a request is served', async () => (await servedBy(first)) > 0);
  load.reset();
  await noneLost();
});

test('another one shares the requests', async () => {
  second = await stage.startSidecar(two);
  await untilServedBy([one, two], atOnceMs);
  await until('both are called', async () => (await servedBy(second)) > 10);
  await noneLost();
});

test('one that is told to stop leaves at once, and its requests go to the other', async () => {
  const stoppedAtMs = performance.now();
  await first.stop('SIGTERM');
  await untilServedBy([two], atOnceMs);
  process.stdout.write(`  out ${Math.round(performance.now() - stoppedAtMs)} ms after SIGTERM\n`);
  await noneLost();
});

test('one that is killed leaves after a grace, and calls of it are tried elsewhere', async () => {
  first = await stage.startSidecar(one);
  await untilServedBy([one, two], atOnceMs);
  await second.stop('SIGKILL');
  await noneLost(100);
  assert.equal(await endpoints(), [one, two]);
  await untilServedBy([one], 2 * lostGraceMs);
  await noneLost();
});

test('a controller that is killed takes nobody out, neither dead nor back', async () => {
  const { web, cluster } = stage;
  second = await stage.startSidecar(two);
  await untilServedBy([one, two], atOnceMs);
  const changes = async () => web.admin(`/stats?filter=${cluster}.membership_change`);
  const before = await changes();
  await stage.headgate.stop('SIGKILL');
  await noneLost();
  stage.headgate = await stage.serve();
  await until('all three are back', async () => {
    const { connected, synced } = (await stage.headgate.status()).proxies;
    return connected === 3 && synced === 3;
  });
  assert.equal(await endpoints(), [one, two]);
  assert.is(await changes(), before, 'the endpoints changed on the way');
  await noneLost();
  process.stdout.write(`  ${totals.sent} requests, none lost\n`);
});

test('a goodbye is known as one, and a kill as none, also when the controller is late', async () => {
  const mesh = await serveMesh(meshYaml(8080));
  const [port = 0] = await freePorts(1);
  const nodeId = 'mesh/tasks/virtualNode/ratings';
  try {
    for (const protocol of ['delta', 'sotw'] as const) {
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        const ingress = { address: one, port };
        const envoy = await startEnvoy(
          renderBootstrap({ nodeId, xds: [mesh.xds], ingress, protocol }),
        );
        undo.push(() => envoy.stop('SIGKILL'));
        await envoy.waitUntilLive();
        const known = mesh.events.length;
        process.kill(envoy.pid, signal);
        waitUntilDead(envoy.pid);
        const end = () =>
          mesh.events.slice(known).find((event) => event.kind === 'proxyDisconnected');
        await until('the end is known', () => end() !== undefined);
        const { clean } = end() as { readonly clean: boolean };
        assert.is(clean, signal === 'SIGTERM', `${signal} of an Envoy that speaks ${protocol}`);
      }
    }
  } finally {
    await mesh.stop();
  }
});

/** Blocks this process meanwhile, so that all that an Envoy says at its end is read in one go. */
function waitUntilDead(pid: number): void {
  const startedMs = performance.now();
  // Its parent is blocked too, so what is left of it is a zombie.
  while (!/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) {
    assert.ok(performance.now() - startedMs < 10_000, `Envoy ${pid} does not end`);
  }
}

test.run();
