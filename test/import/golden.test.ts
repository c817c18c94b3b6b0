/**
 * Each case is a folder `in` of App Mesh definitions and what becomes of them: `out.yaml`, the files of the
 * mesh repository one after the other, and `report.txt`. Every result is one that the controller takes.
 */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hasErrors } from '../../controller/base/problem.js';
import { hasLosses } from '../../controller/import/import-app-mesh.js';
import { renderMarkdown, renderText } from '../../controller/import/render-report.js';
import { assertGolden, goldenCases } from '../support/golden.js';
import { filesOf, imported, meshFilesOf, optionsOf } from './import-case.js';

const test = suite('importing App Mesh, case by case');

for (const { name, path } of goldenCases('import')) {
  test(`${name} is imported as written down, and is valid`, () => {
    const result = imported(filesOf(path), optionsOf(path));
    const texts = meshFilesOf(result).map((file) => `# ==== ${file.path}\n${file.text}`);
    assertGolden(join(path, 'out.yaml'), texts.join(''));
    assertGolden(join(path, 'report.txt'), renderText(result));
    assert.not(hasErrors(result.problems.map(({ problem }) => problem)));
  });

  test(`${name}: the Markdown has a row for each entry`, () => {
    const result = imported(filesOf(path), optionsOf(path));
    const rows = renderMarkdown(result).match(/^\| .*\d+:\d+ \|.*\|$/gm) ?? [];
    const losses = result.entries.filter((entry) => entry.isLoss);
    assert.is(rows.length, result.entries.length + losses.length);
  });
}

test('what App Mesh and Headgate mean alike is imported without a loss', () => {
  const text = [
    'apiVersion: appmesh.k8s.aws/v1beta2',
    'kind: Mesh',
    'metadata: { name: quiet }',
    'spec: { egressFilter: { type: DROP_ALL } }',
    '',
  ].join('\n');
  const result = imported([{ path: 'quiet.yaml', bytes: Buffer.from(text) }]);
  assert.is(hasLosses(result), false);
  assert.equal(result.problems, []);
});

test('a gateway route of Kubernetes goes to the gateway that selects it, whatever others there are', () => {
  const kubernetes = [
    'apiVersion: appmesh.k8s.aws/v1beta2\nkind: VirtualGateway\nmetadata: { name: near, namespace: a }\n' +
      'spec: { namespaceSelector: {}, listeners: [{ portMapping: { port: 80, protocol: http } }] }\n',
    'apiVersion: appmesh.k8s.aws/v1beta2\nkind: GatewayRoute\nmetadata: { name: all, namespace: b }\n' +
      'spec: { httpRoute: { match: { prefix: / }, action: { target: { virtualService: { virtualServiceRef: { name: s } } } } } }\n',
  ].join('---\n');
  const template =
    'Resources: { G: { Type: "AWS::AppMesh::VirtualGateway", Properties: { MeshName: m, VirtualGatewayName: far,\n' +
    '  Spec: { Listeners: [{ PortMapping: { Port: 80, Protocol: http } }] } } } }\n';
  const files = [kubernetes, template].map((text, index) => ({
    path: `${index}.yaml`,
    bytes: Buffer.from(text),
  }));
  const route = imported(files).files.find(({ path }) => path.startsWith('gateway-routes/'));
  assert.match(route?.text ?? '', /virtualGatewayRef:\n {4}name: near_a\n/);
});

test.run();
