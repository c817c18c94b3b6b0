/** The page on gates: its examples are valid, and it has every kind, name and option. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderProblem } from '../../controller/base/problem.js';
import { parseConfigFile } from '../../controller/config/file.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { schemas } from '../../controller/generated/schemas.js';
import { templateNames } from '../../controller/mesh/gate-template.js';
import { projectPath } from '../support/project.js';

const page = suite('the page on gates');
const text = readFileSync(projectPath('docs/gates.md'), 'utf8');
const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = '']) => block);
const gates = blocks.filter((block) => block.startsWith('- name:'));
const configs = blocks.filter((block) => block.startsWith('providers:'));

page('has examples that are valid, with the providers that it shows', () => {
  const [config = ''] = configs;
  const { providers, problems } = parseConfigFile('headgate.yaml', config);
  assert.equal(problems, []);
  assert.is(gates.length + configs.length, blocks.length);
  for (const block of gates) {
    const list = block.replaceAll(/^/gm, '    ');
    const policy = `apiVersion: headgate/v1\nkind: RolloutPolicy\nmetadata: { name: p }\nspec:\n  gates:\n${list}`;
    const mesh = 'apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: shop }\n---\n';
    const files = [{ path: 'policy.yaml', bytes: Buffer.from(mesh + policy) }];
    const found = loadMeshes({ files, problems: [] }, providers);
    assert.equal(found.problems.map(renderProblem), [], block);
  }
});

page('has every kind, option and name', () => {
  const { $defs } = schemas['gate.schema.json'] as {
    readonly $defs: { readonly gate: { readonly properties: Readonly<Record<string, unknown>> } };
  };
  const words = gates.join('\n');
  for (const name of Object.keys($defs.gate.properties)) {
    assert.match(words, new RegExp(`\\b${name}:`), name);
  }
  for (const name of Object.keys(templateNames)) {
    assert.match(text, `\`{{ ${name} }}\``);
  }
});

page.run();
