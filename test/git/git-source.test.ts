/** A branch is followed over its whole life, on real repositories on disk. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createGitSource, type GitSourceSettings } from '../../controller/git/git-source.js';
import { makeRepository, replaceProgram, runGit, type TestRepository } from '../support/git.js';
import {
  failureOf,
  filesOf,
  problemsOf,
  revisionOf,
  startSource,
  type TestSource,
} from '../support/source.js';

interface Context {
  folder: string;
  repository: TestRepository;
  cacheFolder: string;
  source: TestSource | undefined;
}

const test = suite<Context>('a git source');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-git-'));
  context.repository = makeRepository(context.folder);
  context.cacheFolder = join(context.folder, 'cache');
});

test.after.each(async (context) => {
  await context.source?.stop();
  context.source = undefined;
  rmSync(context.folder, { recursive: true, force: true });
});

/** Starts a source that polls only when it is asked to. */
function start(context: Context, settings: Partial<GitSourceSettings> = {}): TestSource {
  const complete = {
    repo: context.repository.bare,
    branch: 'main',
    path: '.',
    pollMs: 3_600_000,
    cacheFolder: context.cacheFolder,
    ...settings,
  };
  context.source = startSource((deps) => createGitSource(complete, deps));
  return context.source;
}

test('tells how much of the first revision has come, and of no later one', async (context) => {
  const percents: number[] = [];
  const { repository, cacheFolder } = context;
  // Git tells of packs with a hundred objects and more.
  const files = Array.from({ length: 150 }, (_, index) => [`${index}.yaml`, `a: ${index}\n`]);
  repository.commit(Object.fromEntries(files), 'first');
  const settings = {
    ...{ repo: repository.bare, branch: 'main', path: '.', pollMs: 3_600_000, cacheFolder },
  };
  const source = startSource((deps) =>
    createGitSource(settings, { ...deps, onProgress: (percent) => percents.push(percent) }),
  );
  context.source = source;
  revisionOf(await source.next());
  assert.ok(percents.length > 0, 'git said nothing');
  assert.ok(percents.every((percent) => percent >= 0 && percent <= 100));
  const told = percents.length;
  repository.commit({ 'a.yaml': 'a: 2\n' }, 'second');
  revisionOf(await source.poll());
  assert.is(percents.length, told);
});

test('hands on a commit with its author, time, message and YAML files', async (context) => {
  const id = context.repository.commit(
    {
      'b.yml': 'b: 1\n',
      'a/deep/er/a.yaml': 'a: 1\n',
      'README.md': 'no mesh',
      '.github/workflow.yaml': 'on: push',
      '.gitlab-ci.yml': 'stages: []',
    },
    'add two nodes\n\nBecause we can.\n',
  );
  const revision = revisionOf(await start(context).next());
  assert.is(revision.id, id);
  assert.is(revision.ref, 'main');
  assert.is(revision.author, 'Ada <ada@example.com>');
  assert.is(revision.committedAtMs, 1_700_000_100_000);
  assert.is(revision.message, 'add two nodes\n\nBecause we can.');
  assert.is(filesOf(revision), 'a/deep/er/a.yaml: a: 1\nb.yml: b: 1');
  assert.is(problemsOf(revision), '');
});

test('reports an unchanged branch as such and a new commit as a revision', async (context) => {
  context.repository.commit({ 'a.yaml': 'a: 1' });
  const source = start(context);
  await source.next();
  assert.is((await source.poll()).kind, 'unchanged');
  const id = context.repository.commit({ 'a.yaml': 'a: 2', 'c.yaml': 'c: 1' });
  const revision = revisionOf(await source.poll());
  assert.is(revision.id, id);
  assert.is(filesOf(revision), 'a.yaml: a: 2\nc.yaml: c: 1');
  assert.is((await source.poll()).kind, 'unchanged');
});

test('reads a file URL, a work tree and a repository with SHA-256 ids alike', async (context) => {
  const sha256 = makeRepository(join(context.folder, 'sha256'), { objectFormat: 'sha256' });
  for (const repository of [context.repository, sha256]) {
    const id = repository.commit({ 'a.yaml': 'a: 1' });
    for (const repo of [repository.bare, `file://${repository.bare}`, repository.work]) {
      const source = start(context, { repo });
      const revision = revisionOf(await source.next());
      assert.is(`${repo} ${revision.id}`, `${repo} ${id}`);
      assert.is(filesOf(revision), 'a.yaml: a: 1');
      await source.stop();
    }
  }
});

test('reads what is committed in a work tree, not what lies in it', async (context) => {
  context.repository.commit({ 'a.yaml': 'a: committed' });
  writeFileSync(join(context.repository.work, 'a.yaml'), 'a: edited');
  const source = start(context, { repo: context.repository.work });
  assert.is(filesOf(revisionOf(await source.next())), 'a.yaml: a: committed');
});

test('reads only below its path, and says where the path is missing', async (context) => {
  context.repository.commit({ 'a.yaml': 'a: 1', 'mesh/[x]*/b.yaml': 'b: 1', 'mesh/x/c.yaml': '' });
  const source = start(context, { path: './mesh/[x]*/' });
  assert.is(filesOf(revisionOf(await source.next())), 'mesh/[x]*/b.yaml: b: 1');
  context.repository.commit({ 'mesh/[x]*': null });
  const without = revisionOf(await source.poll());
  assert.is(problemsOf(without), 'HG0101 mesh/[x]*');
  assert.is(without.files.length, 0);
  context.repository.commit({ 'mesh/[x]*': 'a file' });
  assert.is(problemsOf(revisionOf(await source.poll())), 'HG0101 mesh/[x]*');
});

