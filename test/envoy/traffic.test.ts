/**
 * Real requests through real Envoys that get their configuration over ADS: what was translated does what
 * the mesh says. One mesh for all tests: `web` calls by an explicit egress, `vault` sits behind an
 * explicit ingress that demands certificates.
 */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePorts } from '../../controller/demo/free-ports.js';
import { renderBootstrap } from '../../controller/envoy/bootstrap.js';
import { startHttpApp, startTcpApp } from '../support/apps.js';
import { certificateFolder } from '../support/certificates.js';
import { type RunningEnvoy, startEnvoy } from '../support/envoy.js';
import { type ServedMesh, serveMesh } from '../support/served-mesh.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';

interface Stage {
  readonly mesh: ServedMesh;
  readonly web: RunningEnvoy;
  readonly egressPort: number;
  readonly options: MeshOptions;
}

interface MeshOptions {
  readonly ports: Readonly<Record<'v1' | 'v2' | 'flaky' | 'slow' | 'echo' | 'app', number>>;
  readonly vaultIngress: number;
  readonly certificates: string;
  readonly weights?: readonly [number, number];
  /** What `web` shows to `vault`. */
  readonly clientCertificate?: 'client' | 'none';
}

const test = suite('traffic through real Envoys');
const undo: Undo = [];

interface NodeOptions {
  readonly protocol?: string;
  readonly port: number;
  /** YAML members of the listener. */
  readonly listener?: string;
  /** YAML of `serviceDiscovery`. */
  readonly found: string;
}

function node(
  name: string,
  { protocol = 'http', port, listener = '', found }: NodeOptions,
): string {
  return `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: ${name} }
spec:
  listeners: [{ portMapping: { port: ${port}, protocol: ${protocol} }${listener} }]
  serviceDiscovery: ${found}`;
}

function at(port: number): string {
  return `{ static: { endpoints: [{ address: 127.0.0.1, port: ${port} }] } }`;
}

function service(name: string, provider: string): string {
  return `apiVersion: headgate/v1
kind: VirtualService
metadata: { name: ${name}.local }
spec: ${provider}`;
}

function byNode(name: string): string {
  return `{ provider: { virtualNode: { virtualNodeRef: { name: ${name} } } } }`;
}

function meshYaml(options: MeshOptions): string {
  const { ports, weights = [1, 0], certificates: folder, vaultIngress } = options;
  const shown =
    options.clientCertificate === 'none'
      ? ''
      : `certificate: { file: { certificateChain: ${folder}/client.pem, privateKey: ${folder}/client.key } }`;
  const backends = ['split', 'flaky', 'slow', 'echo', 'nowhere', 'vault'];
  return [
    'apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: real }\nspec: {}',
    `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: web }
spec:
  backends: [${backends.map((name) => `{ virtualService: { virtualServiceRef: { name: ${name}.local } } }`).join(', ')}]
  backendDefaults:
    clientPolicy:
      tls:
        ports: [${ports.app}]
        ${shown}
        validation:
          trust: { file: { certificateChain: ${folder}/ca.pem } }
          subjectAlternativeNames: { match: { exact: [server.internal] } }`,
    node('v1', { port: 8080, found: at(ports.v1) }),
    node('v2', { port: 8080, found: at(ports.v2) }),
    node('flaky', { port: ports.flaky, found: '{ dns: { hostname: localhost } }' }),
    node('slow', {
      port: ports.slow,
      listener: ', timeout: { http: { perRequest: { unit: ms, value: 200 } } }',
      found: '{ dns: { hostname: localhost, responseType: ENDPOINTS } }',
    }),
    node('echo', { protocol: 'tcp', port: ports.echo, found: at(ports.echo) }),
    `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: vault }
spec:
  listeners:
    - portMapping: { port: ${ports.app}, protocol: http }
      tls:
        mode: STRICT
        certificate: { file: { certificateChain: ${folder}/server.pem, privateKey: ${folder}/server.key } }
        validation:
          trust: { file: { certificateChain: ${folder}/ca.pem } }
          subjectAlternativeNames: { match: { exact: [client.internal] } }
  serviceDiscovery: { static: { endpoints: [{ address: 127.0.0.1, port: ${vaultIngress} }] } }`,
    service('split', '{ provider: { virtualRouter: { virtualRouterRef: { name: split } } } }'),
    `apiVersion: headgate/v1
kind: VirtualRouter
metadata: { name: split }
spec:
  listeners: [{ portMapping: { port: 80, protocol: http } }]
  routes:
    - name: main
      httpRoute:
        match: { prefix: / }
        action:
          weightedTargets:
            - { virtualNodeRef: { name: v1 }, weight: ${weights[0]} }
            - { virtualNodeRef: { name: v2 }, weight: ${weights[1]} }`,
    ...['flaky', 'slow', 'echo', 'vault'].map((name) => service(name, byNode(name))),
    service('nowhere', '{}'),
  ].join('\n---\n');
}

