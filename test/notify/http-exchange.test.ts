/** What every way of answering, or not answering, means for a notification. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OpError, type Retry } from '../../controller/base/op-error.js';
import { exchangeTimeoutMs, post, sinkUrl } from '../../controller/notify/http-exchange.js';
import { createWebhookSink, signature } from '../../controller/notify/webhook.js';
import { type ManualClock, manualClock } from '../support/clock.js';
import { startConnectProxy, withProxyVariables } from '../support/connect-proxy.js';
import { announcement } from './announcements.js';
import { type Answer, type ChatServer, startChatServer, status } from './chat-server.js';

interface Context {
  server: ChatServer;
  clock: ManualClock;
}

const test = suite<Context>('HTTP to a sink');

test.before.each(async (context) => {
  context.server = await startChatServer();
  context.clock = manualClock();
});

test.after.each(({ server }) => server.close());

test('any 2xx answer is a success', async ({ server, clock }) => {
  for (const code of [200, 202, 204]) {
    server.answer(status(code));
    await send(server, clock);
  }
  assert.is(server.requests.length, 3);
});

const backoff: Retry = { kind: 'backoff' };
const stalled: Retry = { kind: 'stalled' };
const refusals: readonly (readonly [string, Answer, string, Retry, string])[] = [
  [
    '400',
    status(400, {}, 'invalid_payload'),
    'notify-refused',
    stalled,
    'HTTP 400: invalid_payload',
  ],
  ['404', status(404, {}, 'no_service'), 'notify-refused', stalled, 'HTTP 404: no_service'],
  ['408', status(408), 'notify-busy', backoff, 'HTTP 408'],
  ['410', status(410), 'notify-refused', stalled, 'HTTP 410'],
  ['429', status(429), 'notify-busy', backoff, 'HTTP 429'],
  ['500', status(500), 'notify-busy', backoff, 'HTTP 500'],
  ['503', status(503, {}, 'a\n\u001b[31mb'), 'notify-busy', backoff, 'HTTP 503: a \ufffd[31mb'],
];

for (const [name, answer, code, retry, message] of refusals) {
  test(`an answer ${name} is ${code}, to be tried again: ${retry.kind}`, async (context) => {
    context.server.answer(answer);
    const error = await failure(context);
    assert.is(error.code, code);
    assert.equal(error.retry, retry);
    assert.is(error.message, message);
  });
}

const waits: readonly (readonly [string, Retry])[] = [
  ['7', { kind: 'after', ms: 7000 }],
  ['0', { kind: 'after', ms: 0 }],
  ['Tue, 14 Nov 2023 22:13:50 GMT', { kind: 'after', ms: 30_000 }],
  ['Tue, 14 Nov 2023 22:00:00 GMT', { kind: 'after', ms: 0 }],
  ['99999999', { kind: 'after', ms: 3_600_000 }],
  ['soon', backoff],
];

for (const [header, retry] of waits) {
  test(`Retry-After: ${header} is understood`, async (context) => {
    context.server.answer(status(429, { 'retry-after': header }));
    assert.equal((await failure(context)).retry, retry);
  });
}

const limited: readonly (readonly [string, Answer, Retry])[] = [
  ['with Retry-After', status(403, { 'retry-after': '9' }), { kind: 'after', ms: 9000 }],
  [
    'that is filled again at a second',
    status(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1700000042' }),
    { kind: 'after', ms: 42_000 },
  ],
  [
    'that says no time',
    status(403, {}, 'You have exceeded a secondary rate limit.'),
    { kind: 'after', ms: 60_000 },
  ],
];

for (const [name, answer, retry] of limited) {
  test(`GitHub's 403 of a rate limit ${name} is waited for`, async (context) => {
    context.server.answer(answer);
    const error = await failure(context);
    assert.is(error.code, 'notify-busy');
    assert.equal(error.retry, retry);
  });
}

test('a 403 that has nothing to do with rates needs a person', async (context) => {
  context.server.answer(
    status(403, { 'x-ratelimit-remaining': '4999' }, 'Resource not accessible'),
  );
  const error = await failure(context);
  assert.is(error.code, 'notify-refused');
  assert.equal(error.retry, { kind: 'stalled' });
});

test('a redirect is not followed', async ({ server, clock }) => {
  server.answer(status(307, { location: `${server.url}/elsewhere` }));
  const error = await failure({ server, clock });
  assert.is(error.code, 'notify-redirected');
  assert.is(server.requests.length, 1);
});

test('a server that takes the request and says nothing is left at the deadline', async (context) => {
  context.server.answer(() => {});
  const failed = failure(context);
  await context.server.until(1);
  context.clock.advance(exchangeTimeoutMs);
  const error = await failed;
  assert.is(error.code, 'notify-unreachable');
  assert.is(error.message, 'no answer within 5s');
  assert.equal(context.clock.waitingMs(), []);
});

test('an answer that drips is left at the deadline too', async ({ server, clock }) => {
  const isClosed = new Promise<void>((resolve) => {
    server.answer((response) => {
      response.on('close', resolve);
      response.writeHead(500).write('x');
    });
  });
  const failed = failure({ server, clock });
  await server.until(1);
  clock.advance(exchangeTimeoutMs);
  assert.is((await failed).code, 'notify-unreachable');
  await isClosed;
});

test('of an endless answer only the beginning is read', async (context) => {
  context.server.answer((response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536))) {}
    };
    response.writeHead(400).on('drain', more);
    more();
  });
  assert.is((await failure(context)).message, `HTTP 400: ${'x'.repeat(200)}`);
});

test('a dead port and a cut connection are unreachable, told by their code', async (context) => {
  context.server.answer((response) => response.destroy());
  assert.is((await failure(context)).message, 'no connection: UND_ERR_SOCKET');
  await context.server.close();
  assert.is((await failure(context)).message, 'no connection: ECONNREFUSED');
  context.server = await startChatServer();
});

test('a server that repeats the secret of the URL does not make us tell it', async (context) => {
  const { server } = context;
  server.answer((response, request) => {
    response.writeHead(404).end(`no ${request.path}, ${server.url}, https://a:pw@b/ here`);
  });
  const error = await failure(context);
  assert.is(error.message, 'HTTP 404: no [redacted], [redacted], https://[redacted]@b/ here');
});

test("the environment's proxy is used, but for hosts that it excepts", async ({
  server,
  clock,
}) => {
  const url = new URL(server.url);
  const proxy = await startConnectProxy(Number(url.port));
  url.hostname = 'chat.invalid';
  const message = { url, headers: {}, body: '{}' };
  await withProxyVariables({ HTTP_PROXY: proxy.url }, () => post(message, clock));
  assert.equal(proxy.tunnels, [`chat.invalid:${url.port}`]);
  assert.is(server.requests.length, 1);
  const excepted = { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' };
  await withProxyVariables(excepted, () => send(server, clock));
  assert.is(proxy.tunnels.length, 1);
  assert.is(server.requests.length, 2);
  proxy.stop();
});

test('a URL that is none is refused without repeating it', () => {
  for (const text of ['s3cret', 'ftp://s3cret.example/', '']) {
    try {
      sinkUrl(text, 'ops');
      assert.unreachable(text);
    } catch (error) {
      assert.instance(error, OpError);
      assert.match((error as OpError).message, 'target ops');
      assert.not.match((error as OpError).message, 's3cret');
    }
  }
});

test('a webhook is JSON, signed over the bytes sent, with its id as idempotency key', async ({
  server,
  clock,
}) => {
  const sink = createWebhookSink({ name: 'hook', url: server.url, secret: 'key' }, clock);
  await sink.send(announcement({ id: 'a b/ü', text: `x${'\u{1f6a6}'.repeat(5000)}` }));
  const [request] = server.requests;
  assert.is(request?.headers['content-type'], 'application/json');
  assert.is(request?.headers['idempotency-key'], 'a%20b/%C3%BC');
  assert.is(request?.headers['x-signature'], signature(request?.body ?? '', 'key'));
  const body = JSON.parse(request?.body ?? '');
  assert.is(body.event, 'rollout.rolledBack');
  assert.is(body.at, '2023-11-14T22:13:20.000Z');
  assert.is(body.text.length, 3999);
});

test('the signature is the one that others compute', () => {
  // RFC 4231, test case 2.
  assert.is(
    signature('what do ya want for nothing?', 'Jefe'),
    'sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});

test('a webhook without a secret is not signed', async ({ server, clock }) => {
  await createWebhookSink({ name: 'hook', url: server.url }, clock).send(announcement());
  assert.is(server.requests[0]?.headers['x-signature'], undefined);
});

test.run();

function send(server: ChatServer, clock: ManualClock): Promise<void> {
  return post({ url: new URL(server.url), headers: {}, body: '{}' }, clock);
}

async function failure({ server, clock }: Context): Promise<OpError> {
  const error = await send(server, clock).then(
    () => new Error('the send succeeded'),
    (reason: unknown) => reason,
  );
  assert.instance(error, OpError);
  return error as OpError;
}
