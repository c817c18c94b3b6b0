/** What a tree may hold and how much of it, exact to the byte, in commits and in plain directories. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Revision } from '../../controller/base/revision.js';
import { createDirectorySource } from '../../controller/git/directory-source.js';
import { createGitSource } from '../../controller/git/git-source.js';
import { defaultSourceLimits, type SourceLimits } from '../../controller/git/limits.js';
import {
  makeRepository,
  replaceProgram,
  type TestFile,
  type TestRepository,
  writeFiles,
} from '../support/git.js';
import { filesOf, problemsOf, revisionOf, startSource } from '../support/source.js';

interface Context {
  folder: string;
  repository: TestRepository;
}

const test = suite<Context>('a tree');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-tree-'));
  context.repository = makeRepository(context.folder);
});

test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

/** What both kinds of source make of `files`. */
async function readBoth(
  context: Context,
  files: Readonly<Record<string, TestFile>>,
  limits: SourceLimits = defaultSourceLimits,
): Promise<readonly Revision[]> {
  context.repository.commit(files);
  const directory = join(context.folder, 'plain');
  mkdirSync(directory, { recursive: true });
  writeFiles(directory, files);
  return [await readGit(context, limits), await readPlain(directory, limits)];
}

async function readGit(
  { repository, folder }: Context,
  limits: SourceLimits = defaultSourceLimits,
): Promise<Revision> {
  const settings = {
    repo: repository.bare,
    branch: 'main',
    path: '.',
    pollMs: 3_600_000,
    cacheFolder: join(folder, 'cache'),
    limits,
  };
  const source = startSource((deps) => createGitSource(settings, deps));
  const event = await source.next();
  await source.stop();
  return revisionOf(event);
}

async function readPlain(directory: string, limits: SourceLimits): Promise<Revision> {
  const settings = { directory, path: '.', pollMs: 3_600_000, limits };
  const source = startSource((deps) => createDirectorySource(settings, deps));
  const event = await source.next();
  await source.stop();
  return revisionOf(event);
}

test('may hold a file of exactly the limit and none with a byte more', async (context) => {
  const limits = { ...defaultSourceLimits, fileBytesMax: 1000 };
  const files = {
    'a.yaml': '#'.repeat(1000),
    'b.yaml': '#'.repeat(1001),
    'big.txt': 'x'.repeat(5000),
  };
  for (const revision of await readBoth(context, files, limits)) {
    assert.equal(
      revision.files.map((file) => `${file.path} ${file.bytes.length}`),
      ['a.yaml 1000'],
    );
    assert.is(problemsOf(revision), 'HG0102 b.yaml');
    assert.is(
      revision.problems[0]?.message,
      '`b.yaml` has 1001 bytes, at most 1000 are allowed; split it',
    );
  }
});

test('may hold exactly the limit in all and not a byte more', async (context) => {
  const limits = { ...defaultSourceLimits, totalBytesMax: 1000 };
  const files = { 'a.yaml': '#'.repeat(600), 'b/b.yml': '#'.repeat(400), 'c.txt': 'not counted' };
  for (const revision of await readBoth(context, files, limits)) {
    assert.is(revision.files.length, 2);
    assert.is(problemsOf(revision), '');
  }
  for (const revision of await readBoth(context, { 'c.yaml': '#' }, limits)) {
    assert.is(revision.files.length, 0, 'nothing is read');
    assert.is(problemsOf(revision), 'HG0103 ');
    assert.match(revision.problems[0]?.message ?? '', /have 1001 bytes together, at most 1000/);
  }
});

test('may hold exactly the limit of files and not one more', async (context) => {
  const limits = { ...defaultSourceLimits, filesMax: 3 };
  const files = { 'a.yaml': '', 'b/b.yaml': '', 'c.yml': '', 'd.json': '' };
  for (const revision of await readBoth(context, files, limits)) {
    assert.is(revision.files.length, 3);
    assert.is(problemsOf(revision), '');
  }
  for (const revision of await readBoth(context, { 'z/z.yaml': '' }, limits)) {
    assert.is(revision.files.length, 0, 'nothing is read');
    assert.is(problemsOf(revision), 'HG0104 ');
  }
});

