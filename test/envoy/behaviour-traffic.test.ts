/**
 * What a mesh says about failure, done by real Envoys and counted by them: retries, timeouts, ejected and
 * unhealthy endpoints, a full connection pool. Each test reads Envoy's own statistics and what arrived at
 * the application, never how long something took.
 */
import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type Http2ServerResponse } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePorts } from '../../controller/demo/free-ports.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { startHttpApp, startTcpApp } from '../support/apps.js';
import { type RunningEnvoy, startEnvoy } from '../support/envoy.js';
import { statOf } from '../support/envoy-stats.js';
import { serveMesh } from '../support/served-mesh.js';
import { openStage, type Undo } from '../support/stage.js';
import { callInPlain } from '../support/tls-clients.js';
import { until } from '../support/until.js';

/** An application whose answers a test chooses, and who counts its requests. */
interface CountedApp {
  readonly port: number;
  /** Requests so far but for those of health checks. */
  calls: number;
  answer: RequestListener;
}

const appNames = [
  ...(['flaky', 'broken', 'refusing', 'slow', 'stuck', 'silent'] as const),
  ...(['good', 'bad', 'pooled'] as const),
] as const;
type AppName = (typeof appNames)[number];

interface Stage {
  readonly apps: Readonly<Record<AppName, CountedApp>>;
  readonly web: RunningEnvoy;
  readonly egressPort: number;
  /** A server's sidecar for each protocol that has a pool. */
  readonly pools: Readonly<Record<PoolName, Pool>>;
  /** Echoes what it gets. */
  readonly echoPort: number;
}

const poolNames = ['pooled', 'pooled-h2', 'pooled-tcp'] as const;
type PoolName = (typeof poolNames)[number];

interface Pool {
  readonly envoy: RunningEnvoy;
  /** Where it takes calls. */
  readonly port: number;
}

/** What the meshes of the test are made from. */
interface Parts {
  readonly apps: Stage['apps'];
  readonly echoPort: number;
  readonly h2Port: number;
  readonly poolPorts: Readonly<Record<PoolName, number>>;
}

const test = suite('behaviours of real Envoys');
const undo: Undo = [];

interface NodeOptions {
  readonly name: string;
  readonly ports: readonly number[];
  /** YAML members of the listener. */
  readonly listener?: string;
}

function node({ name, ports, listener = '' }: NodeOptions): string {
  const endpoints = ports.map((port) => `{ address: 127.0.0.1, port: ${port} }`);
  return `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: ${name} }
spec:
  listeners: [{ portMapping: { port: ${ports[0]}, protocol: http }${listener} }]
  serviceDiscovery: { static: { endpoints: [${endpoints.join(', ')}] } }`;
}

/** A service whose only route has `rules`, YAML members beside its match. */
function service(name: string, port: number, rules: string): string {
  return `apiVersion: headgate/v1
kind: VirtualService
metadata: { name: ${name}.local }
spec: { provider: { virtualRouter: { virtualRouterRef: { name: ${name} } } } }
---
apiVersion: headgate/v1
kind: VirtualRouter
metadata: { name: ${name} }
spec:
  listeners: [{ portMapping: { port: ${port}, protocol: http } }]
  routes:
    - name: all
      httpRoute:
        match: { prefix: / }
        action: { weightedTargets: [{ virtualNodeRef: { name: ${name} }, weight: 1 }] }
        ${rules}`;
}

function retries(maxRetries: number, perTryMs: number): string {
  const perTry = `perRetryTimeout: { unit: ms, value: ${perTryMs} }`;
  return `retryPolicy: { maxRetries: ${maxRetries}, ${perTry}, httpRetryEvents: [server-error] }`;
}

/** Without a policy there would be App Mesh's. */
const noRetries = retries(0, 0);

