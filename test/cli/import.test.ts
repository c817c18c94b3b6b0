/** `headgate import app-mesh` on a disk: what it writes, what it leaves alone, and how it ends. */
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectPath } from '../support/project.js';
import { runHere } from './run-main.js';

const test = suite('headgate import app-mesh');

const bakery = projectPath('test/golden/import/kubernetes/in/bakery.yaml');
const salt = ['--parameter', 'SALT_HOST=salt.example'];
let folder = '';

test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-import-'));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: readonly string[]) => runHere(['import', 'app-mesh', ...args]);
const out = () => join(folder, 'out');

/** Every file below `directory` by path, with its content. */
function filesBelow(directory: string): Readonly<Record<string, string>> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(directory, name)).isFile());
  return Object.fromEntries(
    files.map((name) => [name, readFileSync(join(directory, name), 'utf8')]),
  );
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const quietMesh =
  'apiVersion: appmesh.k8s.aws/v1beta2\nkind: Mesh\nmetadata: { name: quiet }\nspec: {}\n';

test('without a loss it ends with 0, and validate takes the result', async () => {
  const { code, stdout, stderr } = await run(write('mesh.yaml', quietMesh), '--out', out());
  assert.is(code, 0, stderr);
  assert.match(
    stdout,
    /\nTotal: carried \d+, changed \d+, defaulted 0, dropped 0, skipped 0; 0 to look at\.\n$/,
  );
  assert.match(stderr, /✔ 1 resources of mesh quiet in .*, valid: /);
  assert.is((await runHere(['validate', out()])).code, 0);
});

test('with losses it ends with 1, and the report stands beside the result', async () => {
  const { code, stdout } = await run(bakery, '--out', out(), ...salt);
  assert.is(code, 1);
  assert.match(stdout, /bakery\.yaml:157:19: dropped VirtualNode wheat_ovens: /);
  assert.match(readFileSync(join(out(), 'import-report.md'), 'utf8'), /^# Import from App Mesh\n/);
  assert.is((await runHere(['validate', out()])).code, 0);
});

test('importing twice gives the same bytes', async () => {
  await run(bakery, '--out', out(), ...salt);
  const first = filesBelow(out());
  await run(bakery, '--out', out(), ...salt);
  assert.equal(filesBelow(out()), first);
  assert.ok(Object.keys(first).length > 10);
});

test('what an import no longer has is removed, and what somebody added is not', async () => {
  const mesh = write('mesh.yaml', quietMesh);
  await run(bakery, '--out', out(), ...salt);
  writeFileSync(join(out(), 'policy.yaml'), 'ours: true\n');
  const { code, stderr } = await run(mesh, '--out', out());
  assert.is(code, 0, stderr);
  const left = Object.keys(filesBelow(out())).filter((name) => name.endsWith('.yaml'));
  assert.equal(left, ['mesh.yaml', 'policy.yaml']);
});

test('a file that somebody wrote or edited is not written over without --force', async () => {
  const mesh = write('mesh.yaml', quietMesh);
  await run(mesh, '--out', out());
  const edited = `${readFileSync(join(out(), 'mesh.yaml'), 'utf8')}# mine\n`;
  writeFileSync(join(out(), 'mesh.yaml'), edited);
  const refused = await run(mesh, '--out', out());
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /mesh\.yaml would be written over/);
  assert.is(readFileSync(join(out(), 'mesh.yaml'), 'utf8'), edited);
  assert.is((await run(mesh, '--out', out(), '--force')).code, 0);
  assert.not.match(readFileSync(join(out(), 'mesh.yaml'), 'utf8'), /mine/);
});

test('nothing is written through a symbolic link', async () => {
  const mesh = write('mesh.yaml', quietMesh);
  await run(mesh, '--out', out());
  const elsewhere = write('elsewhere.yaml', 'kept: true\n');
  rmSync(join(out(), 'mesh.yaml'));
  symlinkSync(elsewhere, join(out(), 'mesh.yaml'));
  const { code } = await run(mesh, '--out', out());
  assert.is(code, 1);
  assert.is(readFileSync(elsewhere, 'utf8'), 'kept: true\n');
});

test('what cannot be read is 2, at its line, and nothing is written', async () => {
  const broken = write('broken.yaml', 'a: [\n');
  const { code, stderr } = await run(bakery, broken, '--out', out());
  assert.is(code, 2);
  assert.match(stderr, /broken\.yaml:\d+:\d+: error this is no valid YAML/);
  assert.throws(() => statSync(out()));
});

test('a file of the size of a disk image is refused before it is read', async () => {
  const huge = write('huge.yaml', '');
  truncateSync(huge, 3 * 1024 ** 3);
  const { code, stderr } = await run(huge, '--out', out());
  assert.is(code, 2);
  assert.match(stderr, /huge\.yaml:0:0: the file has 3221225472 bytes, at most 16777216 are read/);
});

test('a result inside the folder that is imported is not read again', async () => {
  write('mesh.yaml', quietMesh);
  await run(folder, '--out', out());
  const first = filesBelow(out());
  await run(folder, '--out', out());
  assert.equal(filesBelow(out()), first);
});

test('in a folder, what is no YAML is passed over unless it speaks of App Mesh', async () => {
  write('mesh.yaml', quietMesh);
  write('values.yaml', 'image: {{ .Values.image }}:\n');
  const { code, stdout, stderr } = await run(folder, '--out', out());
  assert.is(code, 0, stderr);
  assert.match(
    stdout,
    /values\.yaml:\d+:\d+: skipped \(not read, and nothing in it speaks of App Mesh/,
  );
  write('node.yaml', 'kind: VirtualNode\nname: {{ .Values.name }}:\n');
  const refused = await run(folder, '--out', out());
  assert.is(refused.code, 2);
  assert.match(refused.stderr, /node\.yaml:\d+:\d+: error .*import what `helm template` prints/);
});

test('mistakes of the command line are 2', async () => {
  const mesh = write('mesh.yaml', quietMesh);
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[mesh], /required option '--out <dir>'/],
    [['--out', out()], /missing required argument 'path'/],
    [['nowhere', '--out', out()], /nowhere is not there/],
    [[mesh, '--out', out(), '--parameter', 'novalue'], /must be NAME=VALUE/],
    [[write('other.yaml', 'a: 1\n'), '--out', out()], /no definition of App Mesh is in/],
  ];
  for (const [args, expected] of cases) {
    const { code, stderr } = await run(...args);
    assert.is(code, 2, args.join(' '));
    assert.match(stderr, expected);
  }
});

test('a parameter that nothing asks for is told of', async () => {
  const { stderr } = await run(bakery, '--out', out(), ...salt, '--parameter', 'SALTHOST=x');
  assert.match(stderr, /--parameter SALTHOST: nothing in the input asks for it/);
  assert.not.match(stderr, /SALT_HOST/);
});

test.run();
