/**
 * The way back for Git: the revert's branch on a real repository, and the pull request by the API of each
 * vendor, which is played by a server that refuses what the real one refuses.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ForgeProvider } from '../../controller/base/forge.js';
import { OpError } from '../../controller/base/op-error.js';
import { createClock } from '../../controller/clock.js';
import { pushRevert } from '../../controller/git/push-revert.js';
import type { Announcement } from '../../controller/loop/events.js';
import { createRevertSink } from '../../controller/notify/revert.js';
import { makeRepository, runGit, type TestRepository } from '../support/git.js';
import { announcement } from './announcements.js';
import { type ChatServer, startChatServer, status } from './chat-server.js';

interface Context {
  folder: string;
  repository: TestRepository;
  server: ChatServer;
}

const test = suite<Context>('reverts');

const branch = 'headgate/revert-reviews-7';

test.before.each(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-revert-'));
  context.repository = makeRepository(context.folder);
  context.server = await startChatServer();
  context.server.answer(status(201, {}, '{}'));
});

test.after.each(async ({ folder, server }) => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Vendor {
  readonly provider: ForgeProvider;
  readonly repository: string;
  readonly path: string;
  readonly header: readonly [string, string];
  readonly ends: (body: Record<string, unknown>) => unknown;
}

const vendors: readonly Vendor[] = [
  {
    provider: 'github',
    repository: 'team/mesh',
    path: '/repos/team/mesh/pulls',
    header: ['authorization', 'Bearer s3cret'],
    ends: ({ head, base }) => [head, base],
  },
  {
    provider: 'gitea',
    repository: 'team/mesh',
    path: '/repos/team/mesh/pulls',
    header: ['authorization', 'token s3cret'],
    ends: ({ head, base }) => [head, base],
  },
  {
    provider: 'gitlab',
    repository: 'team/infra/mesh',
    path: '/projects/team%2Finfra%2Fmesh/merge_requests',
    header: ['private-token', 's3cret'],
    ends: ({ source_branch, target_branch }) => [source_branch, target_branch],
  },
  {
    provider: 'bitbucket',
    repository: 'team/mesh',
    path: '/repositories/team/mesh/pullrequests',
    header: ['authorization', 'Bearer s3cret'],
    ends: ({ source, destination }) => [
      (source as Named).branch.name,
      (destination as Named).branch.name,
    ],
  },
];

interface Named {
  readonly branch: { readonly name: string };
}

for (const vendor of vendors) {
  test(`${vendor.provider}: the branch undoes the commit and the pull request says why`, async (context) => {
    const { repository, server } = context;
    const bad = goodThenBad(context);
    await sinkOf(context, vendor).send(rolledBack(bad));
    assert.is(fileAt(repository, branch, 'route.yaml'), 'weights: v1');
    assert.is(fileAt(repository, branch, 'other.yaml'), 'kept: true');
    assert.is(runGit(repository.bare, 'rev-parse', `${branch}^`), bad);
    const [request] = server.requests;
    assert.is(request?.path, vendor.path);
    assert.is(request?.headers[vendor.header[0]], vendor.header[1]);
    const body = JSON.parse(request?.body ?? '') as Record<string, unknown>;
    assert.equal(vendor.ends(body), [branch, 'main']);
    assert.is(body.title, 'Revert "Send reviews to v2"');
    const text = String(body.body ?? body.description);
    assert.match(text, 'success rate 70.97% < 99% (31 requests, 6s)');
    assert.match(text, 'https://headgate.example/rollouts/reviews-7');
  });
}

test('newer commits of other files stay; the revert stands on top of them', async (context) => {
  const { repository } = context;
  const bad = goodThenBad(context);
  repository.commit({ 'new.yaml': 'new: 1\n' }, 'newer');
  await sinkOf(context).send(rolledBack(bad));
  assert.is(fileAt(repository, branch, 'new.yaml'), 'new: 1');
  assert.is(fileAt(repository, branch, 'route.yaml'), 'weights: v1');
});

test('a commit deep in the history is found', async (context) => {
  const { repository } = context;
  const bad = goodThenBad(context);
  for (let index = 0; index < 60; index += 1) {
    repository.commit({ 'new.yaml': `new: ${index}\n` }, `newer ${index}`);
  }
  await sinkOf(context).send(rolledBack(bad));
  assert.is(fileAt(repository, branch, 'route.yaml'), 'weights: v1');
});

test('of a merge what its first parent had comes back', async (context) => {
  const { repository } = context;
  repository.commit({ 'route.yaml': 'weights: v1\n' }, 'good');
  repository.git('checkout', '--quiet', '-b', 'feature');
  repository.commit({ 'route.yaml': 'weights: v2\n' }, 'feature');
  repository.git('checkout', '--quiet', 'main');
  repository.git('merge', '--quiet', '--no-ff', '-m', 'merge', 'feature');
  repository.push();
  await sinkOf(context).send(rolledBack(repository.git('rev-parse', 'HEAD')));
  assert.is(fileAt(repository, branch, 'route.yaml'), 'weights: v1');
});

test('a second attempt pushes nothing anew and takes an existing pull request for its own', async (context) => {
  const bad = goodThenBad(context);
  await sinkOf(context).send(rolledBack(bad));
  const first = runGit(context.repository.bare, 'rev-parse', branch);
  const text =
    '{"message":"Validation Failed","errors":[{"message":"A pull request already exists"}]}';
  context.server.answer(status(422, {}, text));
  await sinkOf(context).send(rolledBack(bad));
  assert.is(runGit(context.repository.bare, 'rev-parse', branch), first);
});

const impossible: readonly (readonly [string, RegExp, (context: Context) => string])[] = [
  [
    'the same file was changed again',
    /changed again since: route\.yaml/,
    (context) => {
      const bad = goodThenBad(context);
      context.repository.commit({ 'route.yaml': 'weights: v3\n' }, 'newer');
      return bad;
    },
  ],
  [
    'somebody took it back already',
    /it was taken back already/,
    (context) => {
      const bad = goodThenBad(context);
      context.repository.git('revert', '--no-edit', 'HEAD');
      context.repository.push();
      return bad;
    },
  ],
  [
    'it is the first commit of all',
    /its first commit/,
    ({ repository }) => repository.commit({ 'a.yaml': 'a: 1\n' }, 'first'),
  ],
  [
    'history was rewritten without it',
    /not in the branch any more/,
    (context) => {
      goodThenBad(context);
      return 'f'.repeat(40);
    },
  ],
];

for (const [what, message, make] of impossible) {
  test(`where ${what} a person is needed, and nothing is pushed`, async (context) => {
    const bad = make(context);
    const error = await sinkOf(context)
      .send(rolledBack(bad))
      .then(
        () => assert.unreachable('it was sent'),
        (thrown: unknown) => thrown,
      );
    assert.instance(error, OpError);
    const { code, retry, message: text } = error as OpError;
    assert.equal([code, retry.kind], ['revert-impossible', 'stalled']);
    assert.match(text, message);
    assert.is(runGit(context.repository.bare, 'branch', '--list', branch), '');
    assert.is(context.server.requests.length, 0);
  });
}

test('what did not roll back by itself passes by', async (context) => {
  const bad = goodThenBad(context);
  for (const event of ['rollout.aborted', 'rollout.succeeded', 'revision.rejected'] as const) {
    await sinkOf(context).send({ ...rolledBack(bad), event });
  }
  assert.is(context.server.requests.length, 0);
});

test('nothing that people wrote breaks out of the quotation', async (context) => {
  const bad = goodThenBad(context);
  const text = 'x\n```\n# hello @everyone <img src=x>';
  await sinkOf(context).send({ ...rolledBack(bad), text });
  const { body } = JSON.parse(context.server.requests[0]?.body ?? '') as { body: string };
  assert.is(body.match(/```/g)?.length, 2);
});

/** Two files, then a commit that changes one; its id. */
function goodThenBad({ repository }: Context): string {
  repository.commit({ 'route.yaml': 'weights: v1\n', 'other.yaml': 'kept: true\n' }, 'good');
  return repository.commit({ 'route.yaml': 'weights: v2\n', 'extra.yaml': 'more: 1\n' }, 'bad');
}

function rolledBack(id: string): Announcement {
  const usual = announcement();
  return { ...usual, revision: { ...usual.revision, id } };
}

function sinkOf({ repository, server }: Context, vendor = vendors[0] as Vendor) {
  const clock = createClock();
  const stop = new AbortController().signal;
  const target = {
    name: 'forge',
    provider: vendor.provider,
    repository: vendor.repository,
    apiUrl: new URL(server.url).origin,
    token: 's3cret',
    publicUrl: 'https://headgate.example',
  };
  return createRevertSink(
    target,
    async (revert) => {
      await pushRevert({ repo: repository.bare, branch: 'main', ...revert }, { clock, stop });
      return { base: 'main' };
    },
    clock,
  );
}

function fileAt({ bare }: TestRepository, ref: string, path: string): string {
  return runGit(bare, 'show', `${ref}:${path}`);
}

test.run();
