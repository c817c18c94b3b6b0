/**
 * Each case is a mesh before and after a commit, a proxy, and the routes that it is served at every step, one
 * document each. A real Envoy has to accept all of them, and at the end nothing is left of the steps: the
 * bytes are those of the mesh that the commit describes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import { diffMeshes } from '../../controller/diff/diff-meshes.js';
import { groupChanges } from '../../controller/diff/group.js';
import { checkSnapshot } from '../../controller/envoy/check-snapshot.js';
import { parseNodeId } from '../../controller/envoy/identity.js';
import { snapshotJson } from '../../controller/envoy/resource-json.js';
import type { ProxyIdentity, Snapshot } from '../../controller/envoy/snapshot.js';
import { snapshotFor } from '../../controller/envoy/translate.js';
import type { Mesh } from '../../controller/mesh/model.js';
import { describeStep } from '../../controller/rollout/describe-step.js';
import { effectiveMesh } from '../../controller/rollout/mix.js';
import { planRollout } from '../../controller/rollout/plan.js';
import type { Rollout } from '../../controller/rollout/rollout.js';
import { certificateFolder } from '../support/certificates.js';
import { validateBootstrap } from '../support/envoy.js';
import { assertGolden, goldenCases } from '../support/golden.js';
import { staticBootstrap } from '../support/static-bootstrap.js';
import { meshFromYaml } from '../support/yaml-mesh.js';

const test = suite('strategies, step by step');

interface ProxyFile extends Pick<ProxyIdentity, 'egress'> {
  readonly node: string;
  readonly kind?: ProxyIdentity['kind'];
}

function readProxy(folder: string): ProxyIdentity {
  const text = readFileSync(join(folder, 'proxy.json'), 'utf8');
  const { node, kind = 'envoy', egress } = JSON.parse(text) as ProxyFile;
  return { nodeId: node, resource: parseNodeId(node), instance: node, kind, egress };
}

/** One rollout for each group of changes, as it starts. */
function rolloutsOf(applied: Mesh, desired: Mesh): readonly Rollout[] {
  return groupChanges({ applied, desired }, diffMeshes(applied, desired)).map((group) => ({
    id: `${group.name}-1`,
    mesh: group.mesh,
    name: group.name,
    revision: { id: 'c2', author: 'ann', title: 'release', committedAtMs: 0 },
    group,
    plan: planRollout(group, desired),
    phase: 'Baking',
    reason: '',
    step: -1,
    waveShare: 1,
    startedAtMs: 0,
    stepEnteredAtMs: 0,
    approvals: [],
    gates: [],
    evidence: [],
  }));
}

interface Served {
  readonly title: string;
  readonly snapshot: Snapshot;
}

for (const { name, path } of goldenCases('strategies')) {
  const proxy = readProxy(path);
  const [applied, desired] = ['before.yaml', 'after.yaml'].map((file) =>
    meshFromYaml(readFileSync(join(path, file), 'utf8')),
  ) as [Mesh, Mesh];
  const rollouts = rolloutsOf(applied, desired);

  const serve = (changes: Partial<Rollout>): Snapshot => {
    const now = rollouts.map((rollout) => ({ ...rollout, ...changes }));
    const snapshot = snapshotFor(effectiveMesh(applied, now, proxy.instance), proxy);
    assert.ok(snapshot, `${proxy.nodeId} is not in the mesh`);
    assert.equal(checkSnapshot(snapshot), []);
    return snapshot;
  };
  const steps = rollouts[0]?.plan.steps ?? [];
  const served = steps.map((_, step): Served => {
    const titles = rollouts.flatMap(({ name: of, plan }) => {
      const present = plan.steps[step];
      return present === undefined ? [] : [`${of}: ${describeStep(present)}`];
    });
    return { title: titles.join('; '), snapshot: serve({ step }) };
  });

  test(`${name} is served as written down`, () => {
    const documents = served.map(
      ({ title, snapshot }) =>
        `# ${title}\n${stringify(snapshotJson(snapshot).route, { lineWidth: 0 })}`,
    );
    assertGolden(join(path, 'routes.yaml'), documents.join('---\n'));
  });

  test(`${name} leaves nothing behind, on the way there or back`, () => {
    const end = snapshotFor(desired, proxy);
    const start = snapshotFor(applied, proxy);
    const last = steps.length - 1;
    assert.equal(versionsOf(serve({ step: last, phase: 'Completing' })), versionsOf(end));
    for (const step of steps.keys()) {
      assert.equal(versionsOf(serve({ step, phase: 'RollingBack' })), versionsOf(start));
    }
  });

  if (proxy.kind === 'envoy') {
    test(`${name} is accepted by Envoy`, async () => {
      for (const { title, snapshot } of served) {
        const words = await validateBootstrap(staticBootstrap(snapshot), await certificateFolder());
        assert.is(words, undefined, `${title}: ${words}`);
      }
    });
  }
}

function versionsOf(snapshot: Snapshot | undefined): readonly string[] {
  return Object.values(snapshot ?? {}).flatMap((set) =>
    [...set.byName].map(([name, { version }]) => `${name} ${version}`),
  );
}

test.run();
