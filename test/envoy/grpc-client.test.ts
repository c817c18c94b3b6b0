/**
 * gRPC without a proxy: a client with xDS built in (grpc-js with its xDS plug-in) takes what it is served
 * and follows the weights.
 */
import { Client, credentials } from '@grpc/grpc-js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { namedMethod, plainBytes, startNamedGrpc } from '../support/named-grpc.js';
import { serveMesh } from '../support/served-mesh.js';

const test = suite('gRPC without a proxy');
const undo: (() => unknown)[] = [];

/** Answers every call with its name. */
async function startNamed(name: string): Promise<number> {
  const server = await startNamedGrpc(name);
  undo.push(server.stop);
  return server.port;
}

function meshYaml(ports: readonly number[], weights: readonly number[]): string {
  const nodes = ports.map(
    (port, index) => `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: ratings-v${index + 1} }
spec:
  listeners: [{ portMapping: { port: 9090, protocol: grpc } }]
  serviceDiscovery: { static: { endpoints: [{ address: 127.0.0.1, port: ${port} }] } }`,
  );
  const targets = weights.map(
    (weight, index) => `{ virtualNodeRef: { name: ratings-v${index + 1} }, weight: ${weight} }`,
  );
  return [
    'apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: books }\nspec: {}',
    `apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: web }
spec: { backends: [{ virtualService: { virtualServiceRef: { name: ratings.local } } }] }`,
    `apiVersion: headgate/v1
kind: VirtualService
metadata: { name: ratings.local }
spec: { provider: { virtualRouter: { virtualRouterRef: { name: ratings } } } }`,
    `apiVersion: headgate/v1
kind: VirtualRouter
metadata: { name: ratings }
spec:
  listeners: [{ portMapping: { port: 9090, protocol: grpc } }]
  routes:
    - name: main
      grpcRoute:
        match: { serviceName: books.Ratings }
        action: { weightedTargets: [${targets.join(', ')}] }`,
    ...nodes,
  ].join('\n---\n');
}

async function setUp() {
  const ports = await Promise.all([startNamed('v1'), startNamed('v2')]);
  const mesh = await serveMesh(meshYaml(ports, [1, 0]));
  undo.push(() => mesh.stop());
  const { address, port } = mesh.xds;
  process.env.GRPC_XDS_BOOTSTRAP_CONFIG = JSON.stringify({
    xds_servers: [
      {
        server_uri: `${address}:${port}`,
        channel_creds: [{ type: 'insecure' }],
        server_features: ['xds_v3'],
      },
    ],
    node: { id: 'mesh/books/virtualNode/web', locality: {} },
  });
  // It reads its bootstrap when it is loaded.
  const { register } = await import('@grpc/grpc-js-xds');
  register();
  return { mesh, ports };
}

async function tearDown(): Promise<void> {
  for (const step of undo.reverse()) {
    await step();
  }
}

function ask(client: Client): Promise<string> {
  return new Promise((resolve, reject) => {
    const deadline = { deadline: Date.now() + 5000 };
    client.makeUnaryRequest(
      namedMethod,
      plainBytes.encode,
      plainBytes.decode,
      Buffer.alloc(0),
      deadline,
      (error, answer) => (error === null ? resolve(String(answer)) : reject(error)),
    );
  });
}

const { mesh, ports } = await setUp().catch(async (error: unknown) => {
  await tearDown();
  throw error;
});
test.after(tearDown);

test('a client resolves a service by name, with its port or without, and follows the weights', async () => {
  const targets = ['xds:///ratings.local', 'xds:///ratings.local:9090'];
  const clients = targets.map((target) => new Client(target, credentials.createInsecure()));
  undo.push(() => {
    for (const client of clients) {
      client.close();
    }
  });
  assert.equal(await Promise.all(clients.map(ask)), ['v1', 'v1']);
  await mesh.publish(meshYaml(ports, [0, 1]));
  assert.equal(await Promise.all(clients.map(ask)), ['v2', 'v2']);
});

test('it refused nothing that it was served', () => {
  const refused = mesh.events.filter((event) => event.kind === 'proxyNacked');
  assert.equal(refused, []);
  const kinds = mesh.events.flatMap((event) =>
    event.kind === 'proxyConnected' ? event.proxy.identity.kind : [],
  );
  assert.equal([...new Set(kinds)], ['grpc']);
});

test.run();
