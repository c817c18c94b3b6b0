/**
 * gRPC without a proxy: a client with xDS built in (grpc-js with its xDS plug-in) takes what it is served
 * and follows the weights.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startGrpcJs } from '../support/grpc-clients.js';
import { startNamedGrpc } from '../support/named-grpc.js';
import { ratingsMesh } from '../support/ratings-mesh.js';
import { serveMesh } from '../support/served-mesh.js';
import { openStage, type Undo } from '../support/stage.js';

const test = suite('gRPC without a proxy');
const undo: Undo = [];

/** Answers every call with its name. */
async function startNamed(name: string): Promise<number> {
  const server = await startNamedGrpc(name);
  undo.push(server.stop);
  return server.port;
}

function yaml(ports: readonly number[], weights: readonly number[]): string {
  return ratingsMesh(ports.map((port, index) => ({ port, weight: weights[index] ?? 0 })));
}

async function setUp() {
  const ports = await Promise.all([startNamed('v1'), startNamed('v2')]);
  const mesh = await serveMesh(yaml(ports, [1, 0]));
  undo.push(() => mesh.stop());
  return { mesh, ports };
}

const { mesh, ports } = await openStage(test, undo, setUp);

test('47: a client resolves a service by name, with its port or without, and follows the weights', async () => {
  const targets = ['xds:///ratings.local', 'xds:///ratings.local:9090'];
  const clients = await Promise.all(targets.map((target) => startGrpcJs(mesh.xds, target)));
  undo.push(() => Promise.all(clients.map((client) => client.stop())));
  const askBoth = () => Promise.all(clients.map((client) => client.ask(1)));
  assert.equal(await askBoth(), [{ v1: 1 }, { v1: 1 }]);
  await mesh.publish(yaml(ports, [0, 1]));
  assert.equal(await askBoth(), [{ v2: 1 }, { v2: 1 }]);
});

test('47: it refused nothing that it was served', () => {
  const refused = mesh.events.filter((event) => event.kind === 'proxyNacked');
  assert.equal(refused, []);
  const kinds = mesh.events.flatMap((event) =>
    event.kind === 'proxyConnected' ? event.proxy.identity.kind : [],
  );
  assert.equal([...new Set(kinds)], ['grpc']);
});

test.run();
