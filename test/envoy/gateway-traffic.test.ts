/**
 * Real requests from outside through the Envoy of a virtual gateway: which service gets them, and how they
 * look when they arrive. The proxy stands on the ports of the gateway's listeners, as App Mesh's did.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { join } from 'node:path';
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePorts } from '../../controller/demo/free-ports.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { startHttpApp } from '../support/apps.js';
import { certificateFolder } from '../support/certificates.js';
import { startEnvoy } from '../support/envoy.js';
import { serveMesh } from '../support/served-mesh.js';
import { openStage, type Undo } from '../support/stage.js';

const test = suite('traffic through a gateway');
const undo: Undo = [];

/** How a request arrived. */
interface Arrived {
  readonly by: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  /** Undefined where no application answered. */
  readonly arrived?: Arrived;
}

type Ports = Readonly<Record<'http' | 'secure' | 'grpc' | 'v1' | 'v2' | 'slow' | 'calls', number>>;

function node(name: string, port: number, protocol = 'http'): string {
  return `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: ${name} }
spec:
  listeners: [{ portMapping: { port: 8080, protocol: ${protocol} } }]
  serviceDiscovery: { static: { endpoints: [{ address: 127.0.0.1, port: ${port} }] } }`;
}

function service(name: string, provider: 'Node' | 'Router' | 'none'): string {
  const spec = `{ provider: { virtual${provider}: { virtual${provider}Ref: { name: ${name} } } } }`;
  return `apiVersion: headgate/v1
kind: VirtualService
metadata: { name: ${name}.local }
spec: ${provider === 'none' ? '{}' : spec}`;
}

interface RouteOptions {
  readonly to: string;
  /** YAML members of the match and the rewrite. */
  readonly match: string;
  readonly rewrite?: string;
  readonly priority?: number;
  readonly kind?: 'http' | 'grpc';
}

function gatewayRoute(port: number, name: string, options: RouteOptions): string {
  const { to, match, rewrite, priority = 1000, kind = 'http' } = options;
  return `apiVersion: headgate/v1
kind: GatewayRoute
metadata: { name: ${name} }
spec:
  virtualGatewayRef: { name: edge }
  priority: ${priority}
  ${kind}Route:
    match: { port: ${port}, ${match} }
    action:
      target: { virtualService: { virtualServiceRef: { name: ${to}.local } } }
      ${rewrite === undefined ? '' : `rewrite: { ${rewrite} }`}`;
}

function weighted(...names: readonly string[]): string {
  const targets = names.map((name) => `{ virtualNodeRef: { name: ${name} }, weight: 1 }`);
  return `action: { weightedTargets: [${targets.join(', ')}] }`;
}

const keepHost = 'hostname: { defaultTargetHostname: DISABLED }';