test('names every link and opens none', async (context) => {
  const outside = join(context.folder, 'outside');
  writeFiles(outside, { 'secret.yaml': 'password: x', 'folder/secret.yaml': 'password: y' });
  const files = {
    'a.yaml': 'a: 1',
    'absolute.yaml': { link: join(outside, 'secret.yaml') },
    'up.yaml': { link: '../outside/secret.yaml' },
    folder: { link: join(outside, 'folder') },
    'folder.yaml': { link: join(outside, 'folder') },
    'circular.yml': { link: 'circular.yml' },
    'dangling.yaml': { link: 'nowhere' },
    'inside.yaml': { link: 'a.yaml' },
    'git.yaml': { link: '.git/config' },
    '.hidden.yaml': { link: 'a.yaml' },
    'NOTES.md': { link: 'a.yaml' },
  };
  const named = [
    'absolute.yaml',
    'circular.yml',
    'dangling.yaml',
    'folder',
    'folder.yaml',
    'git.yaml',
    'inside.yaml',
    'up.yaml',
  ];
  for (const revision of await readBoth(context, files)) {
    assert.is(filesOf(revision), 'a.yaml: a: 1');
    assert.is(problemsOf(revision), named.map((name) => `HG0105 ${name}`).join('\n'));
  }
});

test('names submodules, and fetches nothing for them', async (context) => {
  const { repository } = context;
  const id = repository.commit({
    'a.yaml': 'a: 1',
    '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = -u./evil\n',
  });
  for (const path of ['libs/x', '.hidden/y']) {
    repository.git('update-index', '--add', '--cacheinfo', `160000,${id},${path}`);
  }
  repository.git('commit', '--quiet', '--message', 'add submodules');
  repository.push();
  const revision = await readGit(context);
  assert.is(filesOf(revision), 'a.yaml: a: 1');
  assert.is(problemsOf(revision), 'HG0106 libs/x');
});

test('of a directory has another repository in it as a submodule', async (context) => {
  const directory = join(context.folder, 'plain');
  const files = { 'a.yaml': 'a: 1', 'libs/x/.git': 'gitdir: elsewhere', 'libs/x/b.yaml': 'b: 1' };
  writeFiles(directory, files);
  const revision = await readPlain(directory, defaultSourceLimits);
  assert.is(filesOf(revision), 'a.yaml: a: 1');
  assert.is(problemsOf(revision), 'HG0106 libs/x');
});

