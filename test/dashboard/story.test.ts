/**
 * The dashboard over everything real: `headgate serve` in a process of its own, Git, Envoys and requests.
 * What it shows of a mesh, a resource, a change and a proxy is what the others know; and it goes on by
 * itself when the controller is killed and comes back.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startEnvoy } from '../../controller/demo/envoys.js';
import { freePorts } from '../../controller/demo/free-ports.js';
import { startLoad } from '../../controller/demo/load.js';
import { checkout, meshFiles, routeFile } from '../../controller/demo/mesh-files.js';
import { createRepository, type DemoRepository } from '../../controller/demo/repository.js';
import { startService } from '../../controller/demo/services.js';
import { startBrowser, type TestBrowser, type View } from '../support/browser.js';
import { envoyBinary } from '../support/envoy.js';
import { type HeadgateProcess, startHeadgate } from '../support/headgate.js';
import { policyYaml, successGate } from '../support/policy-yaml.js';
import { until } from '../support/until.js';

interface Context {
  repository: DemoRepository;
  headgate: HeadgateProcess;
  restart(): Promise<void>;
  browser: TestBrowser;
}

const story = suite<Context>('dashboard over real Envoys');

/** Ends what was started, the newest first. */
const undo: (() => Promise<unknown>)[] = [];

const versions = ['v1', 'v2'] as const;

const policy = policyYaml({
  name: 'careful',
  steps: ['{ progress: 20, bake: 2s }', '{ progress: 100, bake: 1s, approval: true }'],
  gates: [successGate('5s', 10)],
});

story.before(async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-page-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const services = await Promise.all(versions.map((version) => startService(version, 0)));
  undo.push(() => Promise.all(services.map((service) => service.stop())));
  const [http = 0, xds = 0, egress = 0, ...ingress] = await freePorts(5);
  const repository = await createRepository(folder);
  const ports = {
    checkout: Object.fromEntries(versions.map((version, index) => [version, ingress[index] ?? 0])),
    app: Object.fromEntries(services.map(({ version, port }) => [version, port])),
  };
  await repository.commit('shop: first release', { ...meshFiles(ports), 'policy.yaml': policy });
  const serve = () =>
    startHeadgate([
      ...['--repo', repository.bare, '--poll', '200ms', '--state', join(folder, 'headgate.db')],
      ...['--http', `127.0.0.1:${http}`, '--xds', `127.0.0.1:${xds}`],
    ]);
  context.repository = repository;
  context.headgate = await serve();
  context.restart = async () => {
    await context.headgate.stop('SIGKILL');
    context.headgate = await serve();
  };
  undo.push(() => context.headgate.stop());
  const local = (port: number) => ({ address: '127.0.0.1', port });
  const common = { binary: await envoyBinary(), folder, xds: local(xds) };
  const nodes = [
    { name: 'web', egress: local(egress) },
    ...versions.map((version) => ({
      name: `checkout-${version}`,
      ingress: local(ports.checkout[version] ?? 0),
    })),
  ];
  for (const node of nodes) {
    const nodeId = `mesh/shop/virtualNode/${node.name}`;
    const envoy = await startEnvoy({ ...common, ...node, nodeId });
    undo.push(() => envoy.stop());
  }
  await until('every proxy to be synced', async () => {
    return (await context.headgate.status()).proxies.synced === nodes.length;
  });
  const load = startLoad({ port: egress, host: 'checkout.shop.local', requestsPerSecond: 40 });
  undo.push(() => load.stop());
  context.browser = await startBrowser();
  undo.push(() => context.browser.stop());
});

story.after(async () => {
  for (const step of undo.reverse()) {
    await step();
  }
});

function shows(view: View, text: string | RegExp): Promise<void> {
  return view.page.getByRole('main').getByText(text).first().waitFor();
}

story('a commit is followed to its approval, through a kill of the controller', async (context) => {
  const { browser, repository } = context;
  const view = await browser.open(`${context.headgate.url}/`);
  await shows(view, 'The mesh serves what Git asks for');
  await repository.commit('checkout: v1 → v2', { [routeFile]: checkout('v2') });
  await shows(view, 'Rolling out checkout');
  await context.restart();
  await shows(view, 'checkout waits for your approval');
  const rollout = await browser.open(`${context.headgate.url}/rollouts/checkout-1`);
  await shows(rollout, 'approval of step 2 of 2');
  await shows(rollout, /success rate 100\.00% ≥ 99%/);
  await rollout.picture('story-rollout');
  const mesh = await browser.open(`${context.headgate.url}/mesh`);
  await shows(mesh, '20 % → 100 %');
  await shows(mesh, /^\d\d(\.\d)? % actual · [\d.]+\/s · 100 % ok$/);
  await mesh.picture('story-mesh');
  await view.page.getByRole('button', { name: 'Approve' }).click();
  await view.page.getByRole('dialog').getByRole('button', { name: 'Approve', exact: true }).click();
  await shows(view, 'The mesh serves what Git asks for');
  for (const each of [view, rollout, mesh]) {
    const own = each.complaints.filter((text) => !text.includes('net::ERR'));
    assert.equal(own, []);
    await each.close();
  }
});

story(
  'a resource leads to its file and line, its words, and its Envoy',
  async ({ browser, headgate }) => {
    const view = await browser.open(`${headgate.url}/mesh/shop/VirtualNode/checkout-v2`);
    await shows(view, 'nodes.yaml:16');
    await shows(view, 'name: checkout-v2');
    await view.picture('story-resource');
    await view.page.getByRole('link', { name: 'Envoy configuration' }).click();
    await shows(view, 'Envoy configuration');
    const cluster = view.page.getByText(/^cds_ingress_shop_checkout-v2_http_\d+$/);
    await cluster.click();
    await shows(view, /"name": "cds_ingress_shop_checkout-v2_http_\d+"/);
    assert.ok((await view.page.getByText('runs what was sent').count()) > 1);
    await view.assertAccessible();
    await view.picture('story-proxy');
    await view.close();
  },
);

story('a change is told by its meaning beside its words', async ({ browser, headgate }) => {
  const view = await browser.open(`${headgate.url}/changes`);
  await shows(view, 'weight checkout-v1:');
  await shows(view, /\+\s+name: checkout-v2/);
  await shows(view, /−\s+name: checkout-v1/);
  await view.assertAccessible();
  await view.picture('story-changes');
  await view.close();
});

story('a broken commit is named with file and line, and is not served', async (context) => {
  const { browser, headgate, repository } = context;
  const view = await browser.open(`${headgate.url}/`);
  await repository.commit('checkout: a typing mistake', {
    [routeFile]: checkout('v2').replace('weight: 100', 'weight: much'),
  });
  await shows(view, 'The newest commit is rejected');
  await shows(view, /^checkout\.yaml:\d+$/);
  await view.picture('story-rejected');
  await view.assertAccessible();
  await view.close();
});

story.run();
