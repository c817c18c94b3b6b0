/** The page on strategies: its examples are valid policies, and it has every field that tells requests apart. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderProblem } from '../../controller/base/problem.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { projectPath } from '../support/project.js';

const page = suite('the page on strategies');
const text = readFileSync(projectPath('docs/strategies.md'), 'utf8');
const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = '']) => block);

/** What the examples select, and what callers find it by. */
const mesh = `apiVersion: headgate/v1
kind: Mesh
metadata: { name: shop }
---
apiVersion: headgate/v1
kind: VirtualService
metadata: { name: reviews.shop }
spec: { provider: { virtualRouter: { virtualRouterRef: { name: reviews } } } }
---
apiVersion: headgate/v1
kind: VirtualRouter
metadata: { name: reviews }
spec: { listeners: [{ portMapping: { port: 80, protocol: http } }] }
---
`;

page('has examples that are valid', () => {
  assert.ok(blocks.length >= 5);
  for (const block of blocks) {
    const files = [{ path: 'policy.yaml', bytes: Buffer.from(mesh + block) }];
    const { problems } = loadMeshes({ files, problems: [] });
    const errors = problems.filter(({ severity }) => severity === 'error');
    assert.equal(errors.map(renderProblem), [], block);
  }
});

page('shows every way of telling requests and clients apart', () => {
  const words = blocks.join('\n');
  for (const field of [
    'match',
    'headers',
    'cookies',
    'mirror',
    'methods',
    'blueGreen',
    'preview',
  ]) {
    assert.match(words, new RegExp(`\\b${field}:`), field);
  }
  assert.match(words, /sticky: \{ cookie:/);
  assert.match(words, /\{ header:/);
});

page.run();
