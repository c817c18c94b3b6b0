/** Push webhooks: who may ask for a poll, by each provider's own proof, and what nobody can do. */
import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hookBytesMax } from '../../controller/api/hooks.js';
import { hookSecrets, type RunningApi, runApi } from './running-api.js';

const hooks = suite<{ running: RunningApi }>('push webhooks');

hooks.before.each(async (context) => {
  context.running = await runApi();
});

hooks.after.each(({ running }) => running.stop());

const body = '{"ref":"refs/heads/main","after":"4f1c"}';

function sign(secret: string, text: string | Buffer = body): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

const good: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['github', { 'X-Hub-Signature-256': `sha256=${sign(hookSecrets.github)}` }],
  ['gitlab', { 'X-Gitlab-Token': hookSecrets.gitlab }],
  ['gitea', { 'X-Gitea-Signature': sign(hookSecrets.gitea) }],
  ['forgejo', { 'X-Forgejo-Signature': sign(hookSecrets.gitea).toUpperCase() }],
  ['gitea', { 'X-Hub-Signature-256': `sha256=${sign(hookSecrets.gitea)}` }],
  ['generic', { 'X-Signature': `sha256=${sign(hookSecrets.generic)}` }],
  ['generic', { Authorization: `Bearer ${hookSecrets.generic}` }],
];

for (const [provider, headers] of good) {
  hooks(`${provider} proves itself by ${Object.keys(headers).join()}`, async ({ running }) => {
    const answer = await send(running, provider, body, headers);
    assert.equal(answer, { status: 202, body: '{"polling":true}' });
    assert.is(running.polls.length, 1);
  });
}

const bad: readonly (readonly [string, string, Readonly<Record<string, string>>, number])[] = [
  ['no signature', 'github', {}, 401],
  ['an empty signature', 'github', { 'X-Hub-Signature-256': '' }, 401],
  [
    'a signature by another secret',
    'github',
    { 'X-Hub-Signature-256': `sha256=${sign('x')}` },
    401,
  ],
  [
    'a signature of another body',
    'github',
    { 'X-Hub-Signature-256': `sha256=${sign(hookSecrets.github, 'other')}` },
    401,
  ],
  ['the old SHA-1 form', 'github', { 'X-Hub-Signature': 'sha1=00' }, 401],
  ["another provider's secret", 'gitlab', { 'X-Gitlab-Token': hookSecrets.github }, 401],
  ['a token where HMAC is asked', 'gitea', { 'X-Gitlab-Token': hookSecrets.gitea }, 401],
  ['a provider without a secret', 'bitbucket', { 'X-Hub-Signature': `sha256=${sign('')}` }, 404],
  ['a provider that nobody knows', 'svn', {}, 404],
  ['a key of every object', '__proto__', {}, 404],
  ['a method of every object', 'constructor', {}, 404],
];

for (const [what, provider, headers, status] of bad) {
  hooks(`${what} is refused with ${status} and nothing is polled`, async ({ running }) => {
    const answer = await send(running, provider, body, headers);
    assert.is(answer.status, status);
    assert.match(answer.body, '"error"');
    assert.is(running.polls.length, 0);
  });
}

hooks('the body may be nothing, no JSON, or binary: it is not read', async ({ running }) => {
  for (const odd of ['', 'not json', Buffer.from([0, 255, 10, 13])]) {
    const signature = `sha256=${sign(hookSecrets.github, odd)}`;
    const { status } = await send(running, 'github', odd, { 'X-Hub-Signature-256': signature });
    assert.is(status, 202);
  }
});

hooks('a replay does what the first did, and no more', async ({ running }) => {
  const headers = { 'X-Hub-Signature-256': `sha256=${sign(hookSecrets.github)}` };
  assert.is((await send(running, 'github', body, headers)).status, 202);
  assert.is((await send(running, 'github', body, headers)).status, 202);
  assert.equal(running.commands, []);
});

hooks('a body of 50 MB is refused before it is read', async ({ running }) => {
  const answer = await sendEndless(running, { 'content-length': String(50 * 1024 * 1024) });
  assert.is(answer, 413);
});

hooks(
  'a body that says no length is cut off at the limit, and none of it is kept',
  async ({ running }) => {
    const before = process.memoryUsage().rss;
    const answer = await sendEndless(running, {});
    assert.is(answer, 413);
    const grownMiB = (process.memoryUsage().rss - before) / 1024 / 1024;
    process.stdout.write(`  figures ${JSON.stringify({ grownMiB: Math.round(grownMiB) })}\n`);
    assert.ok(grownMiB < hookBytesMax / 1024 / 1024 / 2 + 64, `${grownMiB} MiB`);
  },
);

hooks('a server behind a proxy that keeps the outer name is let in', async ({ running }) => {
  const headers = { 'X-Gitlab-Token': hookSecrets.gitlab, Host: 'headgate.example.com' };
  assert.is((await send(running, 'gitlab', body, headers)).status, 202);
});

hooks(
  'of several repositories one is polled where its name is in the path',
  async ({ running }) => {
    const own = { 'X-Hub-Signature-256': `sha256=${sign('of payments alone')}` };
    const common = { 'X-Hub-Signature-256': `sha256=${sign(hookSecrets.github)}` };
    assert.is((await send(running, 'github/payments', body, own)).status, 202);
    assert.is((await send(running, 'github/base', body, common)).status, 202);
    assert.is((await send(running, 'github', body, common)).status, 202);
    assert.equal(running.polled, ['payments', 'base', undefined]);
    assert.is((await send(running, 'github/payments', body, common)).status, 401);
    assert.is((await send(running, 'github/base', body, own)).status, 401);
    assert.is((await send(running, 'github', body, own)).status, 401);
    assert.is((await send(running, 'github/nobody', body, common)).status, 404);
    assert.is(running.polled.length, 3);
  },
);

hooks('GET says what to use', async ({ running }) => {
  const response = await running.get('/api/v1/hooks/github');
  assert.is(response.status, 405);
  assert.is(response.headers.get('allow'), 'POST');
});

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** By `node:http`, since fetch sets the Host header itself. */
function send(
  running: RunningApi,
  provider: string,
  content: string | Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const url = `${running.url}/api/v1/hooks/${provider}`;
  return new Promise((resolve, reject) => {
    const call = httpRequest(url, { method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    call.on('error', reject).end(content);
  });
}

/** The status that ends a body which goes on until then. */
function sendEndless(
  running: RunningApi,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const url = `${running.url}/api/v1/hooks/github`;
  const chunk = Buffer.alloc(256 * 1024, 'x');
  return new Promise((resolve, reject) => {
    const call = httpRequest(url, { method: 'POST', headers }, (response) => {
      resolve(response.statusCode ?? 0);
      call.destroy();
    });
    const more = (): void => {
      while (!call.destroyed && call.write(chunk)) {}
    };
    call.on('drain', more);
    call.on('error', reject);
    more();
  });
}

hooks.run();
