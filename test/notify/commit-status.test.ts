/**
 * Commit statuses against servers that keep them as the vendors document: GitHub, GitLab, Gitea (and
 * Forgejo) and Bitbucket Cloud. Each refuses what the real one refuses.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OpError } from '../../controller/base/op-error.js';
import type { Announcement, CommitStatus } from '../../controller/loop/events.js';
import { createCommitStatusSink } from '../../controller/notify/commit-status.js';
import type { Sink } from '../../controller/notify/sink.js';
import { manualClock } from '../support/clock.js';
import { announcement } from './announcements.js';
import { type Answer, startChatServer, status } from './chat-server.js';

const test = suite('commit statuses');

const sha = announcement().revision.id;

interface Vendor {
  readonly provider: 'github' | 'gitlab' | 'gitea' | 'bitbucket';
  readonly repository: string;
  readonly api: string;
  /** Paths as the vendor documents them. */
  readonly readPath: RegExp;
  readonly writePath: string;
  readonly authorization: readonly [string, string];
  /** What the vendor answers to a read, from the bodies that it was written. */
  readonly show: (posted: readonly Body[]) => { readonly code: number; readonly body: unknown };
  /** Undefined where the vendor takes `body`. */
  readonly refusal: (body: Body) => string | undefined;
  /** A body's state for a pending, a good and a bad status. */
  readonly states: readonly [string, string, string];
}

type Body = Readonly<Record<string, string>>;

/** Only the newest of each context is shown. */
function newest(posted: readonly Body[], key: string): readonly Body[] {
  return [...new Map(posted.map((body) => [body[key], body])).values()];
}

const vendors: readonly Vendor[] = [
  {
    provider: 'github',
    repository: 'team/mesh',
    api: '',
    readPath: new RegExp(`^/repos/team/mesh/commits/${sha}/status\\?per_page=100$`),
    writePath: `/repos/team/mesh/statuses/${sha}`,
    authorization: ['authorization', 'Bearer s3cret'],
    show: (posted) => ({ code: 200, body: { statuses: newest(posted, 'context') } }),
    refusal: ({ state = '', description = '' }) =>
      /^(error|failure|pending|success)$/.test(state) && description.length <= 140
        ? undefined
        : 'Validation Failed',
    states: ['pending', 'success', 'failure'],
  },
  {
    provider: 'gitea',
    repository: 'team/mesh',
    api: '/api/v1',
    readPath: new RegExp(`^/api/v1/repos/team/mesh/commits/${sha}/status$`),
    writePath: `/api/v1/repos/team/mesh/statuses/${sha}`,
    authorization: ['authorization', 'token s3cret'],
    show: (posted) => ({
      code: 200,
      body: {
        statuses: newest(posted, 'context').map(({ state, ...rest }) => ({
          ...rest,
          status: state,
        })),
      },
    }),
    refusal: ({ state = '' }) =>
      /^(error|failure|pending|success|warning)$/.test(state) ? undefined : 'unknown state',
    states: ['pending', 'success', 'failure'],
  },
  {
    provider: 'gitlab',
    repository: 'team/infra/mesh',
    api: '/api/v4',
    readPath: new RegExp(
      `^/api/v4/projects/team%2Finfra%2Fmesh/repository/commits/${sha}/statuses\\?name=headgate%2F`,
    ),
    writePath: `/api/v4/projects/team%2Finfra%2Fmesh/statuses/${sha}`,
    authorization: ['private-token', 's3cret'],
    show: (posted) => ({
      code: 200,
      body: newest(posted, 'name').map(({ state, ...rest }) => ({ ...rest, status: state })),
    }),
    refusal: ({ state = '', name }) =>
      name !== undefined && /^(pending|running|success|failed|canceled|skipped)$/.test(state)
        ? undefined
        : 'state does not have a valid value',
    states: ['running', 'success', 'failed'],
  },
  {
    provider: 'bitbucket',
    repository: 'team/mesh',
    api: '/2.0',
    readPath: new RegExp(`^/2.0/repositories/team/mesh/commit/${sha}/statuses/build/[^/]+$`),
    writePath: `/2.0/repositories/team/mesh/commit/${sha}/statuses/build`,
    authorization: ['authorization', 'Bearer s3cret'],
    show: (posted) => {
      const body = posted.at(-1);
      return body === undefined ? { code: 404, body: {} } : { code: 200, body };
    },
    refusal: ({ key = '', state = '', url = '' }) =>
      key.length <= 40 &&
      URL.canParse(url) &&
      /^(FAILED|INPROGRESS|STOPPED|SUCCESSFUL)$/.test(state)
        ? undefined
        : 'Bad request',
    states: ['INPROGRESS', 'SUCCESSFUL', 'FAILED'],
  },
];

