/** What is deployed: a branch, a tag, the newest version in a range, or one commit; on real repositories. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createGitSource, type GitSourceSettings } from '../../controller/git/git-source.js';
import { refSelector } from '../../controller/git/ref-selector.js';
import { makeRepository, type TestRepository } from '../support/git.js';
import { failureOf, filesOf, revisionOf, startSource, type TestSource } from '../support/source.js';

interface Context {
  folder: string;
  repository: TestRepository;
  source: TestSource | undefined;
}

const test = suite<Context>('what is deployed');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-refs-'));
  context.repository = makeRepository(context.folder);
});

test.after.each(async (context) => {
  await context.source?.stop();
  context.source = undefined;
  rmSync(context.folder, { recursive: true, force: true });
});

function start(context: Context, settings: Partial<GitSourceSettings>): TestSource {
  const complete = {
    repo: context.repository.bare,
    branch: 'main',
    path: '.',
    pollMs: 3_600_000,
    cacheFolder: join(context.folder, 'cache'),
    ...settings,
  };
  context.source = startSource((deps) => createGitSource(complete, deps));
  return context.source;
}

/** A commit with a tag on it, annotated or plain. */
function tagged({ repository }: Context, tag: string, isAnnotated = false): string {
  const id = repository.commit({ 'a.yaml': `tag: ${tag}\n` }, tag);
  repository.git('tag', '--force', ...(isAnnotated ? ['-a', '-m', tag] : []), tag);
  repository.git('push', '--quiet', '--force', repository.bare, `refs/tags/${tag}`);
  return id;
}

for (const isAnnotated of [false, true]) {
  test(`a ${isAnnotated ? 'annotated' : 'plain'} tag is followed, also when it moves`, async (context) => {
    const first = tagged(context, 'prod', isAnnotated);
    context.repository.commit({ 'a.yaml': 'later: 1\n' }, 'later');
    const source = start(context, { tag: 'prod' });
    const revision = revisionOf(await source.next());
    assert.equal([revision.id, revision.ref], [first, 'prod']);
    const moved = tagged(context, 'prod', isAnnotated);
    assert.is(revisionOf(await source.poll()).id, moved);
  });
}

test('the newest version in the range is deployed, and no other tag', async (context) => {
  const { repository } = context;
  tagged(context, 'v1.2.0');
  const newest = tagged(context, 'v1.10.0', true);
  tagged(context, 'v2.0.0');
  tagged(context, 'v1.99.0-rc.1');
  tagged(context, 'nightly');
  const source = start(context, { semver: '^1.2' });
  const revision = revisionOf(await source.next());
  assert.equal([revision.id, revision.ref], [newest, 'v1.10.0']);
  assert.is(filesOf(revision), 'a.yaml: tag: v1.10.0');
  const next = tagged(context, 'v1.11.3');
  assert.is(revisionOf(await source.poll()).id, next);
  assert.ok(repository.bare);
});

test('one commit stays deployed whatever the branches do', async (context) => {
  const first = context.repository.commit({ 'a.yaml': 'a: 1\n' }, 'first');
  context.repository.commit({ 'a.yaml': 'a: 2\n' }, 'second');
  const source = start(context, { commit: first });
  assert.is(revisionOf(await source.next()).id, first);
});

const missing: readonly (readonly [string, Partial<GitSourceSettings>, string, RegExp])[] = [
  ['tag', { tag: 'v9' }, 'tag-missing', /tag v9 does not exist; the repository's tags: v1\.0\.0/],
  ['range', { semver: '^9' }, 'semver-missing', /no tag is a version in \^9; .* tags: v1\.0\.0/],
];

for (const [what, settings, code, message] of missing) {
  test(`a ${what} that nothing meets is told with what there is`, async (context) => {
    tagged(context, 'v1.0.0');
    const failure = failureOf(await start(context, settings).next());
    assert.is(failure.code, code);
    assert.match(failure.message, message);
  });
}

const refusals: readonly (readonly [string, Parameters<typeof refSelector>[0]])[] = [
  ['commit-refused', { branch: 'main', commit: 'abc123' }],
  ['commit-refused', { branch: 'main', commit: `--upload-pack=${'a'.repeat(26)}` }],
  ['tag-refused', { branch: 'main', tag: '--upload-pack=x' }],
  ['tag-refused', { branch: 'main', tag: 'a..b' }],
  ['semver-refused', { branch: 'main', semver: 'latest greatest' }],
  ['branch-refused', { branch: '-x' }],
];

for (const [code, names] of refusals) {
  test(`${JSON.stringify(names)} is ${code} before anything is started`, () => {
    assert.throws(
      () => refSelector(names),
      (error: { code?: string }) => error.code === code,
    );
  });
}

test('.headgateignore keeps files of other tools out, in its own path too', async (context) => {
  context.repository.commit({
    'mesh/.headgateignore': '# not ours\ncharts/\n*.values.yaml\n!keep.values.yaml\n',
    'mesh/a.yaml': 'a: 1\n',
    'mesh/charts/b.yaml': 'b: 1\n',
    'mesh/c.values.yaml': 'c: 1\n',
    'mesh/keep.values.yaml': 'd: 1\n',
    '.headgateignore': '*\n',
  });
  const revision = revisionOf(await start(context, { path: 'mesh' }).next());
  assert.is(filesOf(revision), 'mesh/a.yaml: a: 1\nmesh/keep.values.yaml: d: 1');
  assert.equal(revision.problems, []);
});

test('a .headgateignore that is a link is a problem, and ignores nothing', async (context) => {
  context.repository.commit({ '.headgateignore': { link: '/etc/passwd' }, 'a.yaml': 'a: 1\n' });
  const revision = revisionOf(await start(context, {}).next());
  assert.equal(
    revision.problems.map(({ code, file }) => `${code} ${file}`),
    ['HG0113 .headgateignore'],
  );
  assert.is(filesOf(revision), 'a.yaml: a: 1');
});

test.run();
