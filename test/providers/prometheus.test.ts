/** Every answer of a Prometheus-compatible server, and every way of having none, told apart by its code. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Answer, type ChatServer, startChatServer, status } from '../notify/chat-server.js';
import { ask, measure, provider, secretText } from './asking.js';

const test = suite<{ server: ChatServer }>('Prometheus');

test.before.each(async (context) => {
  context.server = await startChatServer();
});
test.after.each(({ server }) => server.close());

const question = { kind: 'query', query: 'sum(rate(errors_total[1m]))' } as const;

const json = (value: unknown, code = 200): Answer =>
  status(code, { 'content-type': 'application/json' }, JSON.stringify(value));
const nowSeconds = () => Date.now() / 1000;
const vector = (...values: readonly string[]) => ({
  resultType: 'vector',
  result: values.map((value) => ({ metric: {}, value: [nowSeconds(), value] })),
});
const success = (data: unknown, more: object = {}): Answer =>
  json({ status: 'success', data, ...more });

const cases: readonly (readonly [string, () => Answer, string, RegExp])[] = [
  ['no series', () => success(vector()), 'noData query-no-series', /answered no series/],
  ['NaN', () => success(vector('NaN')), 'noData query-nan', /NaN/],
  ['infinity', () => success(vector('+Inf')), 'noData query-infinite', /\+Inf/],
  [
    'an old sample',
    () => success({ resultType: 'scalar', result: [nowSeconds() - 90, '1'] }),
    'noData query-stale',
    /90s old/,
  ],
  [
    'a sample of the future',
    () => success({ resultType: 'scalar', result: [nowSeconds() + 90, '1'] }),
    'noData query-stale',
    /90s ahead of time/,
  ],
  ['several series', () => success(vector('1', '2')), 'error query-many-series', /2 series/],
  [
    'a matrix',
    () => success({ resultType: 'matrix', result: [] }),
    'error query-result-type',
    /answered a matrix/,
  ],
  [
    'a histogram',
    () => success({ resultType: 'vector', result: [{ metric: {}, histogram: [1, {}] }] }),
    'error query-result-type',
    /histogram/,
  ],
  [
    'warnings',
    () => success(vector('1'), { warnings: ['store a is\nnot there'] }),
    'error query-warnings',
    /warnings: store a is not there$/,
  ],
  [
    'a query that is refused',
    () =>
      json({ status: 'error', errorType: 'bad_data', error: 'parse error: bad\u001b[31m' }, 400),
    'error query-refused',
    /refused the query: bad_data: parse error: bad.\[31m$/,
  ],
  ['HTTP 503', () => status(503, {}, 'upstream'), 'error query-http-status', /HTTP 503/],
  ['HTTP 401', () => status(401), 'error query-http-status', /look at its credentials/],
  ['a redirect', () => status(302, { location: '/' }), 'error query-http-status', /HTTP 302/],
  ['a page', () => status(200, {}, '<html>'), 'error query-bad-json', /no JSON/],
  ['other JSON', () => json(['a']), 'error query-bad-answer', /no result of a query/],
  ['success of nothing', () => json({ status: 'success' }), 'error query-bad-answer', /no result/],
  [
    'too much',
    () => status(200, {}, 'x'.repeat(65 * 1024)),
    'error provider-too-large',
    /more than 64 KiB/,
  ],
  [
    'a connection that is cut',
    () => (response) => void response.destroy(),
    'error provider-unreachable',
    /UND_ERR_SOCKET|ECONNRESET/,
  ],
];

for (const [what, answer, expected, message] of cases) {
  test(`${what} is ${expected}`, async ({ server }) => {
    server.answer(answer());
    const outcome = await ask(provider('prometheus', server.url), question);
    assert.ok(outcome.kind === 'noData' || outcome.kind === 'error');
    assert.is(`${outcome.kind} ${outcome.code}`, expected);
    assert.match(outcome.message, message);
    assert.match(outcome.message, /^somebody /);
  });
}

test('one series and a scalar are a number', async ({ server }) => {
  server.answer(success(vector('0.015')));
  const one = await ask(provider('prometheus', server.url), question);
  assert.is(one.kind === 'number' ? one.value : one.kind, 0.015);
  server.answer(success({ resultType: 'scalar', result: [nowSeconds(), '-1e-3'] }));
  const scalar = await ask(provider('prometheus', server.url), question);
  assert.is(scalar.kind === 'number' ? scalar.value : scalar.kind, -0.001);
});

test('a server that answers for a while ago has not seen what was since', async ({ server }) => {
  const ofMs = Date.now() - 30_000;
  server.answer(success({ resultType: 'scalar', result: [ofMs / 1000, '1'] }));
  const { askedAtMs, outcome } = await measure(provider('prometheus', server.url), question);
  assert.is(outcome.kind, 'number');
  assert.ok(Math.abs(askedAtMs - ofMs) < 5, `${askedAtMs - ofMs} ms apart`);
});

test('the query is posted below the URL, with the proof and the headers', async ({ server }) => {
  server.answer(success(vector('1')));
  const token = { kind: 'file', path: 'token' } as const;
  const asked = provider('prometheus', `${server.url}/`, {
    credentials: { kind: 'bearer', token },
    headers: { 'X-Scope-OrgID': 'team-a' },
  });
  await ask(asked, question);
  const [request] = server.requests;
  assert.is(request?.path, '/services/T0/B0/s3cret/api/v1/query');
  assert.is(request?.body, 'query=sum%28rate%28errors_total%5B1m%5D%29%29');
  assert.is(request?.headers.authorization, `Bearer ${secretText}`);
  assert.is(request?.headers['x-scope-orgid'], 'team-a');
});

test('a password is sent as basic credentials', async ({ server }) => {
  server.answer(success(vector('1')));
  const password = { kind: 'environment', variable: 'P' } as const;
  const credentials = { kind: 'basic', username: 'ann', password } as const;
  await ask(provider('prometheus', server.url, { credentials }), question);
  const pair = Buffer.from(`ann:${secretText}`).toString('base64');
  assert.is(server.requests[0]?.headers.authorization, `Basic ${pair}`);
});

test('a server that repeats what it was sent does not make us tell it', async ({ server }) => {
  server.answer((response, request) =>
    json({ status: 'error', errorType: 'x', error: `you said ${request.headers.authorization}` })(
      response,
      request,
    ),
  );
  const token = { kind: 'file', path: 'token' } as const;
  const credentials = { kind: 'bearer', token } as const;
  const outcome = await ask(provider('prometheus', server.url, { credentials }), question);
  assert.is(outcome.kind, 'error');
  assert.not.match(JSON.stringify(outcome), secretText);
  assert.match(JSON.stringify(outcome), 'redacted');
});

test('a dead port is unreachable, and its address is not told', async () => {
  const gone = await startChatServer();
  await gone.close();
  const outcome = await ask(provider('prometheus', gone.url), question);
  assert.equal(outcome, {
    kind: 'error',
    code: 'provider-unreachable',
    message: 'somebody cannot be reached: ECONNREFUSED',
  });
});

test('a host that is not known is unreachable', async () => {
  const outcome = await ask(provider('prometheus', 'http://nowhere.invalid'), question);
  assert.is(outcome.kind === 'error' ? outcome.code : '', 'provider-unreachable');
});

test('a server that says nothing, or never ends, is left at the deadline', async ({ server }) => {
  for (const answer of [() => {}, drip] satisfies readonly Answer[]) {
    server.answer(answer);
    const outcome = await ask(provider('prometheus', server.url, { timeoutMs: 150 }), question);
    assert.equal(outcome, {
      kind: 'error',
      code: 'provider-timeout',
      message: 'somebody did not answer within 150ms',
    });
  }
});

/** One byte now and then: every one of them comes in time. */
function drip(response: Parameters<Answer>[0]): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write('x'), 20);
  response.on('close', () => clearInterval(timer));
}

test.run();
