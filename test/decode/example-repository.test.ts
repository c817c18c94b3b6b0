/** The repository that teams copy: valid, and each file's first line names the schema of its kind. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderProblem } from '../../controller/base/problem.js';
import { loadMeshes } from '../../controller/decode/load-meshes.js';
import { projectPath } from '../support/project.js';
import { revisionOfFolder } from '../support/revision.js';

const test = suite('the example repository');
const folder = projectPath('mesh-repo-example');
const revision = revisionOfFolder(folder);
const meshFiles = revision.files.map(({ path }) => path);

test('is valid, without even a warning', () => {
  const { meshes, problems } = loadMeshes(revision);
  assert.equal(problems.map(renderProblem), []);
  assert.equal(
    meshes.map(({ name }) => name),
    ['shop'],
  );
});

test('shows a router with weights, two policies and each kind of service discovery', () => {
  const [mesh] = loadMeshes(revision).meshes;
  assert.ok(mesh?.virtualRouters.some(({ routes }) => routes.some((each) => each.targets[1])));
  assert.is(mesh?.rolloutPolicies.length, 2);
  const ways = new Set(mesh?.virtualNodes.map(({ serviceDiscovery }) => serviceDiscovery?.kind));
  assert.equal([...ways].sort(), ['announced', 'dns', 'static', undefined]);
});

test('shows a gateway, and routes by prefix, host name and priority', () => {
  const [mesh] = loadMeshes(revision).meshes;
  assert.is(mesh?.virtualGateways.length, 1);
  const hostnames = mesh?.gatewayRoutes.map(({ match }) => match.hostname?.kind) ?? [];
  assert.equal(hostnames.sort(), ['exact', 'suffix']);
  assert.ok(mesh?.gatewayRoutes.some(({ priority }) => priority < 1000));
});

for (const path of meshFiles) {
  test(`${path} is completed by the schema of its kind`, () => {
    const text = readFileSync(join(folder, path), 'utf8');
    const [, schemaPath] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? [];
    const schemaFile = join(folder, dirname(path), schemaPath ?? 'no modeline');
    assert.ok(existsSync(schemaFile), `${schemaFile} does not exist`);
    const schema = JSON.parse(readFileSync(schemaFile, 'utf8'));
    const kinds = [...text.matchAll(/^kind: (.*)$/gm)].map(([, kind]) => kind);
    assert.ok(kinds.length > 0);
    assert.equal([...new Set(kinds)], [schema.properties.kind.const]);
  });
}

test('its workflow runs validate and plan on pull requests', () => {
  const workflow = readFileSync(join(folder, '.github/workflows/headgate.yaml'), 'utf8');
  assert.match(workflow, /^ {2}pull_request:/m);
  assert.match(workflow, /headgate validate \./);
  assert.match(workflow, /headgate plan --repo \. --from .* --to HEAD/);
});

test.run();
