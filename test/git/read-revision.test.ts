/** One revision by any name that a person gives it, for plans between two of them. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OpError } from '../../controller/base/op-error.js';
import { createClock } from '../../controller/clock.js';
import { type RevisionToRead, readRevision } from '../../controller/git/read-revision.js';
import { makeRepository, type TestRepository } from '../support/git.js';
import { filesOf } from '../support/source.js';

interface Context {
  folder: string;
  repository: TestRepository;
  /** Ids of the three commits, oldest first; file a.yaml of each has its number. */
  ids: readonly string[];
}

const test = suite<Context>('one revision');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-read-test-'));
  context.repository = makeRepository(context.folder);
  context.ids = [1, 2, 3].map((count) => context.repository.commit({ 'a.yaml': `a: ${count}` }));
  const { git, bare, push } = context.repository;
  git('tag', 'light', 'HEAD~1');
  git('tag', '--annotate', '--message', 'a tag', 'annotated', 'HEAD~2');
  git('push', '--quiet', bare, '--tags');
  push('feature/x');
});

test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

function read(context: Context, toRead: Partial<RevisionToRead>) {
  const complete = { repo: context.repository.bare, path: '.', revision: 'main', ...toRead };
  return readRevision(complete, { clock: createClock() });
}

test('is found by branch, tag, id and expression', async (context) => {
  const [first = '', second = '', third = ''] = context.ids;
  const names = [
    ['main', third],
    ['feature/x', third],
    ['refs/heads/main', third],
    ['HEAD', third],
    ['@', third],
    ['light', second],
    ['annotated', first],
    ['refs/tags/annotated', first],
    [second, second],
    ['main~1', second],
    ['HEAD^^', first],
    ['@~2', first],
    ['annotated^{}', first],
    [`${third}~1`, second],
    [second.slice(0, 10), second],
  ] as const;
  for (const [revision, id] of names) {
    const found = await read(context, { revision });
    assert.is(`${revision} ${found.id}`, `${revision} ${id}`);
    assert.is(found.ref, revision);
    assert.is(filesOf(found), `a.yaml: a: ${context.ids.indexOf(id) + 1}`);
  }
});

test('of a work tree is found as git finds it there', async (context) => {
  const { git, work, bare } = context.repository;
  git('remote', 'add', 'origin', bare);
  git('fetch', '--quiet', 'origin');
  git('checkout', '--quiet', '--detach', 'HEAD~1');
  git('commit', '--quiet', '--allow-empty', '--message', 'on no branch');
  const detached = await read(context, { repo: work, revision: 'HEAD' });
  assert.is(detached.id, git('rev-parse', 'HEAD'));
  assert.is((await read(context, { repo: work, revision: 'HEAD~1' })).id, context.ids[1]);
  assert.is((await read(context, { repo: work, revision: 'origin/main' })).id, context.ids[2]);
});

test('that does not exist is an error that names what does', async (context) => {
  const missing = ['nope', 'main~17', '0'.repeat(40), 'main:a.yaml', 'HEAD^{tree}'];
  for (const revision of missing) {
    const error = await read(context, { revision }).catch((thrown: unknown) => thrown);
    const code = error instanceof OpError ? error.code : String(error);
    assert.is(`${revision} ${code}`, `${revision} revision-missing`);
  }
  const error = await read(context, { revision: 'nope' }).catch((thrown: unknown) => thrown);
  assert.match(String(error), /revision nope does not exist.*feature\/x, main/);
});

test('leaves nothing in its folder', async (context) => {
  const cacheFolder = mkdtempSync(join(context.folder, 'cache-'));
  await read(context, { cacheFolder });
  await read(context, { cacheFolder, revision: 'nope' }).catch(() => {});
  assert.equal(readdirSync(cacheFolder), []);
});

test.run();
