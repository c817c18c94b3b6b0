/** Names that git would take for an option, a command or another server are refused before it runs. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpError } from '../../controller/base/op-error.js';
import { createGitSource } from '../../controller/git/git-source.js';
import { readRevision } from '../../controller/git/read-revision.js';
import { checkBranch, checkPath, parseRepository } from '../../controller/git/repository.js';
import { manualClock } from '../support/clock.js';
import { replaceProgram } from '../support/git.js';
import { recordingLogger } from '../support/recording-logger.js';

const repositories = [
  '',
  '-',
  '-u./evil',
  '--upload-pack=touch /tmp/x',
  '-oProxyCommand=evil',
  'ext::sh -c evil',
  'EXT::sh -c evil',
  'fd::17',
  'file::ext::sh',
  'transport::https://example.com/x',
  'http://example.com/mesh.git',
  'git://example.com/mesh.git',
  'ftp://example.com/mesh.git',
  'javascript://example.com/%0aalert(1)',
  'ssh://-oProxyCommand=evil/mesh.git',
  'ssh://git@-oProxyCommand=evil/mesh.git',
  'ssh://-oProxyCommand=evil@example.com/mesh.git',
  'ssh://git:secret@example.com/mesh.git',
  'ssh://$(evil)/mesh.git',
  'ssh://example.com',
  'ssh:///mesh.git',
  'git@-oProxyCommand=evil:mesh.git',
  '-oProxyCommand=evil@example.com:mesh.git',
  'git@example.com:-oProxyCommand=evil',
  'git@example.com:',
  'git:secret@example.com:mesh.git',
  'git@exam ple.com:mesh.git',
  'https://',
  'https://-evil/mesh.git',
  'https://example.com/mesh.git?token=secret',
  'https://example.com/mesh.git#main',
  'file://host/mesh.git',
  'file://',
  './mesh\n.git',
  'https://example.com/mesh\u0000.git',
  '/mesh\u001b[31m.git',
  `/${'x'.repeat(2048)}`,
];

const branches = [
  '',
  '-',
  '--upload-pack=evil',
  '-h',
  'a b',
  'a..b',
  'a~1',
  'a^',
  'a:b',
  'a?',
  'a*',
  'a[',
  'a\\b',
  'a@{1}',
  '@',
  '/a',
  'a/',
  'a//b',
  '.a',
  'a/.b',
  'a.',
  'a.lock',
  'a.lock/b',
  'a\nb',
  'a\u007f',
];

const paths = ['/etc', '..', '../x', 'a/../../b', '-x', '--output=x', 'a\nb', 'a\u0000'];

test('starts no program for anything that is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-refused-'));
  const mark = join(folder, 'started');
  const restore = replaceProgram(folder, 'git', `touch ${mark}; exit 1`);
  const good = { repo: '/nowhere', branch: 'main', path: '.' };
  const deps = { clock: manualClock(), logger: recordingLogger(), random: () => 0 };
  const cases = [
    ...repositories.map((repo) => ['repository-refused', { ...good, repo }] as const),
    ...branches.map((branch) => ['branch-refused', { ...good, branch }] as const),
    ...paths.map((path) => ['path-refused', { ...good, path }] as const),
  ];
  try {
    for (const [code, settings] of cases) {
      const what = JSON.stringify(settings).slice(0, 100);
      const cacheFolder = join(folder, 'cache');
      const make = () => createGitSource({ ...settings, pollMs: 1_000, cacheFolder }, deps);
      const error = thrownBy(make);
      assert.is(`${what} ${error?.code} ${error?.retry.kind}`, `${what} ${code} stalled`);
      assert.not.match(error?.message ?? '', /secret/);
    }
    for (const revision of ['', '--output=x', '-h', 'a\nb']) {
      const read = { ...good, revision, cacheFolder: folder };
      const error = await readRevision(read, deps).catch((thrown: unknown) => thrown);
      assert.is(error instanceof OpError && error.code, 'revision-refused');
    }
    assert.not.ok(existsSync(mark), 'git was not started');
    assert.not.ok(existsSync(join(folder, 'cache')), 'no cache folder was made');
  } finally {
    restore();
    rmSync(folder, { recursive: true });
  }
});

test('takes what is meant well', () => {
  const taken = [
    ['mesh.git', 'file', resolve('mesh.git')],
    ['./-mesh', 'file', resolve('-mesh')],
    ['/srv/my meshes/a:b', 'file', '/srv/my meshes/a:b'],
    ['file:///srv/mesh.git', 'file', 'file:///srv/mesh.git'],
    ['FILE:///srv/mesh.git', 'file', 'file:///srv/mesh.git'],
    ['https://example.com:8443/a/mesh.git', 'https', 'https://example.com:8443/a/mesh.git'],
    ['https://example.com/a%20b', 'https', 'https://example.com/a%20b'],
    ['https://[::1]/mesh.git', 'https', 'https://[::1]/mesh.git'],
    ['ssh://git@example.com:22/mesh.git', 'ssh', 'ssh://git@example.com:22/mesh.git'],
    ['ssh://example.com/~/mesh.git', 'ssh', 'ssh://example.com/~/mesh.git'],
    ['git@github.com:team/mesh.git', 'ssh', 'git@github.com:team/mesh.git'],
    ['git@[2001:db8::1]:mesh.git', 'ssh', 'git@[2001:db8::1]:mesh.git'],
  ] as const;
  for (const [text, transport, url] of taken) {
    assert.equal(parseRepository(text), { transport, url }, text);
  }
  assert.equal(parseRepository('https://ada:p%40ss@example.com/mesh.git'), {
    transport: 'https',
    url: 'https://example.com/mesh.git',
    username: 'ada',
    password: 'p@ss',
  });
  for (const branch of ['main', 'release/v1.2', 'feature/über', 'a-b', 'HEAD', 'a@b']) {
    assert.is(checkBranch(branch), branch);
  }
  for (const [text, path] of [
    ['.', ''],
    ['', ''],
    ['./a//b/', 'a/b'],
    ['a b/c..d', 'a b/c..d'],
  ] as const) {
    assert.is(checkPath(text), path);
  }
});

function thrownBy(make: () => unknown): OpError | undefined {
  try {
    make();
    return undefined;
  } catch (error) {
    return error instanceof OpError ? error : undefined;
  }
}

test.run();
