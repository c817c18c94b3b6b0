/**
 * What is translated of a patched mesh is, to the byte, what is translated of the same mesh from nothing:
 * that is done in a thread of its own, which has never seen a patch.
 */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { contentHash } from '../../controller/base/hash.js';
import { seededRandom } from '../../controller/base/random.js';
import { applyChanges, diffMeshes } from '../../controller/diff/diff-meshes.js';
import { checkSnapshot } from '../../controller/envoy/check-snapshot.js';
import {
  type ProxyIdentity,
  resourceTypes,
  type Snapshot,
} from '../../controller/envoy/snapshot.js';
import { snapshotFor, snapshotIn } from '../../controller/envoy/translate.js';
import { type Mesh, resourceKey } from '../../controller/mesh/model.js';
import type { PatchedMesh } from '../../controller/mesh/patched-mesh.js';
import { randomEdit } from '../support/random-edits.js';
import { randomGateway } from '../support/random-gateways.js';
import { randomDocuments } from '../support/random-mesh.js';
import { meshFromYaml } from '../support/yaml-mesh.js';

const seeds = Array.from({ length: 5 }, (_, seed) => seed);
const editsEach = 14;
const servicesMax = 40;
const ingress = { address: '127.0.0.1', port: 15_000 };
const egress = { address: '127.0.0.1', port: 15_500 };
const modes: readonly Pick<ProxyIdentity, 'kind' | 'ingress' | 'egress'>[] = [
  { kind: 'envoy' },
  { kind: 'envoy', ingress, egress },
  { kind: 'grpc' },
];

function proxiesOf(mesh: Mesh): readonly ProxyIdentity[] {
  const callers = mesh.virtualNodes.filter(({ name }, index) => name === 'web' || index % 7 === 0);
  return [...callers, ...mesh.virtualGateways].flatMap(({ kind, name }) =>
    modes.map((mode) => ({
      nodeId: name,
      resource: { mesh: mesh.name, kind, name },
      instance: name,
      ...mode,
    })),
  );
}

/** Names, versions, bytes and references of all that there is, and the versions of the sets. */
function digest(snapshot: Snapshot): readonly string[] {
  return resourceTypes.flatMap((type) => [
    `${type} ${snapshot[type].version}`,
    ...[...snapshot[type].byName].map(([key, { name, version, any, references }]) =>
      [key, name, version, contentHash(any), JSON.stringify(references)].join(' '),
    ),
  ]);
}

interface Task {
  readonly mesh: Mesh;
  readonly proxy: ProxyIdentity;
}

if (isMainThread) {
  const test = suite('a patched mesh');
  for (const seed of seeds) {
    test(`is translated as it would be from nothing, seed ${seed}`, async () => {
      const random = seededRandom(seed);
      const documents = randomDocuments(random, servicesMax);
      const all = [...documents, ...randomGateway(random, documents)];
      const base = meshFromYaml(all.map((item) => JSON.stringify(item)).join('\n---\n'));
      const tasks: Task[] = [];
      const made: Snapshot[] = [];
      let mesh = base;
      for (let edit = 0; edit < editsEach; edit += 1) {
        mesh = applyChanges(mesh, randomEdit(random, mesh));
        for (const proxy of proxiesOf(mesh)) {
          const snapshot = snapshotIn(patched(base, mesh), proxy);
          assert.ok(snapshot, `${proxy.nodeId} is in the mesh`);
          assert.equal(checkSnapshot(snapshot), []);
          tasks.push({ mesh, proxy });
          made.push(snapshot);
        }
      }
      const expected = await fromNothing(tasks);
      for (const [index, snapshot] of made.entries()) {
        const what = `${JSON.stringify(tasks[index]?.proxy)}, task ${index}`;
        assert.equal(digest(snapshot), expected[index], what);
      }
    });
  }

  test('gives proxies that it does not concern what the base gives them', () => {
    const random = seededRandom(1);
    const documents = randomDocuments(random, servicesMax);
    const base = meshFromYaml(documents.map((item) => JSON.stringify(item)).join('\n---\n'));
    const [router] = base.virtualRouters;
    assert.ok(router);
    const labels = { moved: 'yes' };
    const ref = { mesh: base.name, kind: router.kind, name: router.name };
    const mesh = {
      base,
      patch: new Map([[resourceKey(ref), { ref, after: { ...router, labels } }]]),
    };
    const services = base.virtualServices.flatMap(({ name, provider }) =>
      provider?.kind === 'virtualRouter' && provider.virtualRouter === router.name ? [name] : [],
    );
    const strangers = base.virtualNodes.filter(({ backends }) =>
      backends.every(({ virtualService }) => !services.includes(virtualService)),
    );
    assert.ok(strangers.length > 10, 'most nodes do not call the service');
    for (const { kind, name } of strangers) {
      const resource = { mesh: base.name, kind, name };
      const proxy = { nodeId: name, resource, instance: name, kind: 'envoy' } as const;
      assert.is(snapshotIn(mesh, proxy), snapshotFor(base, proxy));
    }
  });

  test.run();
} else {
  parentPort?.once('message', (tasks: readonly Task[]) => {
    parentPort?.postMessage(
      tasks.map(({ mesh, proxy }) => digest(snapshotFor(mesh, proxy) as Snapshot)),
    );
  });
}

function patched(base: Mesh, mesh: Mesh): PatchedMesh {
  const changes = diffMeshes(base, mesh).map(
    (change) => [resourceKey(change.ref), change] as const,
  );
  return { base, patch: new Map(changes) };
}

async function fromNothing(tasks: readonly Task[]): Promise<readonly (readonly string[])[]> {
  const worker = new Worker(new URL(import.meta.url));
  try {
    return await new Promise((resolve, reject) => {
      worker.once('message', resolve).once('error', reject);
      worker.postMessage(tasks);
    });
  } finally {
    await worker.terminate();
  }
}
