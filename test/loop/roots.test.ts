/** Whatever the root, a patched mesh is the effective mesh; and patches stay few. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../controller/base/random.js';
import { applyChanges, diffMeshes } from '../../controller/diff/diff-meshes.js';
import { type Announced, withAnnounced } from '../../controller/loop/announced.js';
import { Roots } from '../../controller/loop/roots.js';
import { findResource, type Mesh, resourceKey } from '../../controller/mesh/model.js';
import type { PatchedMesh } from '../../controller/mesh/patched-mesh.js';
import { meshOf } from '../support/mesh.js';
import { randomEdit } from '../support/random-edits.js';
import { integer } from '../support/random-mesh.js';

const test = suite('roots');

function plain({ base, patch }: PatchedMesh): Mesh {
  return applyChanges(base, [...patch.values()]);
}

/** Every third node's endpoints are announced. */
function meshWith(services: number): Mesh {
  const names = Array.from({ length: services }, (_, index) => `service-${index}`);
  const mesh = meshOf(
    names.map((name) => ({ name, weights: { v1: 90, v2: 10 }, gatewayPrefix: `/${name}` })),
  );
  const virtualNodes = mesh.virtualNodes.map((node, index) =>
    index % 3 === 0 ? { ...node, serviceDiscovery: { kind: 'announced' } as const } : node,
  );
  return { ...mesh, virtualNodes };
}

test('a patched mesh is the effective mesh, whatever became of the root', () => {
  let changesSeen = 0;
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed);
    let applied = meshWith(120);
    let announced: Announced = new Map();
    const roots = new Roots();
    const bases = new Set<Mesh>();
    for (let round = 0; round < 300; round += 1) {
      applied = applyChanges(applied, randomEdit(random, applied));
      announced = random() < 0.5 ? announced : announce(announced);
      const changes = random() < 0.5 ? [] : randomEdit(random, applied);
      changesSeen += changes.length;
      roots.begin();
      for (const served of [changes, []]) {
        const mesh = roots.patch(applied, announced, served);
        bases.add(mesh.base);
        const expected = withAnnounced(applyChanges(applied, served), announced);
        const what = `seed ${seed}, round ${round}`;
        assert.equal(diffMeshes(plain(mesh), expected), [], what);
        for (const { ref, after } of mesh.patch.values()) {
          assert.is.not(findResource(mesh.base, ref) ?? null, after, `${what}: a needless patch`);
        }
      }
    }
    assert.ok(bases.size > 1 && bases.size < 10, `${bases.size} roots in 300 rounds`);

    function announce(before: Announced): Announced {
      const node = applied.virtualNodes[integer(random, applied.virtualNodes.length)];
      const key = resourceKey({
        mesh: applied.name,
        kind: 'VirtualNode',
        name: node?.name ?? '',
      });
      const address = `10.0.0.${integer(random, 250)}`;
      return new Map([...before, [key, [{ instance: address, address }]]]);
    }
  }
  assert.ok(changesSeen > 100, 'rollouts changed something');
});

test.run();
