/**
 * App Mesh's way into the mesh for real: each task is a network namespace with an application, an Envoy
 * and App Mesh's iptables rules, and the applications and their callers know nothing of a proxy. The
 * controller's xDS server stands in a namespace of its own. Where the kernel forbids all this, the one
 * test says so.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import type { Answer, AppAnswer } from '../support/namespace-process.js';
import {
  intercept,
  interceptionObstacle,
  type Network,
  proxyUid,
  startNetwork,
  type Task,
} from '../support/namespaces.js';
import { until } from '../support/until.js';

/** Of a task in the network. */
const hostOf = { shop: 10, v1: 11, v2: 12, post: 13, outside: 20, beyond: 21 };
const addressOf = (name: keyof typeof hostOf) => `10.99.0.${hostOf[name]}`;

/** Where names lead that no task has: a service's name only needs an address, nobody has to live there. */
const nobody = '192.0.2.1';

interface MeshOptions {
  /** Of v1 and v2. */
  readonly weights: readonly [number, number];
  readonly egressFilter: 'DROP_ALL' | 'ALLOW_ALL';
}

const calm: MeshOptions = { weights: [3, 1], egressFilter: 'DROP_ALL' };

function meshYaml({ weights, egressFilter }: MeshOptions): string {
  return `
apiVersion: headgate/v1
kind: Mesh
metadata: { name: tasks }
spec: { egressFilter: { type: ${egressFilter} } }
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: shop }
spec:
  backends:
    - { virtualService: { virtualServiceRef: { name: books.local } } }
    - { virtualService: { virtualServiceRef: { name: post.local } } }
    - { virtualService: { virtualServiceRef: { name: blue.example } } }
    - { virtualService: { virtualServiceRef: { name: git.example } } }
    - { virtualService: { virtualServiceRef: { name: go.example } } }
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: v1 }
spec:
  listeners: [{ portMapping: { port: 8080, protocol: http } }]
  serviceDiscovery: { dns: { hostname: v1.internal, responseType: ENDPOINTS } }
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: v2 }
spec:
  listeners: [{ portMapping: { port: 8080, protocol: http } }]
  serviceDiscovery: { awsCloudMap: { serviceName: v2, namespaceName: internal } }
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: post }
spec:
  listeners: [{ portMapping: { port: 2525, protocol: tcp } }]
  serviceDiscovery: { dns: { hostname: post.internal } }
---
# Three that are outside and have no proxy, under their own names.
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: blue }
spec:
  listeners: [{ portMapping: { port: 8081, protocol: http } }]
  serviceDiscovery: { dns: { hostname: blue.example } }
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: git }
spec:
  listeners: [{ portMapping: { port: 443, protocol: tcp } }]
  serviceDiscovery: { dns: { hostname: git.example, ipPreference: IPv4_ONLY } }
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: go }
spec:
  listeners: [{ portMapping: { port: 443, protocol: tcp } }]
  serviceDiscovery: { dns: { hostname: go.example, ipPreference: IPv4_ONLY } }
---
apiVersion: headgate/v1
kind: VirtualService
metadata: { name: blue.example }
spec: { provider: { virtualNode: { virtualNodeRef: { name: blue } } } }
---
apiVersion: headgate/v1
kind: VirtualService
metadata: { name: git.example }
spec: { provider: { virtualNode: { virtualNodeRef: { name: git } } } }
---
apiVersion: headgate/v1
kind: VirtualService
metadata: { name: go.example }
spec: { provider: { virtualNode: { virtualNodeRef: { name: go } } } }
---
apiVersion: headgate/v1
kind: VirtualService
metadata: { name: books.local }
spec: { provider: { virtualRouter: { virtualRouterRef: { name: books } } } }
---
apiVersion: headgate/v1
kind: VirtualService
metadata: { name: post.local }
spec: { provider: { virtualNode: { virtualNodeRef: { name: post } } } }
---
apiVersion: headgate/v1
kind: VirtualRouter
metadata: { name: books }
spec:
  listeners: [{ portMapping: { port: 8080, protocol: http } }]
  routes:
    - name: main
      httpRoute:
        match: { prefix: / }
        action:
          weightedTargets:
            - { virtualNodeRef: { name: v1 }, weight: ${weights[0]} }
            - { virtualNodeRef: { name: v2 }, weight: ${weights[1]} }
`;
}

