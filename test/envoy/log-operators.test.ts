/** The table of log operators (`decode/log-operators.ts`) against a real Envoy, which has the last word. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { logOperators } from '../../controller/decode/log-operators.js';
import { snapshotFor } from '../../controller/envoy/translate.js';
import { validateBootstrap } from '../support/envoy.js';
import { revisionOf } from '../support/revision.js';
import { staticBootstrap } from '../support/static-bootstrap.js';

const test = suite('operators of access logs');

/** Undefined where Envoy takes a sidecar whose access log has the lines `lines`, else its words. */
async function refusal(lines: readonly string[]): Promise<string | undefined> {
  const json = lines.map((value, index) => ({ key: String(index), value }));
  // A list has at most 100 members: several nodes share them.
  const refusals: string[] = [];
  for (let start = 0; start < json.length; start += 100) {
    const format = JSON.stringify({ json: json.slice(start, start + 100) });
    const { meshes } = loadMeshes(
      revisionOf({
        'mesh.yaml': `apiVersion: headgate/v1
kind: Mesh
metadata: { name: books }
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: web }
spec:
  listeners: [{ portMapping: { port: 80, protocol: http } }]
  serviceDiscovery: { announced: {} }
  logging: { accessLog: { file: { path: /dev/stdout, format: ${format} } } }`,
      }),
    );
    const [mesh] = meshes;
    assert.ok(mesh !== undefined, 'the mesh is valid');
    const resource = { mesh: 'books', kind: 'VirtualNode', name: 'web' } as const;
    const proxy = { nodeId: 'web', instance: 'web', kind: 'envoy', resource } as const;
    const snapshot = snapshotFor(mesh, proxy);
    assert.ok(snapshot !== undefined, 'the node is in the mesh');
    refusals.push((await validateBootstrap(staticBootstrap(snapshot))) ?? '');
  }
  return refusals.join('') === '' ? undefined : refusals.join('\n');
}

/** Parameters that mean something, for the operators that need them. */
const parametersFor: Readonly<Record<string, string>> = {
  CEL: 'request.path',
  TYPED_CEL: 'request.path',
  COALESCE: '{"operators": ["PROTOCOL"]}',
  COMMON_DURATION: 'DS_RX_BEG:DS_TX_END:ms',
  METADATA: 'ROUTE:a',
};

test('Envoy takes every operator that the table has', async () => {
  const lines = [...logOperators].flatMap(([name, parameters]) => {
    const complete = `%${name}(${parametersFor[name] ?? 'a'})%`;
    return parameters === 'needed' ? [complete] : [`%${name}%`];
  });
  assert.ok(lines.length > 100, `${lines.length} operators`);
  assert.is(await refusal(lines), undefined);
});

test('Envoy refuses what a warning says that it refuses', async () => {
  assert.match((await refusal(['%RESPONSE_CODES%'])) ?? '', /RESPONSE_CODES/);
  assert.match((await refusal(['%REQ%'])) ?? '', /REQ requires parameters/);
  assert.match((await refusal(['%PROTOCOL(x)%'])) ?? '', /does not take any parameters/);
});

test.run();
