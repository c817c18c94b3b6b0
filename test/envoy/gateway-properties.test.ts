/** What holds for every gateway: seeded random ones, so that a failure names the seed that shows it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../controller/base/random.js';
import { checkSnapshot } from '../../controller/envoy/check-snapshot.js';
import { snapshotJson } from '../../controller/envoy/resource-json.js';
import {
  type ProxyIdentity,
  resourceTypes,
  type Snapshot,
} from '../../controller/envoy/snapshot.js';
import { snapshotFor } from '../../controller/envoy/translate.js';
import type { Mesh } from '../../controller/mesh/model.js';
import { validateBootstrap } from '../support/envoy.js';
import { randomGateway } from '../support/random-gateways.js';
import { type Document, randomDocuments, shuffled } from '../support/random-mesh.js';
import { staticBootstrap } from '../support/static-bootstrap.js';
import { meshFromYaml } from '../support/yaml-mesh.js';

const test = suite('gateways, whatever the mesh');

const proxy: ProxyIdentity = {
  nodeId: 'mesh/random/virtualGateway/edge',
  resource: { mesh: 'random', kind: 'VirtualGateway', name: 'edge' },
  instance: 'edge',
  kind: 'envoy',
};

function documentsOf(seed: number): readonly Document[] {
  const documents = randomDocuments(seededRandom(seed));
  return [...documents, ...randomGateway(seededRandom(seed + 500), documents)];
}

/** Every document is JSON, which is YAML. */
function meshOf(documents: readonly Document[]): Mesh {
  return meshFromYaml(documents.map((item) => JSON.stringify(item)).join('\n---\n'));
}

const meshes = Array.from({ length: 40 }, (_, seed) => meshOf(documentsOf(seed)));

function snapshotOf(mesh: Mesh): Snapshot {
  const made = snapshotFor(mesh, proxy);
  assert.ok(made, 'the gateway is not in the mesh');
  return made;
}

function assertSame(made: Snapshot, other: Snapshot, what: string): void {
  for (const type of resourceTypes.filter((one) => other[one] !== made[one])) {
    assert.equal(snapshotJson(other)[type], snapshotJson(made)[type], what);
    assert.unreachable(`${what}: the same ${type}s are another object`);
  }
}

test('every reference resolves, and every cluster is one that a route may choose', () => {
  let clusters = 0;
  for (const [seed, mesh] of meshes.entries()) {
    const made = snapshotOf(mesh);
    assert.equal(checkSnapshot(made), [], `seed ${seed}`);
    const routes = [...made.route.byName.values()];
    const named = new Set(routes.flatMap(({ references }) => references.map(({ name }) => name)));
    assert.equal([...named].sort(), [...made.cluster.byName.keys()], `seed ${seed}`);
    clusters += named.size;
  }
  assert.ok(clusters > 100, `only ${clusters} clusters`);
});

test('the order of documents and lists does not matter', () => {
  for (const [seed, mesh] of meshes.entries()) {
    const other = meshOf(shuffled(seededRandom(seed + 1000), documentsOf(seed)));
    assertSame(snapshotOf(mesh), snapshotOf(other), `seed ${seed}`);
  }
});

test('a change of weights behind a gateway changes one route configuration, and nothing else', () => {
  let changes = 0;
  for (const [seed, mesh] of meshes.entries()) {
    const made = snapshotOf(mesh);
    for (const router of mesh.virtualRouters) {
      const routes = router.routes.map((route) => ({
        ...route,
        targets: route.targets.map((target, index) => ({
          ...target,
          weight: index === 0 ? target.weight + 7 : target.weight,
        })),
      }));
      const virtualRouters = mesh.virtualRouters.map((one) =>
        one === router ? { ...router, routes } : one,
      );
      const after = snapshotOf({ ...mesh, virtualRouters });
      for (const type of resourceTypes.filter((one) => one !== 'route')) {
        assert.is(after[type], made[type], `seed ${seed}: ${type}s changed`);
      }
      const before = new Set(made.route.byName.values());
      const news = [...after.route.byName.values()].filter((one) => !before.has(one));
      assert.ok(news.length <= 1, `seed ${seed}: ${news.map(({ name }) => name).join(', ')}`);
      changes += news.length;
    }
  }
  assert.ok(changes > 20, `only ${changes} changes were tried`);
});

test('a port that is left out means the only one there is', () => {
  const yaml = (port: string, targetPort: string) => `apiVersion: headgate/v1
kind: Mesh
metadata: { name: random }
---
apiVersion: headgate/v1
kind: VirtualGateway
metadata: { name: edge }
spec: { listeners: [{ portMapping: { port: 80, protocol: http } }] }
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: web }
spec: { listeners: [{ portMapping: { port: 8080, protocol: http } }], serviceDiscovery: { announced: {} } }
---
apiVersion: headgate/v1
kind: VirtualService
metadata: { name: web.local }
spec: { provider: { virtualNode: { virtualNodeRef: { name: web } } } }
---
apiVersion: headgate/v1
kind: GatewayRoute
metadata: { name: web }
spec:
  virtualGatewayRef: { name: edge }
  httpRoute:
    match: { prefix: /web ${port} }
    action: { target: { virtualService: { virtualServiceRef: { name: web.local } } ${targetPort} } }`;
  const leftOut = snapshotOf(meshFromYaml(yaml('', '')));
  const written = snapshotOf(meshFromYaml(yaml(', port: 80', ', port: 8080')));
  assert.is(leftOut.cluster.byName.size, 1);
  assertSame(leftOut, written, 'ports');
});

test('a mesh that has no such gateway serves nothing', () => {
  const [mesh] = meshes;
  assert.ok(mesh);
  const resource = { mesh: 'random', kind: 'VirtualGateway', name: 'other' } as const;
  assert.is(mesh && snapshotFor(mesh, { ...proxy, resource }), undefined);
});

for (const [seed, mesh] of meshes.slice(0, 8).entries()) {
  test(`the gateway of random mesh ${seed} is accepted by Envoy`, async () => {
    const words = await validateBootstrap(staticBootstrap(snapshotOf(mesh)));
    assert.is(words, undefined, words);
  });
}

test.run();