interface Stage {
  readonly network: Network;
  readonly shop: Task;
  readonly v1: Task;
  readonly v2: Task;
  readonly outside: Task;
}

async function setUp(): Promise<Stage> {
  const network = await startNetwork({
    'books.local': nobody,
    'post.local': nobody,
    'v1.internal': addressOf('v1'),
    'v2.internal': addressOf('v2'),
    'post.internal': addressOf('post'),
    'outside.example': addressOf('outside'),
    'blue.example': addressOf('outside'),
    'git.example': addressOf('outside'),
    'go.example': addressOf('beyond'),
    'any.amazonaws.com': addressOf('beyond'),
  });
  undo = () => network.stop();
  const { hub } = network;
  const xds = await hub.call('serveMesh', meshYaml(calm), hub.address);
  const start = async (name: 'shop' | 'v1' | 'v2' | 'post', ports: readonly number[]) => {
    const task = await network.addTask(hostOf[name]);
    await intercept(task, ports);
    const nodeId = `mesh/tasks/virtualNode/${name}`;
    await task.call('startEnvoy', renderBootstrap({ nodeId, xds: [xds] }), proxyUid);
    return task;
  };
  const [v1, v2, post] = [
    await start('v1', [8080]),
    await start('v2', [8080]),
    await start('post', [2525]),
  ];
  await Promise.all([
    v1.call('serveHttp', 'v1', 8080),
    v1.call('serveHttp', 'v1, unlisted', 9090),
    v2.call('serveHttp', 'v2', 8080),
    post.call('serveTcp', '220 post\n', 2525),
  ]);
  const outside = await network.addTask(hostOf.outside);
  await outside.call('serveHttp', 'outside', 8080);
  await outside.call('serveHttp', 'outside', 9999);
  await outside.call('serveHttp', 'blue', 8081);
  await outside.call('serveTls', 'git', 443);
  const beyond = await network.addTask(hostOf.beyond);
  await beyond.call('serveTls', 'beyond', 443);
  return { network, shop: await start('shop', []), v1, v2, outside };
}

const test = suite('interception by iptables');
let undo = async () => {};
test.after(() => undo());

const obstacle = await interceptionObstacle();
if (obstacle === undefined) {
  const stage = await setUp().catch(async (error: unknown) => {
    await undo();
    throw error;
  });
  testInterception(stage);
} else {
  process.stdout.write(`  interception is left out: ${obstacle}\n`);
  test('this machine forbids network namespaces or their rules', () => {
    assert.match(obstacle, /not permitted|permission denied|not supported|does not exist/i);
  });
}
test.run();

function appOf(answer: Answer | undefined): AppAnswer {
  return JSON.parse(answer?.body ?? '') as AppAnswer;
}