for (const vendor of vendors) {
  test(`${vendor.provider}: pending, success and failure stand at the commit`, () =>
    withVendor(vendor, async (sink, posted) => {
      await sink.send(withStatus({ state: 'pending', description: 'step 1 of 4' }));
      await sink.send(withStatus({ state: 'success', description: 'live: reviews' }));
      await sink.send(withStatus({ state: 'failure', description: 'reviews rolled back' }));
      assert.equal(
        posted.map(({ state }) => state),
        [...vendor.states],
      );
      assert.is(posted.at(-1)?.description, 'reviews rolled back');
      const link = posted.at(-1)?.target_url ?? posted.at(-1)?.url;
      assert.is(link, 'https://headgate.example/rollouts/reviews-7');
    }));

  test(`${vendor.provider}: the same status is not posted twice, also by another process`, () =>
    withVendor(vendor, async (sink, posted, again) => {
      const same = withStatus({ state: 'pending', description: 'step 1 of 4' });
      await sink.send(same);
      await sink.send(same);
      await again().send(same);
      assert.is(posted.length, 1);
    }));

  test(`${vendor.provider}: a long name and text keep to its limits`, () =>
    withVendor(vendor, async (sink, posted) => {
      const context = `headgate/${'m'.repeat(100)}/rollout`;
      await sink.send(withStatus({ context, state: 'failure', description: 'x'.repeat(5_000) }));
      assert.is(posted.length, 1);
    }));
}

test('what is about no commit of a repository passes by', () =>
  withVendor(vendors[0] as Vendor, async (sink, posted) => {
    await sink.send(announcement({ commit: undefined }));
    const folder = { id: 'sha256:0123', author: '', title: '', committedAtMs: 0 };
    await sink.send({ ...withStatus({ state: 'pending' }), revision: folder });
    assert.is(posted.length, 0);
  }));

test('an answer that repeats the token does not make us tell it, and 401 is for a person', async () => {
  const server = await startChatServer();
  try {
    server.answer(status(401, {}, 'bad token s3cret'));
    const sink = sinkOf(vendors[0] as Vendor, server.url);
    const error = await sink.send(withStatus({ state: 'pending' })).then(
      () => assert.unreachable('it was taken'),
      (thrown: unknown) => thrown,
    );
    assert.instance(error, OpError);
    assert.is((error as OpError).message, 'HTTP 401: bad token [redacted]');
    assert.is((error as OpError).retry.kind, 'stalled');
  } finally {
    await server.close();
  }
});

test("GitLab's refusal to make a running status running is no failure", async () => {
  const server = await startChatServer();
  try {
    server.answer((response, { body }) =>
      body === ''
        ? response.writeHead(200).end('[]')
        : response
            .writeHead(400)
            .end('{"message":"Cannot transition status via :run from :running"}'),
    );
    await sinkOf(vendors[2] as Vendor, server.url).send(withStatus({ state: 'pending' }));
    assert.is(server.requests.length, 2);
  } finally {
    await server.close();
  }
});

/** A server of `vendor`, and what was posted to it. */
async function withVendor(
  vendor: Vendor,
  use: (sink: Sink, posted: readonly Body[], again: () => Sink) => Promise<void>,
): Promise<void> {
  const server = await startChatServer();
  const posted: Body[] = [];
  server.answer(answerAs(vendor, posted));
  try {
    const again = (): Sink => sinkOf(vendor, server.url);
    await use(again(), posted, again);
  } finally {
    await server.close();
  }
}

function answerAs(vendor: Vendor, posted: Body[]): Answer {
  const [header, value] = vendor.authorization;
  return (response, request) => {
    const answer = (code: number, body: unknown) =>
      response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.headers[header] !== value) {
      answer(401, { message: 'Unauthorized' });
    } else if (request.path === vendor.writePath) {
      const body = JSON.parse(request.body) as Body;
      const refusal = vendor.refusal(body);
      if (refusal === undefined) {
        posted.push(body);
      }
      answer(refusal === undefined ? 201 : 422, { message: refusal });
    } else if (vendor.readPath.test(request.path)) {
      const { code, body } = vendor.show(posted);
      answer(code, body);
    } else {
      answer(404, { message: `no ${request.path}` });
    }
  };
}

function sinkOf({ provider, repository, api }: Vendor, url: string): Sink {
  const apiUrl = `${new URL(url).origin}${api}`;
  const publicUrl = 'https://headgate.example';
  const target = { name: 'forge', provider, repository, apiUrl, token: 's3cret', publicUrl };
  return createCommitStatusSink(target, manualClock());
}

function withStatus(status: Partial<CommitStatus>): Announcement {
  const usual = { context: 'headgate/shop/rollout', state: 'pending', description: '' } as const;
  return announcement({ commit: { ...usual, ...status } });
}

test('of several repositories only the commits of its own have its statuses', async () => {
  const server = await startChatServer();
  const target = { name: 'statuses', repository: 'team/pay', of: 'payments', token: 's3cret' };
  const sink = createCommitStatusSink(
    { ...target, provider: 'github', apiUrl: server.url },
    manualClock(0),
  );
  const commit = { context: 'headgate/validate', state: 'success', description: 'valid' } as const;
  const { revision } = announcement();
  await sink.send(announcement({ commit, revision }));
  await sink.send(announcement({ commit, revision: { ...revision, repository: 'base' } }));
  assert.equal(server.requests, []);
  server.answer(status(200, {}, '{"statuses":[]}'));
  await sink.send(announcement({ commit, revision: { ...revision, repository: 'payments' } }));
  assert.equal(
    server.requests.map(({ path }) => path.slice(path.indexOf('/repos/'))),
    [`/repos/team/pay/commits/${sha}/status?per_page=100`, `/repos/team/pay/statuses/${sha}`],
  );
  await server.close();
});

test.run();