function meshYaml({ apps, echoPort, h2Port, poolPorts }: Parts): string {
  const routed: readonly (NodeOptions & { readonly name: string; readonly rules: string })[] = [
    { name: 'flaky', ports: [apps.flaky.port], rules: retries(3, 10_000) },
    { name: 'broken', ports: [apps.broken.port], rules: retries(2, 10_000) },
    { name: 'refusing', ports: [apps.refusing.port], rules: retries(2, 10_000) },
    {
      name: 'slow',
      ports: [apps.slow.port],
      rules: `${noRetries}\n        timeout: { perRequest: { unit: ms, value: 250 } }`,
    },
    {
      name: 'stuck',
      ports: [apps.stuck.port],
      rules: `${retries(1, 150)}\n        timeout: { perRequest: { unit: s, value: 14 } }`,
    },
    {
      name: 'silent',
      ports: [apps.silent.port],
      rules: `${noRetries}
        timeout: { perRequest: { unit: s, value: 0 }, idle: { unit: ms, value: 250 } }`,
    },
    {
      name: 'ejecting',
      ports: [apps.good.port, apps.bad.port],
      rules: noRetries,
      listener: `, outlierDetection: { maxServerErrors: 3, interval: { unit: s, value: 1 },
          baseEjectionDuration: { unit: s, value: 300 }, maxEjectionPercent: 50 }`,
    },
    {
      name: 'checked',
      ports: [apps.good.port, apps.bad.port],
      rules: noRetries,
      listener: `, healthCheck: { protocol: http, path: /health, healthyThreshold: 2,
          unhealthyThreshold: 2, intervalMillis: 5000, timeoutMillis: 2000 }`,
    },
  ];
  const backends = [...routed.map(({ name }) => name), 'quiet'].map(
    (name) => `{ virtualService: { virtualServiceRef: { name: ${name}.local } } }`,
  );
  return [
    'apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: real }\nspec: {}',
    `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: web }
spec: { backends: [${backends.join(', ')}] }`,
    ...routed.flatMap((each) => [node(each), service(each.name, each.ports[0] ?? 0, each.rules)]),
    node({ name: 'quiet', ports: [echoPort] }).replace('protocol: http', 'protocol: tcp'),
    `apiVersion: headgate/v1
kind: VirtualService
metadata: { name: quiet.local }
spec: { provider: { virtualRouter: { virtualRouterRef: { name: quiet } } } }
---
apiVersion: headgate/v1
kind: VirtualRouter
metadata: { name: quiet }
spec:
  listeners: [{ portMapping: { port: ${quietPort}, protocol: tcp } }]
  routes:
    - name: all
      tcpRoute:
        action: { weightedTargets: [{ virtualNodeRef: { name: quiet }, weight: 1 }] }
        timeout: { idle: { unit: ms, value: 250 } }`,
    pooled('pooled', `${apps.pooled.port}, protocol: http`, {
      limits: 'http: { maxConnections: 1, maxPendingRequests: 1 }',
      at: poolPorts.pooled,
    }),
    pooled('pooled-h2', `${h2Port}, protocol: http2`, {
      limits: 'http2: { maxRequests: 1 }',
      at: poolPorts['pooled-h2'],
    }),
    pooled('pooled-tcp', `${echoPort}, protocol: tcp`, {
      limits: 'tcp: { maxConnections: 1 }',
      at: poolPorts['pooled-tcp'],
    }),
  ].join('\n---\n');
}

/** Of the TCP service; the sidecar listens for it this far above its egress port. */
const quietPort = 7;

function pooled(
  name: PoolName,
  port: string,
  { limits, at }: { limits: string; at: number },
): string {
  return `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: ${name} }
spec:
  listeners:
    - portMapping: { port: ${port} }
      connectionPool: { ${limits} }
  serviceDiscovery: { static: { endpoints: [{ address: 127.0.0.1, port: ${at} }] } }`;
}

/** HTTP/2 without TLS, which answers when `h2Held` is told to. */
const h2Held: Http2ServerResponse[] = [];

