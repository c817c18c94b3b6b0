/** What becomes of each case of `test/golden/import` is accepted by a real Envoy: every node and gateway. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { checkSnapshot } from '../../controller/envoy/check-snapshot.js';
import type { ProxyIdentity, Snapshot } from '../../controller/envoy/snapshot.js';
import { snapshotFor } from '../../controller/envoy/translate.js';
import type { Mesh } from '../../controller/mesh/model.js';
import { filesOf, imported, meshFilesOf, optionsOf } from '../import/import-case.js';
import { certificateFolder } from '../support/certificates.js';
import { validateBootstrap } from '../support/envoy.js';
import { goldenCases } from '../support/golden.js';
import { joinedBootstrap } from '../support/static-bootstrap.js';

const test = suite('a real Envoy takes what is imported');

for (const { name, path } of goldenCases('import')) {
  test(name, async () => {
    const result = imported(filesOf(path), optionsOf(path));
    const files = meshFilesOf(result).map((file) => ({
      path: file.path,
      bytes: Buffer.from(file.text),
    }));
    const { meshes } = loadMeshes({ files, problems: [] });
    const snapshots = meshes.flatMap(snapshotsOf);
    assert.ok(snapshots.length > 0);
    const bootstrap = joinedBootstrap(snapshots);
    assert.is(await validateBootstrap(bootstrap, await certificateFolder()), undefined);
  });
}

/** Of every proxy that the mesh could have, redirected. */
function snapshotsOf(mesh: Mesh): readonly Snapshot[] {
  return [...mesh.virtualNodes, ...mesh.virtualGateways].map(({ kind, name }) => {
    const resource = { mesh: mesh.name, kind, name };
    const proxy: ProxyIdentity = { nodeId: name, instance: '', kind: 'envoy', resource };
    const snapshot = snapshotFor(mesh, proxy) as Snapshot;
    assert.equal(checkSnapshot(snapshot), []);
    return snapshot;
  });
}

test.run();