test('names Git LFS pointers and leaves other content to the decoder', async (context) => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 3\n`;
  const utf16 = Buffer.from('\ufeffa: 1', 'utf16le');
  const files = { 'a.yaml': pointer, 'b.yaml': '', 'c.yaml': utf16, 'd.yaml': '\r\n\u0000' };
  for (const revision of await readBoth(context, files)) {
    assert.is(problemsOf(revision), 'HG0107 a.yaml');
    assert.equal(
      revision.files.map((file) => `${file.path} ${file.bytes.length}`),
      ['b.yaml 0', 'c.yaml 10', 'd.yaml 3'],
    );
  }
});

test('has every byte of its files, as they were committed', async (context) => {
  const everyByte = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
  const files = { 'a.yaml': everyByte, 'b.yaml': everyByte, 'c.yaml': 'a\r\nb\n' };
  context.repository.git('config', 'core.autocrlf', 'false');
  for (const revision of await readBoth(context, files)) {
    for (const { path, bytes } of revision.files.slice(0, 2)) {
      assert.ok(Buffer.from(everyByte).equals(bytes), `${path} is as it was`);
    }
    assert.is(Buffer.from(revision.files[2]?.bytes ?? []).toString(), 'a\r\nb\n');
  }
});

test('may have any printable name, and names that cannot be shown are problems', async (context) => {
  const long = `${'n'.repeat(200)}.yaml`;
  const files = {
    '-x.yaml': '1',
    '--output=y.yaml': '2',
    'sp ace/"quoted" \\.yaml': '3',
    'über/日本.yaml': '4',
    [`${'d'.repeat(200)}/${'e'.repeat(200)}/${'f'.repeat(200)}/${long}`]: '5',
    'line\nfeed.yaml': '6',
    'tab\t/escape\u001b.yaml': '7',
  };
  for (const revision of await readBoth(context, files)) {
    assert.equal(revision.files.map((file) => Buffer.from(file.bytes).toString()).sort(), [
      '1',
      '2',
      '3',
      '4',
      '5',
    ]);
    assert.is(
      problemsOf(revision),
      'HG0108 line\\u000afeed.yaml\nHG0108 tab\\u0009/escape\\u001b.yaml',
    );
  }
});

test('may not have names that are not UTF-8', async (context) => {
  const name = Buffer.from([0x61, 0xff, 0x2e, 0x79, 0x6d, 0x6c]);
  for (const folder of [context.repository.work, join(context.folder, 'plain')]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), name]), 'a: 1');
  }
  context.repository.commit({});
  const plain = await readPlain(join(context.folder, 'plain'), defaultSourceLimits);
  for (const revision of [await readGit(context), plain]) {
    assert.is(revision.files.length, 0);
    assert.is(problemsOf(revision), 'HG0108 a\\ufffd.yml');
  }
});

test('may not have names that differ only in case or in how an accent is written', async (context) => {
  const files = {
    'Node.yaml': '',
    'node.yaml': '',
    'caf\u00e9.yaml': '',
    'cafe\u0301.yaml': '',
    'other.yaml': '',
  };
  for (const revision of await readBoth(context, files)) {
    assert.is(problemsOf(revision), 'HG0109 caf\u00e9.yaml\nHG0109 node.yaml');
  }
});

test('of a directory may hold no pipe, and reading it does not hang', async (context) => {
  const directory = join(context.folder, 'plain');
  writeFiles(directory, { 'a.yaml': 'a: 1' });
  execFileSync('mkfifo', [join(directory, 'pipe.yaml'), join(directory, 'other')]);
  const revision = await readPlain(directory, defaultSourceLimits);
  assert.is(filesOf(revision), 'a.yaml: a: 1');
  assert.is(problemsOf(revision), 'HG0110 pipe.yaml');
});

test('of 10,000 files is read whole', async (context) => {
  const names = Array.from({ length: 10_000 }, (_, index) => `t${index % 100}/n${index}.yaml`);
  const content = (name: string | undefined): string => `metadata: { name: ${name} }`;
  context.repository.commitMany(Object.fromEntries(names.map((name) => [name, content(name)])));
  const revision = await readGit(context);
  const paths = revision.files.map((file) => file.path);
  assert.equal(paths, [...names].sort());
  const wrong = revision.files.filter(
    ({ path, bytes }) => Buffer.from(bytes).toString() !== content(path),
  );
  assert.equal(wrong, []);
  assert.is(problemsOf(revision), '');
});

test('of more files than the limit is refused by its listing', async (context) => {
  const count = defaultSourceLimits.filesMax + 1;
  const names = Array.from({ length: count }, (_, index) => `n${index}.yaml`);
  context.repository.commitMany(Object.fromEntries(names.map((name) => [name, 'same'])));
  const revision = await readGit(context);
  assert.is(revision.files.length, 0);
  assert.is(problemsOf(revision), 'HG0104 ');
  assert.match(revision.problems[0]?.message ?? '', /more than 20000 YAML files/);
});

test('a file that did not change is not read again, and is the same object', async (context) => {
  const { repository, folder } = context;
  const names = Array.from({ length: 50 }, (_, index) => `n${index}`);
  const files = Object.fromEntries(names.map((name) => [`${name}.yaml`, `a: ${name}\n`]));
  const directory = join(folder, 'plain');
  writeFiles(directory, files);
  repository.commit(files);
  const log = join(folder, 'asked');
  const script = `case "$*" in *"cat-file --batch"*) tee -a ${log} | "$REAL" "$@";; *) exec "$REAL" "$@";; esac`;
  const restore = replaceProgram(folder, 'git', script);
  const settings = { path: '.', pollMs: 3_600_000 };
  const sources = [
    startSource((deps) =>
      createGitSource(
        { ...settings, repo: repository.bare, branch: 'main', cacheFolder: join(folder, 'cache') },
        deps,
      ),
    ),
    startSource((deps) => createDirectorySource({ ...settings, directory }, deps)),
  ];
  try {
    const before = await Promise.all(
      sources.map(async (source) => revisionOf(await source.next())),
    );
    writeFileSync(log, '');
    const changes = { 'n7.yaml': 'a: other\n', 'new.yaml': 'a: new\n', 'n9.yaml': null };
    writeFiles(directory, changes);
    repository.commit(changes);
    for (const [index, source] of sources.entries()) {
      let event = await source.poll();
      while (event.kind === 'unchanged') {
        event = await source.next();
      }
      const { files: after } = revisionOf(event);
      const fresh = after.filter((file) => before[index]?.files.includes(file) !== true);
      assert.equal(
        fresh.map(({ path }) => path),
        ['n7.yaml', 'new.yaml'],
      );
      assert.is(after.length, 50);
    }
    // The commit and the two files.
    assert.is(readFileSync(log, 'utf8').trim().split('\n').length, 3);
  } finally {
    restore();
    await Promise.all(sources.map((source) => source.stop()));
  }
});

test.run();