async function startHttp2(): Promise<number> {
  const server = createHttp2Server((_request, response) => {
    h2Held.push(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(async () => server.close());
  return (server.address() as AddressInfo).port;
}

async function startApp(): Promise<CountedApp> {
  const started = await startHttpApp((request, response) => {
    if (request.url !== '/health') {
      app.calls += 1;
    }
    app.answer(request, response);
  });
  undo.push(() => started.stop());
  const app: CountedApp = {
    port: started.port,
    calls: 0,
    answer: (_request, response) => response.end(),
  };
  return app;
}

async function setUp(): Promise<Stage> {
  const entries = await Promise.all(
    appNames.map(async (name) => [name, await startApp()] as const),
  );
  const apps = Object.fromEntries(entries) as Stage['apps'];
  const echo = await startTcpApp((socket) => socket.pipe(socket));
  undo.push(() => echo.stop());
  const [egressPort = 0, ...free] = await freePorts(1 + poolNames.length);
  const ports = poolNames.map((name, index) => [name, free[index] ?? 0] as const);
  const poolPorts = Object.fromEntries(ports) as Parts['poolPorts'];
  const h2Port = await startHttp2();
  const mesh = await serveMesh(meshYaml({ apps, echoPort: echo.port, h2Port, poolPorts }));
  undo.push(() => mesh.stop());
  const start = async (name: string, side: object) => {
    const nodeId = `mesh/real/virtualNode/${name}`;
    const envoy = await startEnvoy(renderBootstrap({ nodeId, xds: [mesh.xds], ...side }));
    undo.push(() => envoy.stop('SIGKILL'));
    await envoy.waitUntilLive();
    return envoy;
  };
  const web = await start('web', { egress: { address: '127.0.0.1', port: egressPort } });
  const pools = ports.map(async ([name, port]) => {
    const envoy = await start(name, { ingress: { address: '127.0.0.1', port } });
    return [name, { envoy, port }] as const;
  });
  return {
    ...{ apps, web, egressPort, echoPort: echo.port },
    pools: Object.fromEntries(await Promise.all(pools)) as Stage['pools'],
  };
}

const stage = await openStage(test, undo, setUp);

function answerWith(status: number): RequestListener {
  return (_request, response) => {
    response.writeHead(status).end();
  };
}

function call(name: string): Promise<number> {
  return callInPlain(stage.egressPort, `${name}.local`);
}

/** Statistics of the cluster of `name` as its caller has it. */
async function statsOf<Name extends string>(
  name: string,
  stats: readonly Name[],
): Promise<Readonly<Record<Name, number>>> {
  const entries = stats.map(async (stat) => {
    const pattern = new RegExp(`^cluster\\.cds_egress_real_${name}_http_\\d+\\.${stat}$`);
    return [stat, await statOf(stage.web, pattern)] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Record<Name, number>;
}

const retryStats = [
  'upstream_rq_total',
  'upstream_rq_retry',
  'upstream_rq_retry_success',
  'upstream_rq_retry_limit_exceeded',
] as const;

test('a request is retried until it is answered well', async () => {
  const { flaky } = stage.apps;
  flaky.answer = (request, response) => answerWith(flaky.calls < 3 ? 500 : 200)(request, response);
  assert.is(await call('flaky'), 200);
  assert.is(flaky.calls, 3);
  assert.equal(await statsOf('flaky', retryStats), {
    upstream_rq_total: 3,
    upstream_rq_retry: 2,
    upstream_rq_retry_success: 1,
    upstream_rq_retry_limit_exceeded: 0,
  });
});

test('no request is retried more often than its route allows', async () => {
  const { broken } = stage.apps;
  broken.answer = answerWith(502);
  assert.is(await call('broken'), 502);
  assert.is(broken.calls, 3);
  assert.equal(await statsOf('broken', retryStats), {
    upstream_rq_total: 3,
    upstream_rq_retry: 2,
    upstream_rq_retry_success: 0,
    upstream_rq_retry_limit_exceeded: 1,
  });
});

test('what is no event of the retry policy is not retried', async () => {
  const { refusing } = stage.apps;
  refusing.answer = answerWith(409);
  assert.is(await call('refusing'), 409);
  assert.is(refusing.calls, 1);
  assert.is((await statsOf('refusing', retryStats)).upstream_rq_retry, 0);
});

const timeoutStats = ['upstream_rq_timeout', 'upstream_rq_per_try_timeout'] as const;

test('a request that takes longer than its route allows is ended', async () => {
  const { slow } = stage.apps;
  let given = 0;
  slow.answer = (_request, response) => {
    response.on('close', () => {
      given += response.writableFinished ? 0 : 1;
    });
  };
  assert.is(await call('slow'), 504);
  assert.equal(await statsOf('slow', timeoutStats), {
    upstream_rq_timeout: 1,
    upstream_rq_per_try_timeout: 0,
  });
  await until('the application sees that nobody waits', () => given === 1);
});

test('a try that takes longer than its policy allows is given up for another', async () => {
  const { stuck } = stage.apps;
  stuck.answer = (request, response) => {
    if (stuck.calls > 1) {
      answerWith(200)(request, response);
    }
  };
  assert.is(await call('stuck'), 200);
  assert.is(stuck.calls, 2);
  assert.equal(await statsOf('stuck', timeoutStats), {
    upstream_rq_timeout: 0,
    upstream_rq_per_try_timeout: 1,
  });
});

test('a request on which nothing moves is ended after its idle timeout', async () => {
  const { silent } = stage.apps;
  silent.answer = () => {};
  assert.is(await call('silent'), 504);
  const ended = /^http\.egress\.downstream_rq_idle_timeout$/;
  assert.is(await statOf(stage.web, ended), 1);
  assert.equal(await statsOf('silent', timeoutStats), {
    upstream_rq_timeout: 0,
    upstream_rq_per_try_timeout: 0,
  });
});

test('a TCP connection on which nothing moves is closed after its idle timeout', async () => {
  const socket = connect(stage.egressPort + quietPort, '127.0.0.1').setEncoding('utf8');
  socket.write('bytes');
  const [echoed] = await once(socket, 'data');
  assert.is(echoed, 'bytes');
  await once(socket, 'close');
  assert.is(await statOf(stage.web, /^tcp\.egress\.idle_timeout$/), 1);
});

test('an endpoint with server errors in a row is ejected and gets no more requests', async () => {
  const { good, bad } = stage.apps;
  bad.answer = answerWith(500);
  const ejected = () => statsOf('ejecting', ['outlier_detection.ejections_active']);
  await until('an endpoint is ejected', async () => {
    await call('ejecting');
    return Object.values(await ejected())[0] === 1;
  });
  assert.is(bad.calls, 3, 'ejected by the third error');
  const served = good.calls;
  for (let calls = 0; calls < 10; calls += 1) {
    assert.is(await call('ejecting'), 200);
  }
  assert.equal([good.calls - served, bad.calls], [10, 3]);
  assert.equal(
    await statsOf('ejecting', ['outlier_detection.ejections_enforced_consecutive_5xx']),
    {
      'outlier_detection.ejections_enforced_consecutive_5xx': 1,
    },
  );
});

test('an endpoint that fails its health check gets no more requests', async () => {
  const { good, bad } = stage.apps;
  good.answer = answerWith(200);
  bad.answer = answerWith(200);
  const healthy = async () => Object.values(await statsOf('checked', ['membership_healthy']))[0];
  await until('both endpoints are healthy', async () => (await healthy()) === 2);
  const [servedBefore, failedBefore] = [good.calls, bad.calls];
  for (let calls = 0; calls < 10; calls += 1) {
    assert.is(await call('checked'), 200);
  }
  assert.ok(good.calls > servedBefore && bad.calls > failedBefore, 'both got requests');
  bad.answer = answerWith(503);
  await until('one endpoint is unhealthy', async () => (await healthy()) === 1, 60_000);
  const [served, failed] = [good.calls, bad.calls];
  for (let calls = 0; calls < 10; calls += 1) {
    assert.is(await call('checked'), 200);
  }
  assert.equal([good.calls - served, bad.calls - failed], [10, 0]);
  const { 'health_check.failure': failures } = await statsOf('checked', ['health_check.failure']);
  assert.ok(failures > 0, 'health_check.failure is 0');
});

test('what does not fit into the connection pool is refused at once', async () => {
  const { apps } = stage;
  const { envoy: pool, port: poolPort } = stage.pools.pooled;
  const held: ServerResponse[] = [];
  apps.pooled.answer = (_request, response) => held.push(response);
  const stat = (name: string) => statOf(pool, new RegExp(`^cluster\\.cds_ingress_.*\\.${name}$`));
  const first = callInPlain(poolPort);
  await until('the connection is in use', () => held.length === 1);
  const second = callInPlain(poolPort);
  await until('one request waits', async () => (await stat('upstream_rq_pending_active')) === 1);
  assert.equal(await Promise.all([callInPlain(poolPort), callInPlain(poolPort)]), [503, 503]);
  assert.is(await stat('upstream_rq_pending_overflow'), 2);
  held[0]?.end();
  await until('the waiting request is served', () => held.length === 2);
  held[1]?.end();
  assert.equal(await Promise.all([first, second]), [200, 200]);
  assert.is(apps.pooled.calls, 2);
  assert.is(await stat('upstream_cx_total'), 1, 'over one connection');
});

test('HTTP/2: requests beyond those that may be under way are refused', async () => {
  const { envoy, port } = stage.pools['pooled-h2'];
  const first = callInPlain(port);
  await until('the first is under way', () => h2Held.length === 1);
  assert.is(await callInPlain(port), 503);
  h2Held[0]?.end();
  assert.is(await first, 200);
  const refused = /^cluster\.cds_ingress_.*\.upstream_rq_active_overflow$/;
  assert.is(await statOf(envoy, refused), 1);
});

test('TCP: connections beyond those that may be open are closed', async () => {
  const { envoy, port } = stage.pools['pooled-tcp'];
  const first = connect(port, '127.0.0.1').setEncoding('utf8');
  first.write('bytes');
  await once(first, 'data');
  const second = connect(port, '127.0.0.1').on('error', () => {});
  await once(second, 'close');
  first.write('more');
  const [echoed] = await once(first, 'data');
  assert.is(echoed, 'more', 'the first goes on');
  first.destroy();
  assert.is(await statOf(envoy, /^cluster\.cds_ingress_.*\.upstream_cx_overflow$/), 1);
});

test.run();
