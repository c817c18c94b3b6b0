/**
 * Each strategy with everything real: a Git repository, `headgate serve` in a process of its own, a gateway's
 * Envoy, and clients whose answers say which version gave them. A person approves each step but the
 * first, so that every one can be looked at for as long as it takes. Beside them, a client that knows of
 * nothing calls all the time and loses no request.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProxyView } from '../../controller/api/proxy-view.js';
import type { RolloutView } from '../../controller/api/rollout-view.js';
import { type App, startHttpApp } from '../support/apps.js';
import { type Answer, startCaller } from '../support/caller.js';
import {
  allTo,
  checkoutGatewayRoute,
  checkoutMesh,
  checkoutRouter,
} from '../support/checkout-mesh.js';
import { serveGateway } from '../support/served-gateway.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';

const test = suite('strategies through a real Envoy');
const undo: Undo = [];

const versions = ['v1', 'v2', 'v3', 'bad'] as const;
type Version = (typeof versions)[number];

/** What each version was asked since `seen` was cleared. */
const seen = new Map<string, { readonly method: string; readonly host: string }[]>();

function startVersion(name: Version): Promise<App> {
  return startHttpApp((request, response) => {
    const asked = seen.get(name) ?? [];
    seen.set(name, asked);
    asked.push({ method: request.method ?? '', host: request.headers.host ?? '' });
    request.resume();
    request.once('end', () => {
      response.writeHead(name === 'bad' ? 500 : 200, { 'x-version': name }).end();
    });
  });
}

/** Requests below `/fixed` are v1's for ever: what a step adds must not take them. */
const routerYaml = (version: Version): string =>
  checkoutRouter(allTo(version, versions), { fixed: 'v1' });

function policyYaml(steps: string): string {
  return `apiVersion: headgate/v1
kind: RolloutPolicy
metadata: { name: strategy }
spec:
  selector: { virtualRouters: [checkout] }
${steps}
  gates: [{ name: success, successRate: { min: 99, window: 5s, minRequests: 10 } }]
  stepDeadline: 5m`;
}

let gatewayPort = 0;

const stage = await openStage(test, undo, async () => {
  const apps = await Promise.all(versions.map(startVersion));
  undo.push(() => apps.map((app) => app.stop()));
  const ports = Object.fromEntries(versions.map((name, index) => [name, apps[index]?.port ?? 0]));
  return serveGateway(undo, {
    requestsPerSecond: 20,
    path: '/shop/load',
    filesFor: (port) => {
      gatewayPort = port;
      return {
        'mesh.yaml': checkoutMesh({
          gatewayPort,
          ports,
          more: [checkoutGatewayRoute('prefix: /shop')],
        }),
        'router.yaml': routerYaml('v1'),
      };
    },
  });
});

const caller = startCaller({ port: gatewayPort, host: 'shop.example.com' });
undo.push(() => caller.stop());

/** The rollout that brings `version` by a policy of these steps, once every proxy has its first one. */
async function release(version: Version, steps: string): Promise<string> {
  const { repository, headgate } = stage;
  const known = new Set((await headgate.rollouts()).map(({ id }) => id));
  await repository.commit(`release ${version}`, {
    'policy.yaml': policyYaml(steps),
    'router.yaml': routerYaml(version),
  });
  let id = '';
  await until('a rollout of checkout', async () => {
    const rollouts = await headgate.rollouts();
    id = rollouts.find((one) => one.name === 'checkout' && !known.has(one.id))?.id ?? '';
    return id !== '';
  });
  await inStep(id, 1);
  return id;
}

/** Waits until every proxy has taken step `number`. */
async function inStep(id: string, number: number): Promise<RolloutView> {
  let found: RolloutView | undefined;
  await until(`rollout ${id} in step ${number}`, async () => {
    found = (await stage.headgate.rollouts()).find((one) => one.id === id);
    const isServed = found?.phase === 'Baking' || found?.phase === 'WaitingForApproval';
    return isServed && found?.step.index === number;
  });
  return found as RolloutView;
}

/** Lets `callOnce` go on until the gates of the present step have passed, then enters the next one. */
async function approve(id: string, callOnce: () => Promise<unknown>): Promise<RolloutView> {
  let waiting: RolloutView | undefined;
  await until(`rollout ${id} waits for approval`, async () => {
    await callOnce();
    waiting = (await stage.headgate.rollouts()).find((one) => one.id === id);
    return waiting?.phase === 'WaitingForApproval';
  });
  assert.is(await stage.headgate.command(id, 'approve', 'seen'), 200);
  return inStep(id, (waiting?.step.index ?? 0) + 1);
}

