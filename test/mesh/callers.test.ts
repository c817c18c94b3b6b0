/** Who names a resource: right after any edits, and read from nothing but what they changed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../controller/base/random.js';
import { applyChanges } from '../../controller/diff/diff-meshes.js';
import { callersOf } from '../../controller/mesh/callers.js';
import type { Mesh, ResourceRef, VirtualRouter } from '../../controller/mesh/model.js';
import { allResources, referencesOf } from '../../controller/mesh/references.js';
import { meshOf } from '../support/mesh.js';
import { randomEdit } from '../support/random-edits.js';
import { integer } from '../support/random-mesh.js';

const test = suite('callers');

function meshWith(services: number): Mesh {
  const names = Array.from({ length: services }, (_, index) => `service-${index}`);
  return meshOf(
    names.map((name) => ({ name, weights: { v1: 90, v2: 10 }, gatewayPrefix: `/${name}` })),
  );
}

function plainCallers(mesh: Mesh, { kind, name }: ResourceRef): readonly string[] {
  return allResources(mesh)
    .filter((resource) =>
      referencesOf(mesh.name, resource).some((ref) => ref.kind === kind && ref.name === name),
    )
    .map((resource) => `${resource.kind} ${resource.name}`);
}

test('are those that name it, whatever was edited before', () => {
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed);
    const meshes = [meshWith(12)];
    for (let round = 0; round < 200; round += 1) {
      // Mostly the newest, as commits do; now and then an older one, as rollouts do.
      const back = random() < 0.8 ? 1 : 1 + integer(random, Math.min(meshes.length, 5));
      const base = meshes.at(-back);
      assert.ok(base);
      const mesh = applyChanges(base, randomEdit(random, base));
      meshes.push(mesh);
      for (const { kind, name } of allResources(mesh)) {
        const ref = { mesh: mesh.name, kind, name };
        assert.equal(
          callersOf(mesh, ref).map((resource) => `${resource.kind} ${resource.name}`),
          plainCallers(mesh, ref),
          `seed ${seed}, round ${round}: ${kind} ${name}`,
        );
      }
    }
  }
});

test('of a mesh of which one router changed are read from that router', () => {
  for (const services of [10, 1000]) {
    let read: string[] = [];
    const counted = (router: VirtualRouter): VirtualRouter => ({
      ...router,
      get routes() {
        read.push(router.name);
        return router.routes;
      },
    });
    const mesh = { ...meshWith(services), name: `counted-${services}` };
    const before = { ...mesh, virtualRouters: mesh.virtualRouters.map(counted) };
    const node = { mesh: mesh.name, kind: 'VirtualNode', name: 'service-3-v1' } as const;
    assert.equal(callersOf(before, node).length, 1);
    assert.is(read.length, services);
    read = [];
    const changed = counted({ ...(before.virtualRouters[3] as VirtualRouter), labels: { a: 'b' } });
    const after = { ...before, virtualRouters: before.virtualRouters.with(3, changed) };
    callersOf(after, node);
    assert.ok(read.length > 0 && new Set(read).size === 1, read.join());
    read = [];
    callersOf(before, node);
    callersOf(after, node);
    assert.equal(read, []);
  }
});

test.run();
