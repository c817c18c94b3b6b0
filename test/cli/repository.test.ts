/** `validate`, `plan` and `bootstrap`: what needs a mesh repository and no controller. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkout, meshFiles } from '../../controller/demo/mesh-files.js';
import { makeRepository, type TestRepository, writeFiles } from '../support/git.js';
import { assertGolden } from '../support/golden.js';
import { projectPath } from '../support/project.js';
import { runHere, runMain } from './run-main.js';

const files = meshFiles({
  checkout: { v1: 9001, v2: 9002, v3: 9003 },
  app: { v1: 8001, v2: 8002, v3: 8003 },
});
const broken = { 'checkout.yaml': checkout('v1').replace('checkout-v1', 'checkout-v9') };

const root = mkdtempSync(join(tmpdir(), 'headgate-cli-'));

const repository = suite<{ folder: string }>('command line on a repository');

repository.before.each((context) => {
  context.folder = mkdtempSync(join(root, 'case-'));
});

repository.after(() => {
  rmSync(root, { recursive: true, force: true });
});

/** The golden file of one command's standard output. */
function goldenPath(name: string): string {
  return projectPath(`test/golden/cli/${name}.txt`);
}

repository(
  'validate of a clean repository is 0 and prints nothing but talk',
  async ({ folder }) => {
    writeFiles(folder, files);
    const { code, stdout, stderr } = await runMain(['validate', folder]);
    assert.is(stderr, '✔ 5 files are valid: mesh shop\n');
    assert.is(stdout, '');
    assert.is(code, 0);
  },
);

repository('validate of a broken repository is 1, a line for each problem', async ({ folder }) => {
  writeFiles(folder, {
    ...files,
    ...broken,
    'odd.yaml': 'apiVersion: headgate/v1\nkind: Nothing\n',
  });
  const { code, stdout, stderr } = await runMain(['validate', folder]);
  assert.is(code, 1);
  const lines = stdout.trimEnd().split('\n');
  for (const line of lines) {
    assert.match(line, /^[a-z]+\.yaml:\d+:\d+: (error|warning) HG\d{4} \S/);
  }
  assert.match(stdout, /^checkout\.yaml:\d+:\d+: error HG\d{4} .*checkout-v9/m);
  assert.match(stdout, /^odd\.yaml:2:\d+: error HG/m);
  assert.is(stderr, `✖ ${lines.length} problems in 6 files\n`);
});

repository(
  'validate and plan see a mesh that comes from several repositories',
  async ({ folder }) => {
    const { 'mesh.yaml': mesh = '', ...rest } = files;
    const base = makeRepository(join(folder, 'base'));
    base.commit({ 'mesh.yaml': mesh });
    const mine = makeRepository(join(folder, 'mine'));
    const from = mine.commit(rest);
    const alone = await runMain(['validate', mine.work]);
    assert.is(alone.code, 1);
    assert.match(alone.stdout, /HG0403 the revision has \d+ resources and no Mesh/);
    const beside = ['--beside', `base=${base.bare}#main`];
    const together = await runMain(['validate', mine.work, ...beside]);
    assert.is(together.stdout, '');
    assert.is(together.code, 0);
    const to = mine.commit({ 'mesh.yaml': mesh });
    const clash = await runMain(['validate', mine.work, ...beside]);
    assert.match(
      clash.stdout,
      /HG0402 .* declare it, at mesh\.yaml:1 and at mesh\.yaml:1 in base, and/,
    );
    const github = await runMain(['validate', mine.work, ...beside, '--format', 'github']);
    assert.match(github.stdout, /mesh\.yaml:\d+ in base: Mesh shop: two repositories/);
    const range = ['--repo', mine.bare, '--from', from];
    const planned = await runMain(['plan', ...range, '--to', to, ...beside]);
    assert.is(planned.code, 1);
    assert.match(planned.stderr, /HG0402/);
    const next = mine.commit({ 'mesh.yaml': null, 'checkout.yaml': null, 'web.yaml': null });
    const gone = await runMain(['plan', ...range, '--to', next, ...beside, '--detailed-exitcode']);
    assert.is(gone.stderr, '');
    assert.is(gone.code, 2);
  },
);

repository('validate looks for providers where it has the configuration', async ({ folder }) => {
  const policy = `
apiVersion: headgate/v1
kind: RolloutPolicy
metadata: { name: burning }
spec: { gates: [{ name: burn, query: { provider: promethues, query: up, min: 1 } }] }
`;
  writeFiles(folder, { ...files, 'policy.yaml': policy });
  const alone = await runMain(['validate', folder]);
  assert.is(alone.code, 0);
  assert.match(alone.stdout, /^policy\.yaml:5:\d+: warning HG0615 .* name that with --config\n$/);
  const config = join(root, 'headgate.yaml');
  const provider = '{ name: prometheus, kind: prometheus, url: "http://prom.example" }';
  writeFileSync(config, `providers: [${provider}]\n`);
  const known = await runMain(['validate', folder, '--config', config]);
  assert.is(known.code, 1);
  assert.match(known.stdout, /^policy\.yaml:5:\d+: error HG0613 .* did you mean prometheus\?\n$/);
  assert.is(known.stderr, '✖ 1 problem in 5 files\n');
  writeFileSync(config, 'providers: [{ name: x }]\n');
  const wrong = await runMain(['validate', folder, '--config', config]);
  assert.is(wrong.code, 2);
  assert.match(wrong.stderr, /headgate\.yaml:1: providers\[0\]\.kind is none of/);
});