function meshYaml(ports: Ports, certificates: string, release = 'v1'): string {
  const routes: Readonly<Record<string, RouteOptions>> = {
    plain: { to: 'v1', match: 'prefix: /plain' },
    slash: { to: 'v1', match: 'prefix: /slash/' },
    moved: { to: 'v1', match: 'prefix: /old', rewrite: 'prefix: { value: /new/place/ }' },
    kept: {
      to: 'v1',
      match: 'prefix: /kept',
      rewrite: `prefix: { defaultPrefix: DISABLED }, ${keepHost}`,
    },
    exact: { to: 'v1', match: 'path: { exact: /one }', rewrite: 'path: { exact: /two }' },
    regex: {
      to: 'v1',
      match: 'path: { regex: "/item-[0-9]+" }',
      rewrite: "path: { exact: '/item\\1' }",
    },
    whole: {
      to: 'v1',
      match: 'hostname: { exact: whole.example.com }',
      rewrite: "path: { exact: '/always\\1' }",
    },
    host: { to: 'v2', match: 'hostname: { exact: Exact.example.com }' },
    suffix: { to: 'v1', match: 'hostname: { suffix: .example.com }' },
    'longer-suffix': { to: 'v2', match: 'hostname: { suffix: .api.example.com }' },
    query: {
      to: 'v2',
      match: 'prefix: /plain, queryParameters: [{ name: v, match: { exact: "2" } }]',
    },
    header: {
      to: 'v2',
      match: 'prefix: /plain, headers: [{ name: x-age, match: { range: { start: 1, end: 10 } } }]',
    },
    method: { to: 'v2', match: 'prefix: /plain, method: DELETE' },
    last: { to: 'v1', match: 'prefix: /order/long' },
    urgent: { to: 'v2', match: 'prefix: /order', priority: 1 },
    routed: { to: 'routed', match: 'prefix: /routed' },
    'routed-kept': {
      to: 'routed',
      match: 'path: { regex: "/(exact|deep)(/.*)?" }',
      rewrite: keepHost,
    },
    slow: { to: 'slow', match: 'prefix: /slow' },
    nobody: { to: 'nobody', match: 'prefix: /nobody' },
    rest: { to: 'v2', match: 'prefix: /route', rewrite: 'prefix: { defaultPrefix: DISABLED }' },
  };
  return [
    'apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: real }',
    `apiVersion: headgate/v1
kind: VirtualGateway
metadata: { name: edge }
spec:
  listeners:
    - portMapping: { port: ${ports.http}, protocol: http }
    - portMapping: { port: ${ports.grpc}, protocol: grpc }
    - portMapping: { port: ${ports.secure}, protocol: http }
      tls:
        mode: STRICT
        certificate: { file: { certificateChain: ${certificates}/server.pem, privateKey: ${certificates}/server.key } }
        validation: { trust: { file: { certificateChain: ${certificates}/ca.pem } } }`,
    node('v1', ports.v1),
    node('v2', ports.v2),
    node('slow', ports.slow),
    node('calls', ports.calls, 'grpc'),
    ...['v1', 'v2', 'calls'].map((name) => service(name, 'Node')),
    service('nobody', 'none'),
    service('slow', 'Router'),
    service('routed', 'Router'),
    `apiVersion: headgate/v1
kind: VirtualRouter
metadata: { name: slow }
spec:
  listeners: [{ portMapping: { port: 80, protocol: http } }]
  routes:
    - name: all
      httpRoute:
        match: { prefix: / }
        ${weighted('slow')}
        timeout: { perRequest: { unit: ms, value: 300 } }`,
    `apiVersion: headgate/v1
kind: VirtualRouter
metadata: { name: routed }
spec:
  listeners: [{ portMapping: { port: 80, protocol: http } }]
  routes:
    - { name: root, httpRoute: { match: { path: { exact: / } }, ${weighted('v1')} } }
    - { name: exact, httpRoute: { match: { path: { exact: /exact } }, ${weighted('v2')} } }
    - { name: deep, httpRoute: { match: { prefix: /deep/ }, ${weighted(release)} } }
    - { name: own-host, httpRoute: { match: { prefix: /own, headers: [{ name: host, match: { exact: routed.local } }] }, ${weighted('v1')} } }
    - { name: other-host, httpRoute: { match: { prefix: /other, headers: [{ name: ":authority", match: { suffix: .com } }] }, ${weighted('v1')} } }`,
    ...Object.entries(routes).map(([name, options]) => gatewayRoute(ports.http, name, options)),
    gatewayRoute(ports.secure, 'secure', { to: 'v1', match: 'prefix: /' }),
    gatewayRoute(ports.grpc, 'calls', {
      kind: 'grpc',
      to: 'calls',
      match: 'serviceName: shop.Cart, metadata: [{ name: tenant, match: { prefix: eu } }]',
    }),
    gatewayRoute(ports.grpc, 'calls-by-host', {
      kind: 'grpc',
      to: 'calls',
      match: 'hostname: { exact: calls.example.com }',
      rewrite: keepHost,
    }),
  ].join('\n---\n');
}

const bytes = { encode: (value: Buffer) => value, decode: (value: Buffer) => value };

