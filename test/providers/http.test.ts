/** What every answer of a smoke test or a judge means: a measurement, or an error of its own. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Question } from '../../controller/rollout/gates/measurement.js';
import { type Answer, type ChatServer, startChatServer, status } from '../notify/chat-server.js';
import { ask, provider, secretText } from './asking.js';

const test = suite<{ server: ChatServer }>('HTTP judges');

test.before.each(async (context) => {
  context.server = await startChatServer();
});
test.after.each(({ server }) => server.close());

type HttpQuestion = Extract<Question, { kind: 'http' }>;

const plain: HttpQuestion = { kind: 'http', method: 'GET', path: '/run', statuses: [] };
const at = (pointer: string, type: 'number' | 'scalar' = 'scalar'): HttpQuestion => ({
  ...plain,
  json: { pointer, type },
});
const body = (text: string, code = 200): Answer => status(code, {}, text);

const answers: readonly (readonly [string, HttpQuestion, Answer, object])[] = [
  ['200', plain, status(200), { kind: 'response', status: 200 }],
  ['204', plain, status(204), { kind: 'response', status: 204 }],
  ['500', plain, status(500), { kind: 'response', status: 500 }],
  ['404', plain, status(404), { kind: 'response', status: 404 }],
  [
    '503 where that is expected',
    { ...plain, statuses: [503] },
    status(503),
    { kind: 'response', status: 503 },
  ],
  [
    'a value deep inside',
    at('/checks/1/a~1b'),
    body('{"checks":[{},{"a/b":true}]}'),
    { kind: 'response', status: 200, value: true },
  ],
  ['null', at('/x'), body('{"x":null}'), { kind: 'response', status: 200, value: null }],
  [
    'the whole answer',
    at('', 'number'),
    body('0.93'),
    { kind: 'response', status: 200, value: 0.93 },
  ],
];

for (const [what, question, answer, expected] of answers) {
  test(`${what} is a measurement`, async ({ server }) => {
    server.answer(answer);
    assert.equal(await ask(provider('http', server.url), question), expected);
  });
}

const errors: readonly (readonly [string, HttpQuestion, Answer, string, RegExp])[] = [
  ['429', plain, status(429), 'http-status', /HTTP 429, expected 2xx/],
  ['502 of a gateway', plain, status(502), 'http-status', /HTTP 502/],
  ['500 where a value is wanted', at('/x'), status(500), 'http-status', /HTTP 500/],
  [
    'a redirect',
    plain,
    status(302, { location: 'http://169.254.169.254/latest' }),
    'http-redirected',
    /redirect \(302\), which is not followed$/,
  ],
  ['no JSON', at('/x'), body('ok'), 'http-bad-json', /no JSON/],
  ['JSON without it', at('/x/y'), body('{"x":{}}'), 'http-no-value', /no \/x\/y/],
  ['what objects inherit', at('/constructor'), body('{}'), 'http-no-value', /no \/constructor/],
  ['the length of a list', at('/length'), body('[1]'), 'http-no-value', /no \/length/],
  ['a list', at('/x'), body('{"x":[1]}'), 'http-no-value', /a list or an object/],
  ['a text for a number', at('/x', 'number'), body('{"x":"1"}'), 'http-not-a-number', /no number/],
  ['a long text', at(''), body(`"${'x'.repeat(1001)}"`), 'http-no-value', /1001 characters/],
  ['too much', plain, body('x'.repeat(65 * 1024)), 'provider-too-large', /64 KiB/],
];

for (const [what, question, answer, code, message] of errors) {
  test(`${what} is ${code}`, async ({ server }) => {
    server.answer(answer);
    const outcome = await ask(provider('http', server.url), question);
    assert.is(outcome.kind === 'error' ? outcome.code : outcome.kind, code);
    assert.match(outcome.kind === 'error' ? outcome.message : '', message);
    assert.is(server.requests.length, 1, 'nothing is followed and nothing asked twice');
  });
}

test('a path stays below the URL, and what leads out is not asked', async ({ server }) => {
  const asked = provider('http', `${server.url}/`);
  await ask(asked, { ...plain, path: '/run?service=a%2Fb&x=1' });
  assert.is(server.requests[0]?.path, '/services/T0/B0/s3cret/run?service=a%2Fb&x=1');
  for (const path of ['/../x', '/a/%2e%2E/%2e./x', '/./..', '/..']) {
    const outcome = await ask(asked, { ...plain, path });
    assert.is(outcome.kind === 'error' ? outcome.code : '', 'http-path', path);
  }
  assert.is(server.requests.length, 1);
  await ask(asked, { ...plain, path: '//169.254.169.254/x' });
  await ask(asked, { ...plain, path: '/@other.example/x' });
  const paths = server.requests.slice(1).map(({ path }) => path);
  const base = '/services/T0/B0/s3cret';
  assert.equal(paths, [`${base}//169.254.169.254/x`, `${base}/@other.example/x`]);
});

test('a POST says what is judged, and both say for whom', async ({ server }) => {
  const question = { ...plain, method: 'POST', body: '{"mesh":"demo"}' } as const;
  await ask(provider('http', server.url), question);
  const [request] = server.requests;
  assert.is(request?.body, '{"mesh":"demo"}');
  assert.is(request?.headers['content-type'], 'application/json');
  assert.is(request?.headers['headgate-rollout'], 'reviews-1');
  assert.is(request?.headers['headgate-gate'], 'gate');
});

test('a value that repeats the token does not make us show it', async ({ server }) => {
  server.answer((response, { headers }) => response.end(JSON.stringify(headers.authorization)));
  const token = { kind: 'file', path: 'token' } as const;
  const asked = provider('http', server.url, { credentials: { kind: 'bearer', token } });
  const outcome = await ask(asked, at(''));
  assert.equal(outcome, { kind: 'response', status: 200, value: '[redacted]' });
  const password = { kind: 'environment', variable: 'P' } as const;
  const credentials = { kind: 'basic', username: 'ann', password } as const;
  server.answer((response) => response.end(JSON.stringify(`it is ${secretText}`)));
  const other = await ask(provider('http', server.url, { credentials }), at(''));
  assert.equal(other, { kind: 'response', status: 200, value: 'it is [redacted]' });
});

test("a gate's own timeout goes before the provider's", async ({ server }) => {
  server.answer(() => {});
  const asked = provider('http', server.url, { timeoutMs: 60_000 });
  const outcome = await ask(asked, { ...plain, timeoutMs: 120 });
  assert.is(
    outcome.kind === 'error' ? outcome.message : '',
    'somebody did not answer within 120ms',
  );
});

test.run();