repository('validate of the example that teams copy is clean', async () => {
  const { code, stdout } = await runHere(['validate', projectPath('mesh-repo-example')]);
  assert.is(stdout, '');
  assert.is(code, 0);
});

repository('plan of a directory shows a first revision, served at once', async ({ folder }) => {
  writeFiles(folder, files);
  const { code, stdout, stderr } = await runHere(['plan', folder]);
  assert.is(stderr, '');
  assert.is(code, 0);
  assertGolden(goldenPath('plan-of-a-first-revision'), stdout);
  assert.is((await runHere(['plan', folder, '--detailed-exitcode'])).code, 2);
});

repository('plan of a broken directory is 1, with the problems as talk', async ({ folder }) => {
  writeFiles(folder, { ...files, ...broken });
  const { code, stdout, stderr } = await runHere(['plan', folder, '--detailed-exitcode']);
  assert.is(code, 1);
  assert.is(stdout, '');
  assert.match(stderr, /^checkout\.yaml:\d+:\d+: error HG\d{4} /);
});

/**
 * One repository for all tests that only read: tag `first` is v1, `release` v2 in full, branch `docs`
 * has nothing new of the mesh, and branch `renamed` calls the mesh another name.
 */
function makeHistory(folder: string): TestRepository {
  const made = makeRepository(folder);
  made.commit(files, 'first');
  made.git('tag', 'first');
  made.commit({ 'checkout.yaml': checkout('v2') }, 'release v2');
  made.git('tag', 'release');
  made.commit({ 'README.md': 'nothing of the mesh' }, 'docs');
  made.git('tag', 'docs');
  const mesh = (files['mesh.yaml'] ?? '').replace('name: shop', 'name: store');
  made.commit({ 'mesh.yaml': mesh }, 'rename the mesh');
  made.git('push', '--quiet', '--tags', made.bare);
  return made;
}

const made = makeHistory(join(root, 'history'));

repository('plan between two revisions shows weights and the rollout', async () => {
  const { bare } = made;
  const args = ['plan', '--repo', bare, '--from', 'first', '--to', 'release'];
  const { code, stdout, stderr } = await runMain(args);
  assert.is(stderr, '');
  assert.is(code, 0);
  assertGolden(goldenPath('plan-of-a-release'), stdout);
  assert.is((await runHere([...args, '--detailed-exitcode'])).code, 2);
});

repository('plan without changes says so, and is 0 with --detailed-exitcode', async () => {
  const { work } = made;
  const args = ['plan', '--repo', work, '--from', 'release', '--to', 'main~1'];
  const { code, stdout } = await runMain([...args, '--detailed-exitcode']);
  assert.is(stdout, 'No changes.\n');
  assert.is(code, 0);
});

repository('plan of a revision that is not there is 1', async () => {
  const { bare } = made;
  const args = ['plan', '--repo', bare, '--from', 'first', '--to', 'nowhere'];
  const { code, stdout, stderr } = await runHere([...args, '--detailed-exitcode']);
  assert.is(code, 1);
  assert.is(stdout, '');
  assert.match(stderr, /^headgate: .*nowhere/);
});

repository('plan refuses to drop a whole mesh, as the controller does', async () => {
  const args = ['plan', '--repo', made.bare, '--from', 'first', '--to', 'main'];
  const { code, stderr } = await runHere(args);
  assert.is(code, 1);
  assert.match(stderr, /mesh shop is not in main; the controller refuses/);
});

repository('bootstrap prints what Envoy is started with', async () => {
  const node = ['bootstrap', 'mesh/shop/virtualNode/cart-v1'];
  const options = ['--xds', '10.0.0.7:18000,[2001:db8::8]:18000', '--admin', '127.0.0.1:9901'];
  const listeners = ['--ingress', '10.0.1.5:8080', '--egress', '127.0.0.1:9001'];
  const { code, stdout, stderr } = await runHere([...node, ...options, ...listeners]);
  assert.is(stderr, '');
  assert.is(code, 0);
  assertGolden(goldenPath('bootstrap'), stdout);
  const { node: identity } = JSON.parse(stdout);
  assert.equal(identity, {
    id: 'mesh/shop/virtualNode/cart-v1',
    cluster: 'mesh/shop/virtualNode/cart-v1',
    metadata: {
      'headgate.ingress': { address: '10.0.1.5', port: 8080 },
      'headgate.egress': { address: '127.0.0.1', port: 9001 },
    },
  });
});

repository.run();