async function setUp(): Promise<Stage> {
  const named = (name: string) => startHttpApp((_request, response) => response.end(name));
  let calls = 0;
  const flaky = await startHttpApp((_request, response) => {
    calls += 1;
    response.writeHead(calls % 3 === 0 ? 200 : 503).end(`call ${calls}`);
  });
  const slow = await startHttpApp(() => {});
  const echo = await startTcpApp((socket) => socket.pipe(socket));
  const [v1, v2, app] = await Promise.all([named('v1'), named('v2'), named('vault')]);
  for (const one of [flaky, slow, echo, v1, v2, app]) {
    undo.push(() => one.stop());
  }
  const [vaultIngress = 0, egressPort = 0] = await freePorts(2);
  const options: MeshOptions = {
    ports: {
      v1: v1.port,
      v2: v2.port,
      flaky: flaky.port,
      slow: slow.port,
      echo: echo.port,
      app: app.port,
    },
    vaultIngress,
    certificates: await certificateFolder(),
  };
  const mesh = await serveMesh(meshYaml(options));
  undo.push(() => mesh.stop());
  const start = async (name: string, addresses: object) => {
    const nodeId = `mesh/real/virtualNode/${name}`;
    const envoy = await startEnvoy(renderBootstrap({ nodeId, xds: [mesh.xds], ...addresses }));
    undo.push(() => envoy.stop());
    await envoy.waitUntilLive();
    return envoy;
  };
  await start('vault', { ingress: { address: '127.0.0.1', port: vaultIngress } });
  const web = await start('web', { egress: { address: '127.0.0.1', port: egressPort } });
  return { mesh, web, egressPort, options };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function call(port: number, host: string, agent?: Agent): Promise<Answer> {
  const sent = request({ host: '127.0.0.1', port, headers: { host }, agent });
  sent.end();
  const [response] = await once(sent, 'response');
  response.setEncoding('utf8');
  let body = '';
  for await (const chunk of response) {
    body += chunk;
  }
  return { status: response.statusCode, body };
}

const stage = await openStage(test, undo, setUp);

test('a service is called by its name at the egress port, with its port or without', async () => {
  const { egressPort } = stage;
  for (const host of [
    'split.local',
    'SPLIT.local',
    'split.local:80',
    `split.local:${egressPort}`,
  ]) {
    assert.equal(await call(egressPort, host), { status: 200, body: 'v1' }, host);
  }
});

test('what is no backend, or has no provider, is answered 404', async () => {
  for (const host of ['unknown.local', 'nowhere.local', 'split.local:81']) {
    const { status } = await call(stage.egressPort, host);
    assert.is(status, 404, host);
  }
});

test('an answer of 503 is tried again, as App Mesh does by default', async () => {
  assert.equal(await call(stage.egressPort, 'flaky.local'), { status: 200, body: 'call 3' });
});

test('a request that takes longer than its timeout is answered 504', async () => {
  const { status } = await call(stage.egressPort, 'slow.local');
  assert.is(status, 504);
});

test('a TCP service has a local port of its own, whose bytes pass both ways', async () => {
  const port = stage.egressPort + stage.options.ports.echo;
  const listeners = await stage.web.admin('/listeners');
  const local = port < 65_536 ? port : port - 64_512;
  assert.match(listeners, `lds_egress_127.0.0.1_${local}::127.0.0.1:${local}`);
  const socket = connect(local, '127.0.0.1');
  socket.end('bytes');
  let echoed = '';
  for await (const chunk of socket) {
    echoed += String(chunk);
  }
  assert.is(echoed, 'bytes');
});

test('proxies speak TLS to one another, and both sides show who they are', async () => {
  const { egressPort, options } = stage;
  assert.equal(await call(egressPort, 'vault.local'), { status: 200, body: 'vault' });
  const plain = await call(options.vaultIngress, 'vault.local').catch(() => ({ status: 0 }));
  assert.is(plain.status, 0, 'a caller without TLS is cut off');
});

test('a caller that shows no certificate is refused', async () => {
  const { mesh, egressPort, options } = stage;
  await mesh.publish(meshYaml({ ...options, clientCertificate: 'none' }));
  const { status } = await call(egressPort, 'vault.local');
  assert.is(status, 503);
  await mesh.publish(meshYaml(options));
  assert.is((await call(egressPort, 'vault.local')).status, 200);
});

test('traffic follows the weights, and not one request fails while they move', async () => {
  const { mesh, egressPort, options } = stage;
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const answers: Answer[] = [];
  let isMoving = true;
  const load = async () => {
    while (isMoving) {
      answers.push(await call(egressPort, 'split.local', agent));
    }
  };
  const loads = [load(), load()];
  for (const weights of [
    [1, 1],
    [0, 1],
    [1, 0],
    [0, 1],
  ] as const) {
    await mesh.publish(meshYaml({ ...options, weights }));
    const sent = answers.length;
    await until('requests are answered after the change', () => answers.length > sent + 20);
  }
  isMoving = false;
  await Promise.all(loads);
  const after = await call(egressPort, 'split.local', agent);
  agent.destroy();
  assert.is(after.body, 'v2');
  assert.equal(
    answers.filter(({ status }) => status !== 200),
    [],
  );
});

test.run();