async function routeVersion(): Promise<string> {
  const response = await fetch(`${stage.headgate.url}/api/v1/proxies`);
  const proxies = (await response.json()) as readonly ProxyView[];
  return proxies[0]?.types.rds?.ackedVersion ?? '';
}

/** How often each version answered `count` requests. */
async function answersTo(
  count: number,
  headers: Readonly<Record<string, string>> = {},
  path = '/shop/x',
): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const { version } of await caller.callMany(count, { headers, path })) {
    counts[version] = (counts[version] ?? 0) + 1;
  }
  return counts;
}

test('requests that match by header, then by cookie, go to the canary whole', async () => {
  const before = await routeVersion();
  const id = await release(
    'v2',
    `  steps:
    - { match: { headers: [{ name: x-canary, match: { exact: always } }] }, bake: 0s }
    - { match: { cookies: [{ name: beta, match: { exact: 'yes' } }] }, bake: 0s, approval: true }
    - { progress: 50, bake: 0s, approval: true }
    - { progress: 100, bake: 0s, approval: true }`,
  );
  const tester = { 'x-canary': 'always' };
  assert.equal(await answersTo(20, tester), { v2: 20 });
  assert.equal(await answersTo(20), { v1: 20 });
  assert.equal(await answersTo(20, { 'x-canary': 'never' }), { v1: 20 });
  assert.equal(await answersTo(20, tester, '/shop/fixed/x'), { v1: 20 });

  const second = await approve(id, () => answersTo(5, tester));
  const judgedBy = second.evidence[0]?.gates[0]?.samples ?? 0;
  assert.ok(judgedBy >= 10, second.evidence[0]?.gates[0]?.text);
  const own = (seen.get('v2') ?? []).length;
  assert.ok(judgedBy <= own, `${judgedBy} requests judge it, and ${own} reached it`);
  const beta = { cookie: 'a=b; beta=yes; c=d' };
  assert.equal(await answersTo(20, tester), { v1: 20 });
  assert.equal(await answersTo(20, beta), { v2: 20 });
  for (const cookie of ['beta=yes2', 'xbeta=yes', 'a=beta=yes', 'beta=no']) {
    assert.equal(await answersTo(5, { cookie }), { v1: 5 }, cookie);
  }

  await approve(id, () => answersTo(5, beta));
  assert.equal(await answersTo(20, beta), { v2: 20 });
  const mixed = await answersTo(100);
  assert.ok((mixed.v1 ?? 0) > 20 && (mixed.v2 ?? 0) > 20, JSON.stringify(mixed));

  assert.is(await stage.headgate.command(id, 'abort', 'seen enough'), 200);
  await stage.headgate.rolloutIn(id, ['Aborted']);
  assert.equal(await answersTo(20, beta), { v1: 20 });
  assert.is(await routeVersion(), before);
});

test('copies of reads judge the canary, and nobody gets its answers', async () => {
  const before = await routeVersion();
  const steps = `  steps:
    - { mirror: { percent: 50 }, bake: 0s }
    - { progress: 100, bake: 0s, approval: true }`;
  const id = await release('v3', steps);
  seen.clear();
  assert.equal(await answersTo(200, {}, '/shop/fixed/x'), { v1: 200 });
  const posts = await caller.callMany(40, { path: '/shop/x', method: 'POST', body: 'order' });
  assert.ok(posts.every(({ version }) => version === 'v1'));
  assert.equal(await answersTo(200), { v1: 200 });
  // The client beside calls too: of all its reads and these, about half are copied.
  await until('the copies have come', () => (seen.get('v3') ?? []).length > 60);
  const copies = seen.get('v3') ?? [];
  assert.equal([...new Set(copies.map(({ method }) => method))], ['GET']);
  assert.equal(
    [...new Set(copies.map(({ host }) => host))],
    [...new Set((seen.get('v1') ?? []).map(({ host }) => host))],
  );
  const last = await approve(id, () => answersTo(20));
  const proof = last.evidence[0]?.gates[0];
  assert.is(proof?.verdict, 'pass', proof?.text);
  assert.is(await stage.headgate.command(id, 'abort', 'seen enough'), 200);
  await stage.headgate.rolloutIn(id, ['Aborted']);

  stage.load.reset();
  const bad = await release('bad', steps);
  const ended = await stage.headgate.rolloutIn(bad, ['RolledBack', 'WaitingForApproval']);
  assert.is(ended.phase, 'RolledBack', ended.reason);
  assert.match(ended.reason, /gate success failed: success rate 0.00% < 99%/);
  assert.is(stage.load.counts().errors, 0);
  assert.is(await routeVersion(), before);
});