function testInterception({ network, shop, v1, outside }: Stage): void {
  const { hub } = network;

  test('a service is called by its name and port, and served by two tasks as the weights say', async () => {
    const got = await shop.call('get', 'http://books.local:8080/', 400);
    assert.equal(
      got.filter(({ status }) => status !== 200),
      [],
    );
    const names = got.map((answer) => appOf(answer).name);
    const share = names.filter((name) => name === 'v1').length / names.length;
    assert.ok(Math.abs(share - 0.75) < 0.12, `v1 answered ${share} of the requests, expected 0.75`);
    assert.equal([...new Set(names)].sort(), ['v1', 'v2']);
  });

  test('what comes in for the application passes its own Envoy, whoever sends it', async () => {
    const before = await v1.call('stat', 'http.ingress.downstream_rq_2xx');
    const [answer] = await outside.call('get', `http://${v1.address}:8080/`);
    assert.is(answer?.server, 'envoy');
    assert.equal(appOf(answer), { name: 'v1', peer: '127.0.0.1' });
    assert.is(await v1.call('stat', 'http.ingress.downstream_rq_2xx'), before + 1);
  });

  test('a port that the virtual node does not list is none of the mesh', async () => {
    const [answer] = await outside.call('get', `http://${v1.address}:9090/`);
    assert.ok(answer?.status === 200 && answer.server === undefined, JSON.stringify(answer));
    assert.equal(appOf(answer), { name: 'v1, unlisted', peer: outside.address });
  });

  test('bytes of a TCP service pass both ways, and the server may speak first', async () => {
    const heard = await shop.call('converse', 'post.local', 2525, 'HELO shop\n');
    assert.equal(heard, { greeting: '220 post\n', echo: 'HELO shop\n' });
    assert.is(
      await shop.call('stat', 'cluster.cds_egress_tasks_post_tcp_2525.upstream_cx_total'),
      1,
    );
  });

  test('DROP_ALL refuses what is outside the mesh, also at a port that the mesh has', async () => {
    const [closed] = await shop.call('get', 'http://outside.example:9999/');
    assert.ok(closed?.status === 0 && /hang up|ECONNRESET/.test(closed.error ?? ''), closed?.error);
    const [unknown] = await shop.call('get', 'http://outside.example:8080/');
    assert.is(unknown?.status, 404);
    const [other] = await shop.call('get', `http://${v1.address}:9090/`);
    assert.is(other?.status, 0, 'a task of the mesh at a port that is no service is outside too');
  });

  test('what is outside and a node of the mesh is called under DROP_ALL, by its own name', async () => {
    const [answer] = await shop.call('get', 'http://blue.example:8081/');
    assert.is(answer?.status, 200, answer?.error);
    assert.equal(appOf(answer), { name: 'blue', peer: shop.address });
    const [other] = await shop.call('get', 'http://outside.example:8081/');
    assert.is(other?.status, 404, 'another name at the same address and port');
  });

  test('two TLS servers at one port are told apart by the name that is asked for', async () => {
    assert.is(await shop.call('shownBy', 'git.example', 443), 'git');
    assert.is(await shop.call('shownBy', 'go.example', 443), 'beyond');
    assert.is(
      await shop.call('shownBy', 'any.amazonaws.com', 443),
      'beyond',
      'as App Mesh let pass',
    );
    assert.match(await shop.call('shownBy', 'outside.example', 443), /disconnected|ECONNRESET/);
  });

  test('ALLOW_ALL lets it through to where it was going, until DROP_ALL is back', async () => {
    await hub.call('publish', meshYaml({ ...calm, egressFilter: 'ALLOW_ALL' }));
    for (const port of [9999, 8080]) {
      const [answer] = await shop.call('get', `http://outside.example:${port}/`);
      assert.is(answer?.status, 200, `port ${port}: ${JSON.stringify(answer)}`);
      assert.equal(appOf(answer), { name: 'outside', peer: shop.address });
    }
    const [ofMesh] = await shop.call('get', 'http://books.local:8080/');
    assert.is(ofMesh?.status, 200, 'services of the mesh are still services');
    await hub.call('publish', meshYaml(calm));
    const [closed] = await shop.call('get', 'http://outside.example:9999/');
    assert.is(closed?.status, 0);
  });

  test('weights move under load and not one request is lost', async () => {
    await shop.call('startLoad', 'http://books.local:8080/', 4);
    const later = async (count: number) => {
      const before = await shop.call('loadAnswers');
      const isLater = async () => (await shop.call('loadAnswers')) > before + count;
      await until('requests are answered after the change', isLater);
    };
    for (const weights of [
      [1, 0],
      [1, 1],
      [0, 1],
      [1, 0],
      [0, 1],
    ] as const) {
      await hub.call('publish', meshYaml({ ...calm, weights }));
      await later(100);
    }
    const answers = await shop.call('stopLoad');
    assert.equal(
      answers.filter(({ status }) => status !== 200),
      [],
    );
    const last = answers.slice(-50).map((answer) => appOf(answer).name);
    assert.equal([...new Set(last)], ['v2']);
    process.stdout.write(`  ${answers.length} requests while the weights moved, none lost\n`);
  });

  test('a task without its proxy neither calls nor is called', async () => {
    await Promise.all([shop.call('stopEnvoy', 'SIGKILL'), v1.call('stopEnvoy', 'SIGKILL')]);
    for (const [task, url] of [
      [shop, 'http://outside.example:9999/'],
      [outside, `http://${v1.address}:8080/`],
    ] as const) {
      const [answer] = await task.call('get', url);
      assert.match(answer?.error ?? 'an answer', 'ECONNREFUSED');
    }
  });
}
