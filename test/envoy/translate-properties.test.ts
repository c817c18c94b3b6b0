/** What holds for every mesh: seeded random ones, so that a failure names the seed that shows it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../controller/base/random.js';
import { checkSnapshot } from '../../controller/envoy/check-snapshot.js';
import { snapshotJson } from '../../controller/envoy/resource-json.js';
import {
  type EncodedResource,
  type ProxyIdentity,
  resourceTypes,
  type Snapshot,
} from '../../controller/envoy/snapshot.js';
import { snapshotFor } from '../../controller/envoy/translate.js';
import type { Mesh } from '../../controller/mesh/model.js';
import { validateBootstrap } from '../support/envoy.js';
import { type Document, randomDocuments, shuffled } from '../support/random-mesh.js';
import { staticBootstrap } from '../support/static-bootstrap.js';
import { meshFromYaml } from '../support/yaml-mesh.js';

const test = suite('translation, whatever the mesh');

const seeds = Array.from({ length: 30 }, (_, seed) => seed);
const ingress = { address: '127.0.0.1', port: 15_000 };
const egress = { address: '127.0.0.1', port: 15_500 };
const modes: readonly Pick<ProxyIdentity, 'kind' | 'ingress' | 'egress'>[] = [
  { kind: 'envoy' },
  { kind: 'envoy', ingress, egress },
  { kind: 'envoy', ingress },
  { kind: 'envoy', egress },
  { kind: 'grpc' },
];

/** Every document is JSON, which is YAML. */
function meshOf(documents: readonly Document[]): Mesh {
  return meshFromYaml(documents.map((item) => JSON.stringify(item)).join('\n---\n'));
}

const meshes = seeds.map((seed) => meshOf(randomDocuments(seededRandom(seed))));

function proxiesOf(mesh: Mesh): readonly ProxyIdentity[] {
  return mesh.virtualNodes.flatMap(({ name }) =>
    modes.map((mode) => ({
      nodeId: `mesh/${mesh.name}/virtualNode/${name}`,
      resource: { mesh: mesh.name, kind: 'VirtualNode', name },
      instance: name,
      ...mode,
    })),
  );
}

function snapshotOf(mesh: Mesh, proxy: ProxyIdentity): Snapshot {
  const made = snapshotFor(mesh, proxy);
  assert.ok(made, `${proxy.nodeId} is not in the mesh`);
  return made;
}

function resourcesOf(made: Snapshot): readonly EncodedResource[] {
  return resourceTypes.flatMap((type) => [...made[type].byName.values()]);
}

/** Calls `check` for each proxy of each random mesh; what it says of a failure gets the seed and proxy. */
function forEveryProxy(check: (mesh: Mesh, proxy: ProxyIdentity) => void): void {
  for (const [seed, mesh] of meshes.entries()) {
    for (const proxy of proxiesOf(mesh)) {
      try {
        check(mesh, proxy);
      } catch (error) {
        throw new Error(`seed ${seed}, ${JSON.stringify(proxy)}: ${String(error)}`);
      }
    }
  }
}

test('every reference resolves', () => {
  forEveryProxy((mesh, proxy) => assert.equal(checkSnapshot(snapshotOf(mesh, proxy)), []));
});

test('a missing resource is found, whichever it is', () => {
  forEveryProxy((mesh, proxy) => {
    const made = snapshotOf(mesh, proxy);
    const named = resourcesOf(made).flatMap(({ references }) => references);
    for (const { type, name } of named) {
      const byName = new Map([...made[type].byName].filter(([other]) => other !== name));
      const problems = checkSnapshot({ ...made, [type]: { version: '', byName } });
      assert.ok(problems.length > 0, `${type} ${name} is missing and nobody says so`);
      assert.match(problems[0] ?? '', `names ${type} ${name}, which is missing`);
    }
  });
});

test('everything but listeners and what is called is named by something', () => {
  forEveryProxy((mesh, proxy) => {
    const made = snapshotOf(mesh, proxy);
    const named = new Set(
      resourcesOf(made).flatMap(({ references }) => references.map((one) => one.type + one.name)),
    );
    for (const type of ['endpoint', 'route'] as const) {
      for (const name of made[type].byName.keys()) {
        assert.ok(named.has(type + name), `${type} ${name} is for nothing`);
      }
    }
  });
});

