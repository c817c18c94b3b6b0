/** The page on scenarios: every script and test that it names exists, and all fifteen are there. */
import { existsSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderProblem } from '../../controller/base/problem.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { projectPath } from '../support/project.js';

const page = suite('the page on rollout scenarios');
const text = readFileSync(projectPath('docs/rollout-scenarios.md'), 'utf8');
const rows = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| ---'));
const shown = rows.map((row) => row.split(' | ').at(-1) ?? '');

page('has all fifteen scenarios, and each row names what shows it', () => {
  const numbers = rows.flatMap((row) => /^\| (\d+) \|/.exec(row)?.[1] ?? []);
  assert.equal(
    numbers,
    Array.from({ length: 15 }, (_, index) => String(index + 1)),
  );
  for (const [index, cell] of shown.entries()) {
    assert.ok(cell.startsWith('shown by') || /^(scripts?|test) `/.test(cell), rows[index]);
  }
});

page('names scripts that exist', () => {
  const lists = shown.flatMap((cell) => [...cell.matchAll(/scripts? (`[^;|]*)/g)]);
  const names = lists.flatMap(([, list = '']) => [...list.matchAll(/`([^`]+)`/g)]);
  assert.ok(names.length > 30, `${names.length} scripts`);
  for (const [, name] of names) {
    assert.ok(existsSync(projectPath(`test/rollout/scripts/${name}.txt`)), name);
  }
});

page('names tests that exist', () => {
  const tests = shown.flatMap((cell) => [...cell.matchAll(/test `([^`]+)` in `([^`]+)`/g)]);
  assert.ok(tests.length >= 8, `${tests.length} tests`);
  for (const [, name = '', file = ''] of tests) {
    const source = readFileSync(projectPath(`test/${file}`), 'utf8');
    assert.ok(source.includes(`'${name}'`), `${name} in ${file}`);
  }
});

/** What the example of the page on order selects. */
const selected = `apiVersion: headgate/v1
kind: Mesh
metadata: { name: shop }
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: web, labels: { tier: frontend } }
spec: {}
---
apiVersion: headgate/v1
kind: VirtualNode
metadata: { name: ratings, labels: { tier: backend } }
spec: {}
---
`;

page('of order has an example that is valid', () => {
  const order = readFileSync(projectPath('docs/rollout-order.md'), 'utf8');
  const [, block = ''] = /```yaml\n(.*?)```/s.exec(order) ?? [];
  const files = [{ path: 'mesh.yaml', bytes: Buffer.from(selected + block) }];
  const { problems, meshes } = loadMeshes({ files, problems: [] });
  assert.equal(problems.map(renderProblem), []);
  const [backends, frontends] = meshes[0]?.rolloutPolicies ?? [];
  assert.is(backends?.atomic, true);
  assert.equal(frontends?.after, ['backends']);
});

page.run();
