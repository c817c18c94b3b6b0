/**
 * The one comment on a pull request, against servers that keep comments as GitHub and GitLab document: pages
 * of a hundred at most, a limit for a body, and nothing without a token.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { markerOf, upsertComment } from '../../controller/review/comment.js';
import { runMain } from '../cli/run-main.js';
import { startConnectProxy, withProxyVariables } from '../support/connect-proxy.js';
import { type Comment, vendors, withServer } from './comment-server.js';

const test = suite('the comment on a pull request');

/** `count` comments of people. */
function talk(count: number): Comment[] {
  return Array.from({ length: count }, (_, index) => ({ id: index + 1, body: `words ${index}` }));
}

for (const vendor of vendors) {
  test(`${vendor.provider}: is written once, changed in place and left alone where it is the same`, async () => {
    const comments = talk(3);
    await withServer(vendor, comments, async (target, calls) => {
      assert.is(await upsertComment(target, 'plan', 'one\n'), 'created');
      assert.is(await upsertComment(target, 'plan', 'two\n'), 'updated');
      assert.is(await upsertComment(target, 'plan', 'two\n'), 'unchanged');
      assert.equal(calls, ['GET', 'POST', 'GET', vendor.change, 'GET']);
      assert.equal(comments.slice(3), [{ id: 4, body: `${markerOf('plan')}\ntwo` }]);
    });
  });

  test(`${vendor.provider}: is found behind hundreds of others, and its copies go`, async () => {
    const comments = talk(250);
    comments.push({ id: 251, body: `${markerOf('plan')}\r\nold` });
    comments.push({ id: 252, body: `${markerOf('plan')}\ncopy` });
    comments.push({ id: 253, body: `a quote: ${markerOf('plan')}` });
    comments.push({ id: 254, body: `${markerOf('plan-of-prod')}\nanother` });
    await withServer(vendor, comments, async (target) => {
      assert.is(await upsertComment(target, 'plan', 'new'), 'updated');
      assert.equal(
        comments.slice(250).map(({ body }) => body),
        [
          `${markerOf('plan')}\nnew`,
          `a quote: ${markerOf('plan')}`,
          `${markerOf('plan-of-prod')}\nanother`,
        ],
      );
    });
  });

  test(`${vendor.provider}: a refusal says what it was, without the token`, async () => {
    await withServer(vendor, [], async (target) => {
      const error = await upsertComment({ ...target, token: 'wr0ng' }, 'plan', 'x').then(
        () => undefined,
        (thrown: unknown) => thrown as Error,
      );
      assert.match(error?.message ?? '', /HTTP 401/);
      assert.not.match(error?.message ?? '', /wr0ng/);
    });
  });
}

test('headgate comment finds its place by the variables of GitHub Actions and GitLab CI', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-comment-'));
  const event = join(folder, 'event.json');
  const plan = join(folder, 'plan.md');
  writeFileSync(event, JSON.stringify({ pull_request: { number: 7 } }));
  writeFileSync(plan, '### Headgate: no changes\n');
  try {
    for (const vendor of vendors) {
      const comments: Comment[] = [];
      await withServer(vendor, comments, async ({ apiUrl }) => {
        const env: Readonly<Record<string, string>> =
          vendor.provider === 'github'
            ? {
                GITHUB_API_URL: apiUrl,
                GITHUB_REPOSITORY: vendor.repository,
                GITHUB_EVENT_PATH: event,
                GITHUB_TOKEN: 's3cret',
              }
            : {
                GITLAB_CI: 'true',
                CI_API_V4_URL: apiUrl,
                CI_PROJECT_ID: vendor.repository,
                CI_MERGE_REQUEST_IID: '7',
                HEADGATE_GITLAB_TOKEN: 's3cret',
              };
        const { code, stderr } = await runMain(['comment', plan], { env });
        assert.is(code, 0, stderr);
        assert.match(stderr, /#7: created/);
        assert.is(comments[0]?.body, `${markerOf('plan')}\n### Headgate: no changes`);
      });
    }
    const outside = await runMain(['comment', plan]);
    assert.is(outside.code, 2);
    assert.match(outside.stderr, /GITHUB_REPOSITORY is not set/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('HTTP_PROXY leads to the server, unless NO_PROXY names it', async () => {
  const [vendor] = vendors;
  assert.ok(vendor);
  await withServer(vendor, [], async (target, calls) => {
    const proxy = await startConnectProxy(Number(new URL(target.apiUrl).port));
    try {
      const behind = { ...target, apiUrl: 'http://forge.invalid/api' };
      await withProxyVariables({ HTTP_PROXY: proxy.url }, async () => {
        // Its path is another than the server's own, whose answer shows that it was asked.
        const error = await upsertComment(behind, 'plan', 'x').catch((thrown: Error) => thrown);
        assert.match(String(error), /HTTP 404/);
        assert.equal(proxy.tunnels, ['forge.invalid:80']);
      });
      await withProxyVariables({ HTTP_PROXY: proxy.url, NO_PROXY: '.invalid' }, async () => {
        const error = await upsertComment(behind, 'plan', 'x').catch((thrown: Error) => thrown);
        assert.match(String(error), /ENOTFOUND|EAI_AGAIN/);
      });
      await withProxyVariables({ HTTP_PROXY: proxy.url }, async () => {
        assert.is(await upsertComment(target, 'plan', 'x'), 'created');
      });
      assert.is(proxy.tunnels.length, 1, 'this machine was asked through the proxy');
      assert.ok(calls.includes('POST'));
    } finally {
      proxy.stop();
    }
  });
});

test.run();