test('blue and green: a preview for who asks for it, then all at once and none lost', async () => {
  const id = await release(
    'v2',
    `  blueGreen:
    preview: { match: { headers: [{ name: x-preview }] }, bake: 0s }
    switch: { approval: true, bake: 0s }`,
  );
  assert.equal(await answersTo(20, { 'x-preview': 'please' }), { v2: 20 });
  assert.equal(await answersTo(20), { v1: 20 });
  stage.load.reset();
  const order: string[] = [];
  let isWatched = true;
  const watching = (async () => {
    while (isWatched) {
      order.push((await caller.call({ path: '/shop/x' })).version);
    }
  })();
  await approve(id, () => answersTo(5, { 'x-preview': 'please' }));
  await stage.headgate.rolloutIn(id, ['Succeeded']);
  isWatched = false;
  await watching;
  const switched = order.indexOf('v2');
  assert.ok(switched > 0, `${order.length} answers, none of v2`);
  assert.ok(order.slice(switched).every((version) => version === 'v2'));
  assert.is(stage.load.counts().lost, 0, stage.load.lastLoss());
});

/** Calls `client` at each step; the answers in order. */
interface Client {
  readonly headers: Record<string, string>;
  readonly versions: string[];
}

function clientsOf(headersOf: (index: number) => Record<string, string>): readonly Client[] {
  return Array.from({ length: 200 }, (_, index) => ({ headers: headersOf(index), versions: [] }));
}

/** Two calls of every client, which keeps the cookie that it is given. */
async function letCall(clients: readonly Client[]): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    const answers = await Promise.all(
      clients.map(({ headers }) => caller.call({ path: '/shop/x', headers })),
    );
    for (const [index, answer] of answers.entries()) {
      const client = clients[index];
      client?.versions.push(answer.version);
      const [cookie] = cookiesOf(answer);
      if (client !== undefined && cookie !== undefined) {
        assert.is(client.headers.cookie, undefined, 'who has a cookie is given another');
        client.headers.cookie = cookie;
      }
    }
  }
}

function cookiesOf({ setCookie }: Answer): readonly string[] {
  return setCookie.map((line) => line.split(';')[0] ?? '');
}

function changesOf({ versions: answers }: Client): number {
  return answers.filter((version, index) => index > 0 && version !== answers[index - 1]).length;
}

function shareOf(clients: readonly Client[], version: string): number {
  return clients.filter((client) => client.versions.at(-1) === version).length / clients.length;
}

/** Releases `version` in three steps while 200 clients call; their answers over all of them. */
async function callThrough(
  version: Version,
  sticky: string,
  clients: readonly Client[],
): Promise<void> {
  const id = await release(
    version,
    `  steps:
    - { progress: 10, bake: 0s }
    - { progress: 50, bake: 0s, approval: true }
    - { progress: 100, bake: 0s, approval: true }
${sticky}`,
  );
  await letCall(clients);
  const tenth = shareOf(clients, version);
  assert.ok(tenth > 0.01 && tenth < 0.25, `${tenth} at 10 %`);
  await approve(id, () => letCall(clients));
  await letCall(clients);
  const half = shareOf(clients, version);
  assert.ok(half > 0.35 && half < 0.65, `${half} at 50 %`);
  await approve(id, () => letCall(clients));
  await letCall(clients);
  await stage.headgate.rolloutIn(id, ['Succeeded']);
  await letCall(clients);
  assert.is(shareOf(clients, version), 1);
}

test('by a cookie, each client changes over once and for all', async () => {
  const clients = clientsOf(() => ({}));
  await callThrough('v3', '  sticky: { cookie: { name: version } }', clients);
  const changes = clients.map(changesOf);
  assert.ok(Math.max(...changes) <= 1, `one changed ${Math.max(...changes)} times`);
  const keepers = clients.filter(({ headers }) => headers.cookie !== undefined);
  assert.is(keepers.length, clients.length);
  // Nothing is left behind: who comes now is given no cookie.
  assert.equal(cookiesOf(await caller.call({ path: '/shop/x' })), []);
});

test('by a header, too, and the same user for whoever calls on his behalf', async () => {
  const clients = clientsOf((index) => ({ 'x-user': `user-${index}` }));
  await callThrough('v1', '  sticky: { header: { name: x-user } }', clients);
  assert.ok(Math.max(...clients.map(changesOf)) <= 1);
});

test('without either they go to and fro', async () => {
  const clients = clientsOf((index) => ({ 'x-user': `user-${index}` }));
  await callThrough('v2', '', clients);
  assert.ok(Math.max(...clients.map(changesOf)) > 1);
});

test('the client beside has lost nothing', () => {
  assert.is(stage.load.counts().lost, 0, stage.load.lastLoss());
});

test.run();
