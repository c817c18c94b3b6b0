/** The cache is broken in every way that a disk or a person finds, under a source that uses it. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createGitSource } from '../../controller/git/git-source.js';
import { RepositoryCache } from '../../controller/git/repository-cache.js';
import { makeRepository, replaceProgram, type TestRepository } from '../support/git.js';
import { failureOf, filesOf, revisionOf, startSource, type TestSource } from '../support/source.js';

interface Context {
  folder: string;
  repository: TestRepository;
  cacheFolder: string;
  source: TestSource;
}

const test = suite<Context>('a cache');

test.before.each(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-cache-'));
  context.repository = makeRepository(context.folder);
  context.cacheFolder = join(context.folder, 'cache');
  context.repository.commit({ 'a.yaml': 'a: 1' });
  const settings = {
    repo: context.repository.bare,
    branch: 'main',
    path: '.',
    pollMs: 3_600_000,
    cacheFolder: context.cacheFolder,
  };
  context.source = startSource((deps) => createGitSource(settings, deps));
  await context.source.next();
});

test.after.each(async ({ source, folder }) => {
  await source.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The one bare repository in the cache. */
function objects(cacheFolder: string): string {
  const [name = 'none', ...others] = readdirSync(cacheFolder).filter((n) => n.endsWith('.git'));
  assert.equal(others, []);
  return join(cacheFolder, name);
}

/** Every file below `folder`, with its path. */
function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

const damages: Readonly<Record<string, (gitDir: string) => void>> = {
  'is removed': (gitDir) => rmSync(gitDir, { recursive: true }),
  'has an empty HEAD': (gitDir) => truncateSync(join(gitDir, 'HEAD')),
  'has no objects': (gitDir) => rmSync(join(gitDir, 'objects'), { recursive: true }),
  'has a lock on its branch': (gitDir) => writeFileSync(join(gitDir, 'refs/heads/main.lock'), ''),
  'has nonsense for a branch': (gitDir) => writeFileSync(join(gitDir, 'refs/heads/main'), 'x'),
  'has a broken configuration': (gitDir) => writeFileSync(join(gitDir, 'config'), '[['),
  'has truncated objects': (gitDir) => {
    for (const file of filesBelow(join(gitDir, 'objects'))) {
      chmodSync(file, 0o600);
      truncateSync(file, Math.floor(statSync(file).size / 2));
    }
  },
  'is a file': (gitDir) => {
    rmSync(gitDir, { recursive: true });
    writeFileSync(gitDir, '');
  },
};

for (const [what, damage] of Object.entries(damages)) {
  test(`that ${what} is replaced within the poll`, async ({ source, repository, cacheFolder }) => {
    damage(objects(cacheFolder));
    const id = repository.commit({ 'a.yaml': 'a: 2' });
    const revision = revisionOf(await source.poll());
    assert.is(revision.id, id);
    assert.is(filesOf(revision), 'a.yaml: a: 2');
    assert.ok(existsSync(join(objects(cacheFolder), 'HEAD')));
  });
}

test('that gives other bytes than a file has is not believed', async (context) => {
  const { source, repository, folder } = context;
  // A wrapper stands for the disk: it changes one letter of what cat-file prints, as often as it is told.
  const left = join(folder, 'left');
  const script = `
if [ "$1" = cat-file ] && [ -s ${left} ]; then
  : > ${left}.new; tail -c +2 ${left} > ${left}.new; mv ${left}.new ${left}
  "$REAL" "$@" | sed 's/weight: 10/weight: 90/'
else exec "$REAL" "$@"; fi`;
  const restore = replaceProgram(folder, 'git', script);
  try {
    writeFileSync(left, 'x');
    repository.commit({ 'a.yaml': 'weight: 10' });
    assert.is(filesOf(revisionOf(await source.poll())), 'a.yaml: weight: 10');
    assert.is(readFileSync(left, 'utf8'), '', 'the damage was done');
    assert.equal(
      source.logger.lines.map((line) => line.event),
      ['source.cacheDiscarded'],
    );
    writeFileSync(left, 'xx');
    repository.commit({ 'a.yaml': 'weight: 10 #' });
    assert.is(failureOf(await source.poll()).code, 'cache-corrupt');
    assert.is(filesOf(revisionOf(await source.poll())), 'a.yaml: weight: 10 #');
  } finally {
    restore();
  }
});

test('is not believed where git was killed in the middle of a listing', async (context) => {
  const { source, repository, folder } = context;
  const mark = join(folder, 'mark');
  // 68 bytes are the first entry to its last byte: what is left looks like a whole listing.
  const script = `
if [ "$1" = ls-tree ] && [ -e ${mark} ]; then rm ${mark}; "$REAL" "$@" | head -c 68; kill -9 $$; fi
exec "$REAL" "$@"`;
  const restore = replaceProgram(folder, 'git', script);
  try {
    const files = Object.fromEntries(['a', 'b', 'c'].map((name) => [`${name}.yaml`, name]));
    repository.commit(files);
    writeFileSync(mark, '');
    assert.is(revisionOf(await source.poll()).files.length, 3);
    assert.not.ok(existsSync(mark), 'the listing was cut');
  } finally {
    restore();
  }
});

test('on a disk that takes no more is a failure that passes', async (context) => {
  const { source, repository, folder } = context;
  const script = `
case "$*" in *fetch*) echo 'fatal: write error: No space left on device' >&2; exit 128;; esac
exec "$REAL" "$@"`;
  const restore = replaceProgram(folder, 'git', script);
  try {
    repository.commit({ 'a.yaml': 'a: 2' });
    assert.is(failureOf(await source.poll()).code, 'disk-full');
  } finally {
    restore();
  }
  assert.is(filesOf(revisionOf(await source.poll())), 'a.yaml: a: 2');
});

test('says so where there is no git', async ({ source, folder }) => {
  const path = process.env.PATH;
  process.env.PATH = folder;
  try {
    assert.is(failureOf(await source.poll()).code, 'git-missing');
  } finally {
    process.env.PATH = path;
  }
  assert.is((await source.poll()).kind, 'unchanged');
});

test('is made anew after a hundred fetches, since nothing is ever removed from one', async () => {
  const made: string[] = [];
  const folder = { freshRepositoryPath: async () => `repository ${made.length + 1}` };
  const git = {
    text: async (gitDir: string) => {
      made.push(gitDir);
      return '';
    },
  };
  const cache = new RepositoryCache(folder, git);
  const used: string[] = [];
  for (let count = 0; count < 201; count += 1) {
    await cache.use('sha1', async (gitDir) => used.push(gitDir));
  }
  assert.equal(made, ['repository 1', 'repository 2', 'repository 3']);
  assert.is(used.filter((gitDir) => gitDir === 'repository 2').length, 100);
});

test.run();
