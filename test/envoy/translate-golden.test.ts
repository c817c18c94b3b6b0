/**
 * Each case is a mesh as users write it, a proxy, and what the proxy is served. A real Envoy has to accept
 * every one: its words are in the failure message.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import { checkSnapshot } from '../../controller/envoy/check-snapshot.js';
import { parseNodeId } from '../../controller/envoy/identity.js';
import { snapshotJson } from '../../controller/envoy/resource-json.js';
import type { ProxyIdentity, Snapshot } from '../../controller/envoy/snapshot.js';
import { snapshotFor } from '../../controller/envoy/translate.js';
import { certificateFolder } from '../support/certificates.js';
import { validateBootstrap } from '../support/envoy.js';
import { assertGolden, goldenCases } from '../support/golden.js';
import { staticBootstrap } from '../support/static-bootstrap.js';
import { meshFromYaml } from '../support/yaml-mesh.js';

const test = suite('translation, case by case');

interface ProxyFile extends Pick<ProxyIdentity, 'ingress' | 'egress'> {
  readonly node: string;
  readonly kind?: ProxyIdentity['kind'];
}

function readProxy(path: string): ProxyIdentity {
  const {
    node,
    kind = 'envoy',
    ...addresses
  } = JSON.parse(readFileSync(path, 'utf8')) as ProxyFile;
  return { nodeId: node, resource: parseNodeId(node), instance: node, kind, ...addresses };
}

function readSnapshot(folder: string): Snapshot {
  const mesh = meshFromYaml(readFileSync(join(folder, 'mesh.yaml'), 'utf8'));
  const proxy = readProxy(join(folder, 'proxy.json'));
  const made = snapshotFor(mesh, proxy);
  assert.ok(made, `${proxy.nodeId} is not in the mesh`);
  return made;
}

for (const { name, path } of goldenCases('translate')) {
  test(`${name} is translated as written down`, () => {
    const made = readSnapshot(path);
    assert.equal(checkSnapshot(made), []);
    assertGolden(join(path, 'out.yaml'), stringify(snapshotJson(made), { lineWidth: 0 }));
  });

  if (readProxy(join(path, 'proxy.json')).kind === 'envoy') {
    test(`${name} is accepted by Envoy`, async () => {
      const made = readSnapshot(path);
      const words = await validateBootstrap(staticBootstrap(made), await certificateFolder());
      assert.is(words, undefined, words);
    });
  }
}

test.run();