test('follows a force-push and says that history was rewritten', async (context) => {
  const { repository } = context;
  repository.commit({ 'a.yaml': 'a: 0' });
  const from = repository.commit({ 'a.yaml': 'a: 1' });
  const source = start(context);
  await source.next();
  repository.git('reset', '--quiet', '--hard', 'HEAD~1');
  const to = repository.commit({ 'a.yaml': 'a: 2' });
  const revision = revisionOf(await source.poll());
  assert.is(revision.id, to);
  assert.is(filesOf(revision), 'a.yaml: a: 2');
  const [line] = source.logger.lines;
  assert.is(line?.fields.code, 'history-rewritten');
  assert.is(line?.fields.from, from);
  assert.is(line?.fields.to, to);
});

test('does not take several commits at once for a rewritten history', async (context) => {
  context.repository.commit({ 'a.yaml': 'a: 0' });
  const source = start(context);
  await source.next();
  for (let count = 1; count < 4; count += 1) {
    context.repository.commit({ 'a.yaml': `a: ${count}` });
  }
  assert.is(filesOf(revisionOf(await source.poll())), 'a.yaml: a: 3');
  assert.equal(source.logger.lines, []);
});

test('fails while its branch is gone and goes on when it returns', async (context) => {
  const { repository } = context;
  repository.commit({ 'a.yaml': 'a: 1' });
  repository.push('develop');
  const source = start(context);
  await source.next();
  runGit(repository.bare, 'update-ref', '-d', 'refs/heads/main');
  const failure = failureOf(await source.poll());
  assert.is(failure.code, 'branch-missing');
  assert.match(failure.message, /branch main does not exist.*: develop$/);
  repository.push();
  assert.is((await source.poll()).kind, 'unchanged');
  runGit(repository.bare, 'update-ref', '-d', 'refs/heads/main');
  await source.poll();
  const id = repository.commit({ 'a.yaml': 'a: 2' });
  assert.is(revisionOf(await source.poll()).id, id);
});

test('takes its own branch, wherever HEAD points', async (context) => {
  const id = context.repository.commit({ 'a.yaml': 'a: 1' });
  context.repository.git('checkout', '--quiet', '-b', 'other');
  context.repository.git('commit', '--quiet', '--allow-empty', '--message', 'elsewhere');
  context.repository.push('other');
  // Matches the branch's name as a pattern that ls-remote would take.
  context.repository.push('x/refs/heads/main');
  for (const head of ['refs/heads/other', 'refs/heads/nowhere']) {
    runGit(context.repository.bare, 'symbolic-ref', 'HEAD', head);
    const source = start(context);
    assert.is(revisionOf(await source.next()).id, id);
    await source.stop();
  }
});

test('tells an empty repository from one without the branch', async (context) => {
  const source = start(context);
  assert.is(failureOf(await source.next()).code, 'empty-repository');
  context.repository.git('commit', '--quiet', '--allow-empty', '--message', 'nothing');
  context.repository.push('other');
  assert.is(failureOf(await source.poll()).code, 'branch-missing');
});

test('does not take a git that was killed without a word for an empty repository', async (context) => {
  context.repository.commit({ 'a.yaml': 'a: 1' });
  const script = 'case "$*" in *ls-remote*) kill -9 $$;; esac; exec "$REAL" "$@"';
  const restore = replaceProgram(context.folder, 'git', script);
  try {
    assert.is(failureOf(await start(context).next()).code, 'git-unreachable');
  } finally {
    restore();
  }
});

test('refuses a commit without any mesh file', async (context) => {
  context.repository.commit({ 'README.md': 'soon' });
  assert.is(problemsOf(revisionOf(await start(context).next())), 'HG0111 ');
});

test('starts while the repository does not exist, and reads it once it does', async (context) => {
  const repo = join(context.folder, 'later.git');
  const source = start(context, { repo });
  const failure = failureOf(await source.next());
  assert.is(failure.code, 'repository-missing');
  context.repository.commit({ 'a.yaml': 'a: 1' });
  runGit(context.folder, 'clone', '--quiet', '--bare', context.repository.bare, repo);
  assert.is(filesOf(revisionOf(await source.poll())), 'a.yaml: a: 1');
});

test('reads a repository that belongs to another user', async (context) => {
  context.repository.commit({ 'a.yaml': 'a: 1' });
  const script = 'GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec "$REAL" "$@"';
  const restore = replaceProgram(context.folder, 'git', script);
  try {
    assert.is(filesOf(revisionOf(await start(context).next())), 'a.yaml: a: 1');
  } finally {
    restore();
  }
});

test('works in one repository and removes it when it stops', async (context) => {
  const source = start(context);
  for (let count = 0; count < 3; count += 1) {
    context.repository.commit({ 'a.yaml': `a: ${count}` });
    await source.poll();
  }
  const repositories = (): string[] =>
    readdirSync(context.cacheFolder).filter((name) => name.endsWith('.git'));
  assert.is(repositories().length, 1);
  await source.stop();
  assert.equal(readdirSync(context.cacheFolder).sort(), ['askpass', 'gitconfig', 'home']);
  assert.equal(readdirSync(join(context.cacheFolder, 'home')), []);
});

test.run();
