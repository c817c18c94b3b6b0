/**
 * Each case is a mesh before and after, and the plan from one to the other as text, JSON and Markdown, with
 * what changes for Envoys. Then what a comment must keep, whatever is in the repository.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hasErrors } from '../../controller/base/problem.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import type { Mesh } from '../../controller/mesh/model.js';
import type { Held } from '../../controller/plan/held.js';
import { hasChanges, planMeshes } from '../../controller/plan/plan.js';
import { renderJson } from '../../controller/plan/render-json.js';
import { commentCharactersMax, renderMarkdown } from '../../controller/plan/render-markdown.js';
import { renderText } from '../../controller/plan/render-text.js';
import { assertGolden, goldenCases } from '../support/golden.js';

const test = suite('plans');

function meshesOf(text: string): readonly Mesh[] {
  const { meshes, problems } = loadMeshes({
    files: [{ path: 'mesh.yaml', bytes: Buffer.from(text) }],
    problems: [],
  });
  assert.ok(text.startsWith('# nothing yet') || !hasErrors(problems), JSON.stringify(problems));
  return meshes;
}

const unchanged = ['nothing-changes', 'what-is-held-stays-held'];

/** What the controller of a case holds; undefined: none was asked. */
function heldOf(path: string): readonly Held[] | undefined {
  const file = join(path, 'held.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Held[]) : undefined;
}

for (const { name, path } of goldenCases('plan')) {
  test(`${name} reads as written down`, () => {
    const [before = [], after = []] = ['before.yaml', 'after.yaml'].map((file) =>
      meshesOf(readFileSync(join(path, file), 'utf8')),
    );
    const plan = planMeshes(before, after, { withEnvoy: true, held: heldOf(path) });
    assertGolden(join(path, 'plan.txt'), renderText(plan));
    assertGolden(join(path, 'plan.json'), renderJson(plan));
    assertGolden(join(path, 'plan.md'), renderMarkdown(plan));
    assert.is(hasChanges(plan), !unchanged.includes(name));
  });
}

/** A mesh with `count` nodes that listen on `port` and write `format`. */
function wideMesh(count: number, port: number, format: string): readonly Mesh[] {
  const nodes = Array.from(
    { length: count },
    (_, index) =>
      `---\napiVersion: headgate/v1\nkind: VirtualNode\nmetadata: { name: node-${index} }\nspec:\n` +
      `  listeners: [{ portMapping: { port: ${port}, protocol: http } }]\n` +
      `  serviceDiscovery: { dns: { hostname: node-${index}.example } }\n` +
      `  logging: { accessLog: { file: { path: ${JSON.stringify(format)} } } }\n`,
  );
  return meshesOf(
    `apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: wide }\n${nodes.join('')}`,
  );
}

test('a comment stays below its limit, whole blocks are left out, and it says how many', () => {
  const plan = planMeshes(wideMesh(250, 80, '/a'), wideMesh(250, 81, '/b'), { withEnvoy: true });
  for (const charactersMax of [commentCharactersMax, 2000]) {
    const text = renderMarkdown(plan, charactersMax);
    assert.ok(text.length <= charactersMax, `${text.length}`);
    assert.match(text, /^### Headgate: 0 to create, 250 to change, 0 to delete\n/);
    assert.match(text, /\n\d+ more blocks are not shown: a comment has at most \d+ characters\./);
    const opened = text.match(/<details/g)?.length;
    assert.is(opened, text.match(/<\/details>/g)?.length);
  }
});

test('what is in the repository cannot leave its cell, mention anybody or close a comment', () => {
  const odd = '/a|b`c`<img src=x> @everyone --> \u202e';
  const plan = planMeshes(wideMesh(1, 80, '/a'), wideMesh(1, 80, odd));
  const row = renderMarkdown(plan)
    .split('\n')
    .find((line) => line.includes('everyone'));
  assert.is(row, '| `accessLog.path` | `"/a"` | `"/a\\|b\'c\'<img src=x> @everyone --> \ufffd"` |');
});

test.run();