/** Answers `shop.Cart/Get` with the host name that it was called by. */
async function startCalls(): Promise<number> {
  const server = new Server();
  const get = (call: ServerUnaryCall<Buffer, Buffer>, send: sendUnaryData<Buffer>) =>
    send(null, Buffer.from(call.getHost()));
  const definition = {
    path: '/shop.Cart/Get',
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes.encode,
    requestDeserialize: bytes.decode,
    responseSerialize: bytes.encode,
    responseDeserialize: bytes.decode,
  };
  server.addService({ get: definition }, { get });
  undo.push(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

async function setUp() {
  const named = (by: string) =>
    startHttpApp(({ url: path, headers }, response) => {
      response.end(JSON.stringify({ by, path, host: headers.host, headers }));
    });
  const [v1, v2] = await Promise.all([named('v1'), named('v2')]);
  const slow = await startHttpApp(() => {});
  for (const app of [v1, v2, slow]) {
    undo.push(() => app.stop());
  }
  const [http = 0, grpc = 0, secure = 0] = await freePorts(3);
  const calls = await startCalls();
  const ports = { http, grpc, secure, v1: v1.port, v2: v2.port, slow: slow.port, calls };
  const certificates = await certificateFolder();
  const mesh = await serveMesh(meshYaml(ports, certificates));
  undo.push(() => mesh.stop());
  const nodeId = 'mesh/real/virtualGateway/edge';
  const envoy = await startEnvoy(renderBootstrap({ nodeId, xds: [mesh.xds] }));
  undo.push(() => envoy.stop());
  await envoy.waitUntilLive();
  return { mesh, envoy, ports, certificates };
}

const stage = await openStage(test, undo, setUp);

async function read(response: IncomingMessage): Promise<Answer> {
  response.setEncoding('utf8');
  let body = '';
  for await (const chunk of response) {
    body += chunk;
  }
  const code = response.statusCode ?? 0;
  return code === 200 ? { status: code, arrived: JSON.parse(body) } : { status: code };
}

async function call(
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const all = { host: 'localhost', ...headers };
  const sent = request({ host: '127.0.0.1', port: stage.ports.http, path, method, headers: all });
  sent.end();
  const [response] = await once(sent, 'response');
  return read(response);
}

/** `v1 /path host`, or the status where no application answered. */
async function seen(path: string, options?: Parameters<typeof call>[1]): Promise<string> {
  const { status: code, arrived } = await call(path, options);
  return arrived === undefined ? String(code) : `${arrived.by} ${arrived.path} ${arrived.host}`;
}

const at = (host: string) => ({ headers: { host } });

test('a matched prefix becomes /, at a slash or the end of the path alone', async () => {
  assert.is(await seen('/plain'), 'v1 / v1.local');
  assert.is(await seen('/plain/'), 'v1 / v1.local');
  assert.is(await seen('/plain/a/b?c=d'), 'v1 /a/b?c=d v1.local');
  assert.is(await seen('/plain?c=d'), 'v1 /?c=d v1.local');
  assert.is(await seen('/plainer'), '404');
  assert.is(await seen('/slash/a'), 'v1 /a v1.local');
  assert.is(await seen('/slash'), '404');
});

test('a matched prefix becomes another, or stays as it is', async () => {
  assert.is(await seen('/old'), 'v1 /new/place/ v1.local');
  assert.is(await seen('/old/a'), 'v1 /new/place/a v1.local');
  assert.is(await seen('/older'), '404');
  assert.is(await seen('/kept/a'), 'v1 /kept/a localhost');
  assert.is(await seen('/kept-too'), 'v1 /kept-too localhost');
});

test('a whole path becomes another, and the query stays', async () => {
  assert.is(await seen('/one?a=b'), 'v1 /two?a=b v1.local');
  assert.is(await seen('/one/'), '404');
  assert.is(await seen('/item-12?a=b'), 'v1 /item\\1?a=b v1.local');
  assert.is(await seen('/item-x'), '404');
  assert.is(await seen('/a/b?c', at('whole.example.com')), 'v1 /always\\1?c v1.local');
});

test('host names match whole or by their end, whatever their case and port', async () => {
  assert.is(await seen('/a', at('exact.example.com')), 'v2 /a v2.local');
  assert.is(await seen('/a', at('EXACT.Example.com:8443')), 'v2 /a v2.local');
  assert.is(await seen('/a', at('any.example.com')), 'v1 /a v1.local');
  assert.is(await seen('/a', at('example.com')), '404');
  assert.is(await seen('/a', at('exact.example.com.evil.org')), '404');
  assert.is(await seen('/a', at('x.api.example.com:80')), 'v2 /a v2.local');
  assert.is(await seen('/a', at('api.example.com')), 'v1 /a v1.local');
});

test('a route for every host name takes requests of those that others ask for, too', async () => {
  assert.is(await seen('/plain/a', at('exact.example.com')), 'v1 /a v1.local');
  assert.is(await seen('/kept/a', at('exact.example.com:1')), 'v1 /kept/a exact.example.com:1');
});

test('query parameters, headers and methods tell requests apart', async () => {
  assert.is(await seen('/plain?v=2'), 'v2 /?v=2 v2.local');
  assert.is(await seen('/plain?v=22'), 'v1 /?v=22 v1.local');
  assert.is(await seen('/plain', { headers: { 'x-age': '9' } }), 'v2 / v2.local');
  assert.is(await seen('/plain', { headers: { 'x-age': '10' } }), 'v1 / v1.local');
  assert.is(await seen('/plain', { method: 'DELETE' }), 'v2 / v2.local');
});

test('priority goes before length', async () => {
  assert.is(await seen('/order/long/a'), 'v2 /long/a v2.local');
});

test("a router's routes see what the gateway route rewrote", async () => {
  assert.is(await seen('/routed'), 'v1 / routed.local');
  assert.is(await seen('/routed/'), 'v1 / routed.local');
  assert.is(await seen('/routed/exact?a'), 'v2 /exact?a routed.local');
  assert.is(await seen('/routed/deep/a'), 'v1 /deep/a routed.local');
  assert.is(await seen('/routed/own'), 'v1 /own routed.local');
  assert.is(await seen('/routed/other', at('a.com')), '404');
});

test('a regular expression of the gateway holds beside the paths of the router', async () => {
  assert.is(await seen('/exact?a=/deep/'), 'v2 /exact?a=/deep/ localhost');
  assert.is(await seen('/deep/a?b'), 'v1 /deep/a?b localhost');
  assert.is(await seen('/exact/a'), '404');
  assert.is(await seen('/deep'), '404');
});

test('what no route of the router takes is answered 404, and goes to no later gateway route', async () => {
  assert.is(await seen('/routed/unknown'), '404');
  assert.is(await seen('/nobody/a'), '404');
  assert.is(await seen('/routes'), 'v2 /routes v2.local');
});

test("a route's timeout holds at the gateway, and callers cannot change the answer", async () => {
  assert.is((await call('/slow')).status, 504);
  const headers = {
    'x-forwarded-for': '10.0.0.1',
    'x-envoy-upstream-rq-timeout-alt-response': '1',
  };
  assert.is((await call('/slow', { headers })).status, 504);
});

test('callers choose no service, and pass for nobody inside, by a header', async () => {
  const forged = {
    'x-app-mesh-virtual-service': 'v2.local',
    'x-envoy-ip-tags': 'staff',
    'x-forwarded-for': '10.0.0.1',
  };
  const { arrived } = await call('/plain/a', { headers: forged });
  assert.is(arrived?.by, 'v1');
  assert.is(arrived?.headers['x-envoy-ip-tags'], undefined);
});

test('a TLS listener takes callers with a certificate, and no others', async () => {
  const file = (name: string) => readFileSync(join(stage.certificates, name));
  const options = {
    host: '127.0.0.1',
    port: stage.ports.secure,
    path: '/a',
    ca: file('ca.pem'),
    servername: 'server.internal',
    agent: false as const,
  };
  const shown = { cert: file('client.pem'), key: file('client.key') };
  const sent = secureRequest({ ...options, ...shown });
  sent.end();
  const [response] = await once(sent, 'response');
  assert.is((await read(response)).arrived?.path, '/a');
  const refused = secureRequest(options);
  refused.end();
  const [error] = await Promise.race([
    once(refused, 'error'),
    once(refused, 'response').then(
      () => {
        throw new Error('a caller without a certificate was answered');
      },
      (thrown: unknown) => [thrown],
    ),
  ]);
  assert.instance(error, Error);
});

/** The host name that the application was called by, or the status of a call that failed. */
function callGrpc(
  method: string,
  { host, metadata = {} }: { host?: string; metadata?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const options = host === undefined ? {} : { 'grpc.default_authority': host };
  const target = `127.0.0.1:${stage.ports.grpc}`;
  const client = new Client(target, credentials.createInsecure(), options);
  const sent = new Metadata();
  for (const [name, value] of Object.entries(metadata)) {
    sent.set(name, value);
  }
  return new Promise((resolve) => {
    const done = (error: ServiceError | null, answer?: Buffer) => {
      client.close();
      resolve(error === null ? String(answer) : (status[error.code] ?? 'none'));
    };
    client.makeUnaryRequest(method, bytes.encode, bytes.decode, Buffer.from(''), sent, done);
  });
}

test('gRPC calls are told apart by service, metadata and host name', async () => {
  const metadata = { tenant: 'eu-1' };
  assert.is(await callGrpc('/shop.Cart/Get', { metadata }), 'calls.local');
  assert.is(await callGrpc('/shop.Cart/Get', { metadata: { tenant: 'us' } }), 'UNIMPLEMENTED');
  assert.is(await callGrpc('/shop.Carton/Get', { metadata }), 'UNIMPLEMENTED');
  const host = 'calls.example.com';
  assert.is(await callGrpc('/shop.Cart/Get', { host }), host);
});

test('a release behind the gateway moves its route configuration, and nothing else', async () => {
  const before = JSON.parse(await stage.envoy.admin('/stats?format=json'));
  await stage.mesh.publish(meshYaml(stage.ports, stage.certificates, 'v2'));
  assert.is(await seen('/routed/deep/a'), 'v2 /deep/a routed.local');
  const after = JSON.parse(await stage.envoy.admin('/stats?format=json'));
  const figure = (stats: typeof before, name: string): number =>
    stats.stats.find((each: { name: string }) => each.name === name)?.value ?? -1;
  const updates = (stats: typeof before) => [
    figure(
      stats,
      `http.ingress.http.${stage.ports.http}.rds.rds_ingress_http_${stage.ports.http}.config_reload`,
    ),
    figure(stats, 'listener_manager.listener_modified'),
    figure(stats, 'cluster_manager.cluster_modified'),
  ];
  const [reloads = 0, ...others] = updates(before);
  assert.ok(reloads > 0, `the name of the statistic is another: ${reloads}`);
  assert.equal(updates(after), [reloads + 1, ...others]);
});

test.run();
