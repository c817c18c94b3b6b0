/**
 * The stories that App Mesh's examples tell, with meshes of our own of the same shapes: colours told apart
 * by a header, several listeners, HTTP/2, gRPC methods and their retries, a cache over TCP, TLS servers
 * outside the mesh, access logs. The mesh is one that another account shares, so the proxies' node ids name
 * that account.
 */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePorts } from '../../controller/demo/free-ports.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { startHttpApp, startTcpApp } from '../support/apps.js';
import { certificateFolder, issueCertificate } from '../support/certificates.js';
import { startEnvoy } from '../support/envoy.js';
import { plainBytes } from '../support/named-grpc.js';
import { serveMesh } from '../support/served-mesh.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';

const test = suite('walkthroughs');
const undo: Undo = [];

const colours = ['blue', 'green', 'red', 'yellow', 'white'] as const;
const appNames = [
  ...[...colours, 'main', 'misc', 'cache', 'next-cache'],
  ...['first-h2', 'second-h2', 'getter', 'setter', 'git', 'go'],
] as const;
type AppName = (typeof appNames)[number];
type Ports = Readonly<Record<AppName, number>>;

const owner = '123456789012';

function resource(kind: string, name: string, spec: unknown): string {
  // JSON is YAML.
  return JSON.stringify({ apiVersion: 'headgate/v1', kind, metadata: { name }, spec });
}

/** A node whose listeners are the ports of its application, found by DNS. */
function node(name: string, protocol: string, ports: readonly number[]): string {
  return resource('VirtualNode', name, {
    listeners: ports.map((port) => ({ portMapping: { port, protocol } })),
    serviceDiscovery: {
      dns: { hostname: 'localhost', responseType: 'ENDPOINTS', ipPreference: 'IPv4_ONLY' },
    },
  });
}

/** The service `NAME.local` with a router of its own. */
function routed(
  name: string,
  listeners: readonly { readonly port: number; readonly protocol: string }[],
  routes: readonly unknown[],
): readonly string[] {
  return [
    resource('VirtualService', `${name}.local`, {
      provider: { virtualRouter: { virtualRouterRef: { name } } },
    }),
    resource('VirtualRouter', name, {
      listeners: listeners.map((portMapping) => ({ portMapping })),
      routes,
    }),
  ];
}

function to(...targets: readonly (readonly [string, number, number?])[]) {
  const weightedTargets = targets.map(([name, weight, port]) => ({
    virtualNodeRef: { name },
    weight,
    ...(port !== undefined && { port }),
  }));
  return { weightedTargets };
}

function colourRoutes(): readonly unknown[] {
  const byHeader = (name: string, priority: number, match: unknown) => ({
    name,
    priority,
    httpRoute: {
      match: { prefix: '/', headers: [{ name: 'color_header', ...(match as object) }] },
      action: to([name, 1]),
    },
  });
  return [
    byHeader('blue', 10, { match: { exact: 'blue' } }),
    byHeader('green', 20, { match: { regex: '.*green.*' } }),
    byHeader('red', 30, { match: { prefix: 'red' } }),
    byHeader('yellow', 40, {}),
    { name: 'white', httpRoute: { match: { prefix: '/' }, action: to(['white', 1]) } },
  ];
}

function callRoutes(): readonly unknown[] {
  const retryPolicy = {
    maxRetries: 3,
    perRetryTimeout: { unit: 's', value: 10 },
    grpcRetryEvents: ['unavailable'],
  };
  const method = (methodName: string, name: string) => ({
    name: `${methodName.toLowerCase()}`,
    priority: 20,
    grpcRoute: {
      match: { serviceName: 'colors.Colors', methodName },
      action: to([name, 1]),
      retryPolicy,
    },
  });
  return [
    method('Get', 'getter'),
    method('Set', 'setter'),
    {
      name: 'tenants',
      priority: 10,
      grpcRoute: {
        match: {
          serviceName: 'colors.Colors',
          metadata: [{ name: 'tenant', match: { range: { start: 10, end: 20 } } }],
        },
        action: to(['setter', 1]),
      },
    },
  ];
}

function gatewayRoute(name: string, port: number): string {
  return resource('GatewayRoute', name, {
    virtualGatewayRef: { name: 'colors-gw' },
    httpRoute: {
      match: { prefix: '/', port },
      action: {
        target: { virtualService: { virtualServiceRef: { name: 'several.local' } }, port },
      },
    },
  });
}