test('a node is served the clusters that its backends may lead to, and no others', () => {
  forEveryProxy((mesh, proxy) => {
    const node = mesh.virtualNodes.find(({ name }) => name === proxy.resource?.name);
    const expected = (node?.backends ?? []).flatMap(({ virtualService }) => {
      const { provider } = mesh.virtualServices.find(({ name }) => name === virtualService) ?? {};
      if (provider?.kind === 'virtualNode') {
        const target = mesh.virtualNodes.find(({ name }) => name === provider.virtualNode);
        return (target?.listeners ?? []).map(({ port }) => `${target?.name}:${port}`);
      }
      const router = mesh.virtualRouters.find(({ name }) => name === provider?.virtualRouter);
      const targets = (router?.routes ?? []).flatMap((route) => route.targets);
      return targets.map((target) => `${target.virtualNode}:${target.port}`);
    });
    const served = [...snapshotOf(mesh, proxy).cluster.byName.keys()]
      .map((name) => /^cds_egress_random_(.+)_(?:http2?|grpc|tcp)_(\d+)$/.exec(name))
      .flatMap((parts) => (parts === null ? [] : `${parts[1]}:${parts[2]}`));
    assert.equal(served.sort(), [...new Set(expected)].sort());
  });
});

test('weights of every HTTP route sum to 10,000', () => {
  forEveryProxy((mesh, proxy) => {
    const text = JSON.stringify(snapshotJson(snapshotOf(mesh, proxy)).route ?? {});
    for (const [, list] of text.matchAll(/"weighted_clusters":\{"clusters":(\[.*?\])\}/g)) {
      const clusters = JSON.parse(list ?? '[]') as readonly { readonly weight: number }[];
      assert.is(
        clusters.reduce((sum, { weight }) => sum + weight, 0),
        10_000,
      );
    }
  });
});

test('the order of documents and lists does not matter', () => {
  for (const [seed, mesh] of meshes.entries()) {
    const documents = randomDocuments(seededRandom(seed));
    const other = meshOf(shuffled(seededRandom(seed + 1000), documents));
    for (const proxy of proxiesOf(mesh)) {
      const made = snapshotOf(mesh, proxy);
      const again = snapshotOf(other, proxy);
      for (const type of resourceTypes.filter((one) => again[one] !== made[one])) {
        const what = `seed ${seed}, ${JSON.stringify(proxy)}`;
        assert.equal(snapshotJson(again)[type], snapshotJson(made)[type], what);
        assert.unreachable(`${what}: the same ${type}s are another object`);
      }
    }
  }
});

test('a change of weights changes the one route configuration that has them, and nothing else', () => {
  let changes = 0;
  forEveryProxy((mesh, proxy) => {
    const made = snapshotOf(mesh, proxy);
    for (const router of mesh.virtualRouters) {
      const moved = router.routes.map((route) => ({
        ...route,
        targets: route.targets.map((target, index) => ({
          ...target,
          weight: index === 0 ? target.weight + 7 : target.weight,
        })),
      }));
      const changed = { ...router, routes: moved };
      const hasTcp = changed.routes.some(({ protocol }) => protocol === 'tcp');
      const virtualRouters = mesh.virtualRouters.map((one) => (one === router ? changed : one));
      const after = snapshotOf({ ...mesh, virtualRouters }, proxy);
      const before = new Set(resourcesOf(made));
      const news = resourcesOf(after).filter((resource) => !before.has(resource));
      assert.ok(news.length <= 1, `${news.map(({ name }) => name).join(', ')} changed`);
      const others = hasTcp ? 'listener' : 'route';
      for (const type of resourceTypes.filter((one) => one !== others)) {
        assert.is(after[type], made[type], `${type}s changed`);
      }
      changes += news.length;
    }
  });
  assert.ok(changes > 100, `only ${changes} changes were tried`);
});

for (const [seed, mesh] of meshes.slice(0, 8).entries()) {
  test(`random mesh ${seed} is accepted by Envoy`, async () => {
    const web = proxiesOf(mesh).filter(({ resource }) => resource?.name === 'web');
    for (const proxy of web.slice(0, 2)) {
      const words = await validateBootstrap(staticBootstrap(snapshotOf(mesh, proxy)));
      assert.is(words, undefined, `${JSON.stringify(proxy)}: ${words}`);
    }
  });
}

test.run();