interface MeshOptions {
  readonly apps: Ports;
  readonly logs: string;
  /** Of the gateway: the router behind it listens on the same ones. */
  readonly gatewayPorts: readonly [number, number];
}

function meshYaml({ apps, logs, gatewayPorts }: MeshOptions): string {
  const [first, second] = gatewayPorts;
  const services = ['color', 'h2', 'calls', 'redis', 'git', 'go'];
  const throughTls = (name: 'git' | 'go', port: number) =>
    routed(
      name,
      [{ port, protocol: 'tcp' }],
      [{ name: 'all', tcpRoute: { action: to([name, 1, apps[name]]) } }],
    );
  return [
    resource('Mesh', 'tour', { meshOwner: owner, egressFilter: { type: 'DROP_ALL' } }),
    resource('VirtualNode', 'front', {
      backends: services.map((name) => ({
        virtualService: { virtualServiceRef: { name: `${name}.local` } },
      })),
      logging: {
        accessLog: {
          file: {
            path: join(logs, 'front.log'),
            format: {
              json: [
                { key: 'path', value: '%REQ(:PATH)%' },
                { key: 'code', value: '%RESPONSE_CODE%' },
                { key: 'to', value: '%UPSTREAM_CLUSTER%' },
              ],
            },
          },
        },
      },
    }),
    ...colours.map((name) => node(name, 'http', [apps[name]])),
    ...routed('color', [{ port: 80, protocol: 'http' }], colourRoutes()),
    node('several', 'http', [apps.main, apps.misc]),
    ...routed(
      'several',
      gatewayPorts.map((port) => ({ port, protocol: 'http' })),
      [
        {
          name: 'main',
          httpRoute: {
            match: { prefix: '/', port: first },
            action: to(['several', 1, apps.main]),
          },
        },
        {
          name: 'misc',
          httpRoute: {
            match: { prefix: '/', port: second },
            action: to(['several', 1, apps.misc]),
          },
        },
      ],
    ),
    resource('VirtualGateway', 'colors-gw', {
      listeners: gatewayPorts.map((port) => ({ portMapping: { port, protocol: 'http' } })),
      logging: {
        accessLog: {
          file: {
            path: join(logs, 'gateway.log'),
            format: { text: '%PROTOCOL% %REQ(:METHOD)% %RESPONSE_CODE%\n' },
          },
        },
      },
    }),
    ...gatewayPorts.map((port, index) => gatewayRoute(`gateway-route-${index}`, port)),
    node('first-h2', 'http2', [apps['first-h2']]),
    node('second-h2', 'http2', [apps['second-h2']]),
    ...routed(
      'h2',
      [{ port: 80, protocol: 'http2' }],
      [
        {
          name: 'all',
          http2Route: { match: { prefix: '/' }, action: to(['first-h2', 3], ['second-h2', 1]) },
        },
      ],
    ),
    node('getter', 'grpc', [apps.getter]),
    node('setter', 'grpc', [apps.setter]),
    ...routed('calls', [{ port: 9090, protocol: 'grpc' }], callRoutes()),
    node('cache', 'tcp', [apps.cache]),
    node('next-cache', 'tcp', [apps['next-cache']]),
    ...routed(
      'redis',
      [{ port: 6379, protocol: 'tcp' }],
      [{ name: 'all', tcpRoute: { action: to(['cache', 100], ['next-cache', 0]) } }],
    ),
    node('git', 'tcp', [apps.git]),
    node('go', 'tcp', [apps.go]),
    // App Mesh told TCP services apart by port alone, so the second stood on 444.
    ...throughTls('git', 443),
    ...throughTls('go', 444),
  ].join('\n---\n');
}

/** What the gRPC servers were called for, and how they answer. */
const calls = { count: 0, failures: 0, failAs: status.UNAVAILABLE };

/** Answers each method of `colors.Colors` with its name, after `calls.failures` failures. */
async function startCalls(name: string): Promise<number> {
  const server = new Server();
  const answer = (_call: ServerUnaryCall<Buffer, Buffer>, send: sendUnaryData<Buffer>) => {
    calls.count += 1;
    if (calls.count <= calls.failures) {
      send({ code: calls.failAs, details: 'not yet' });
    } else {
      send(null, Buffer.from(name));
    }
  };
  const methods = ['Get', 'Set', 'Unrouted'].map((method) => [
    method,
    {
      path: `/colors.Colors/${method}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: plainBytes.encode,
      requestDeserialize: plainBytes.decode,
      responseSerialize: plainBytes.encode,
      responseDeserialize: plainBytes.decode,
    },
  ]);
  server.addService(
    Object.fromEntries(methods),
    Object.fromEntries(methods.map(([method]) => [method, answer])),
  );
  undo.push(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

/** HTTP/2 without TLS; answers with its name and the version that it was asked in. */
async function startHttp2(name: string): Promise<number> {
  const server = createHttp2Server((asked, response) => {
    response.end(`${name} HTTP/${asked.httpVersion}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A TLS server that knows nothing of the mesh, with a certificate for `NAME.internal`. */
async function startTls(name: string): Promise<number> {
  const { chain, key } = await issueCertificate(`outside-${name}`, name);
  const pair = { cert: await readFile(chain), key: await readFile(key) };
  const server = createTlsServer(pair, (_asked, response) => response.end(name));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function startApps(): Promise<Ports> {
  const named = async (name: string) => {
    const app = await startHttpApp((_asked, response) => response.end(name));
    undo.push(() => app.stop());
    return app.port;
  };
  const greeting = async (name: string) => {
    const app = await startTcpApp((socket) => socket.end(name));
    undo.push(() => app.stop());
    return app.port;
  };
  const starters: Readonly<Record<AppName, (name: string) => Promise<number>>> = {
    ...{ blue: named, green: named, red: named, yellow: named, white: named },
    ...{ main: named, misc: named, cache: greeting, 'next-cache': greeting },
    ...{ 'first-h2': startHttp2, 'second-h2': startHttp2 },
    ...{ getter: startCalls, setter: startCalls, git: startTls, go: startTls },
  };
  const ports = appNames.map(async (name) => [name, await starters[name](name)] as const);
  return Object.fromEntries(await Promise.all(ports)) as Ports;
}

async function setUp() {
  const logs = await mkdtemp(join(tmpdir(), 'headgate-walkthroughs-'));
  undo.push(() => rm(logs, { recursive: true, force: true }));
  const [first = 0, second = 0, egressPort = 0] = await freePorts(3);
  const gatewayPorts = [first, second] as const;
  const mesh = await serveMesh(meshYaml({ apps: await startApps(), logs, gatewayPorts }));
  undo.push(() => mesh.stop());
  const start = async (name: string, addresses: object) => {
    const nodeId = `mesh/tour@${owner}/${name}`;
    const envoy = await startEnvoy(renderBootstrap({ nodeId, xds: [mesh.xds], ...addresses }));
    undo.push(() => envoy.stop());
    await envoy.waitUntilLive();
  };
  await start('virtualNode/front', { egress: { address: '127.0.0.1', port: egressPort } });
  await start('virtualGateway/colors-gw', {});
  return { logs, gatewayPorts, egressPort };
}

const stage = await openStage(test, undo, setUp);

/** Status and body, as `200 blue`. */
async function get(
  port: number,
  host: string,
  { path = '/', headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<string> {
  const sent = request({ host: '127.0.0.1', port, path, headers: { ...headers, host } });
  sent.end();
  const [response] = await once(sent, 'response');
  response.setEncoding('utf8');
  let body = '';
  for await (const chunk of response) {
    body += chunk;
  }
  return `${response.statusCode} ${body}`.trim();
}

/** Where the sidecar listens for a TCP service of this port. */
function localPort(servicePort: number): number {
  const port = stage.egressPort + servicePort;
  return port < 65_536 ? port : port - 64_512;
}

test('headers: the first route by priority that matches takes the request', async () => {
  const colour = (color_header?: string) =>
    get(stage.egressPort, 'color.local', { headers: color_header ? { color_header } : {} });
  assert.is(await colour('blue'), '200 blue');
  assert.is(await colour('blue-green'), '200 green');
  assert.is(await colour('red green'), '200 green');
  assert.is(await colour('reddish'), '200 red');
  assert.is(await colour('violet'), '200 yellow');
  assert.is(await colour(), '200 white');
});

test('several listeners: a port of the gateway leads to the port of the node', async () => {
  const [first, second] = stage.gatewayPorts;
  assert.is(await get(first, 'any.example'), '200 main');
  assert.is(await get(second, 'any.example'), '200 misc');
});

test('HTTP/2: requests are shared by weight, and arrive as HTTP/2', async () => {
  const answers = new Map<string, number>();
  for (let asked = 0; asked < 200; asked += 1) {
    const answer = await get(stage.egressPort, 'h2.local');
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
  }
  const first = answers.get('200 first-h2 HTTP/2.0') ?? 0;
  // Of 200 at three quarters, 119 to 181 are five standard deviations.
  assert.ok(first >= 119 && first <= 181, `${first} of 200`);
  assert.is(answers.get('200 second-h2 HTTP/2.0'), 200 - first);
});

/** Who answered, or the status of the call; `count` calls arrived. */
async function callGrpc(
  method: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<string> {
  const options = { 'grpc.default_authority': 'calls.local', 'grpc.enable_retries': 0 };
  const target = `127.0.0.1:${stage.egressPort}`;
  const client = new Client(target, credentials.createInsecure(), options);
  const sent = new Metadata();
  for (const [name, value] of Object.entries(metadata)) {
    sent.set(name, value);
  }
  calls.count = 0;
  return new Promise((resolve) => {
    const path = `/colors.Colors/${method}`;
    const { encode, decode } = plainBytes;
    client.makeUnaryRequest(path, encode, decode, Buffer.alloc(0), sent, (error, answer) => {
      client.close();
      resolve(error === null ? String(answer) : (status[error.code] ?? ''));
    });
  });
}

test('gRPC: methods and metadata tell calls apart', async () => {
  assert.is(await callGrpc('Get'), 'getter');
  assert.is(await callGrpc('Set'), 'setter');
  assert.is(await callGrpc('Get', { tenant: '10' }), 'setter');
  assert.is(await callGrpc('Get', { tenant: '20' }), 'getter');
  assert.is(await callGrpc('Unrouted'), 'UNIMPLEMENTED');
  assert.is(calls.count, 0, 'the last one arrived nowhere');
});

test('gRPC: a status of the retry policy is tried again, another is not', async () => {
  Object.assign(calls, { failures: 2, failAs: status.UNAVAILABLE });
  assert.is(await callGrpc('Get'), 'getter');
  assert.is(calls.count, 3);
  Object.assign(calls, { failures: 9 });
  assert.is(await callGrpc('Get'), 'UNAVAILABLE');
  assert.is(calls.count, 4, 'one call and three retries');
  Object.assign(calls, { failures: 2, failAs: status.INTERNAL });
  assert.is(await callGrpc('Get'), 'INTERNAL');
  assert.is(calls.count, 1);
  Object.assign(calls, { failures: 0 });
});

test('a cache over TCP: with the weights 100 and 0 every connection goes to the first', async () => {
  const greetings = new Set<string>();
  for (let asked = 0; asked < 20; asked += 1) {
    const socket = connect(localPort(6379), '127.0.0.1').setEncoding('utf8');
    const [greeting] = await once(socket, 'data');
    greetings.add(greeting);
    socket.destroy();
  }
  assert.equal([...greetings], ['cache']);
});

test('TLS servers outside the mesh: their own certificates reach the caller', async () => {
  const authorities = await readFile(join(await certificateFolder(), 'ca.pem'));
  for (const [name, port] of [
    ['git', 443],
    ['go', 444],
  ] as const) {
    const socket = connectTls({
      ...{ host: '127.0.0.1', port: localPort(port) },
      ...{ servername: `${name}.internal`, ca: authorities },
    });
    await once(socket, 'secureConnect');
    assert.is(socket.getPeerCertificate().subject.CN, name);
    socket.destroy();
  }
});

test('what is no backend is answered by nobody', async () => {
  assert.is(await get(stage.egressPort, 'several.local'), '404');
  assert.is(await get(stage.egressPort, 'github.com'), '404');
});

test('access logs: a JSON object or a line of text for each request', async () => {
  await get(stage.egressPort, 'color.local', { path: '/logged?a=1' });
  const read = (name: string) => readFile(join(stage.logs, name), 'utf8');
  const logged = '"path":"/logged?a=1"';
  await until('the request is in the log', async () => (await read('front.log')).includes(logged));
  const line = (await read('front.log')).split('\n').find((one) => one.includes(logged)) ?? '';
  const { to: cluster, ...rest } = JSON.parse(line);
  assert.equal(rest, { path: '/logged?a=1', code: 200 });
  assert.match(cluster, /^cds_egress_tour_white_http_\d+$/);
  const bothAsText = 'HTTP/1.1 GET 200\nHTTP/1.1 GET 200\n';
  await until('both of the gateway are', async () => (await read('gateway.log')) === bothAsText);
});

test.run();
