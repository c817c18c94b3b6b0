/** Who may do what over HTTP: tokens, sessions, CSRF tokens, rates, and what is written down of it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Access } from '../../controller/access/access.js';
import { sessionMs } from '../../controller/access/sessions.js';
import { hashOf, makeSecret, parseTokens } from '../../controller/access/tokens.js';
import type { SessionView } from '../../controller/api/session-view.js';
import type { ErrorView } from '../../controller/api/view.js';
import { type RunningApi, runApi } from './running-api.js';

const viewerToken = 'token-of-a-viewer';
const operatorToken = 'token-of-an-operator';

const script = [
  'connect web1',
  'commit a1 checkout:v1=100,v2=0',
  'ack',
  'commit b2 checkout:v2=100,v1=0',
];

const tokens = parseTokens(
  'tokens',
  `# who may do what\nviewer wall ${viewerToken}\n\noperator ann sha256:${hashOf(operatorToken)}\n`,
);

const access = suite<{ running: RunningApi }>('api access');

access.before.each(async (context) => {
  context.running = await runApi(script, { access: new Access({ tokens, secret: 'secret' }) });
});

access.after.each(({ running }) => running.stop());

const pause = '/api/v1/rollouts/checkout-1/pause';
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

async function codeOf(response: Response): Promise<string> {
  const { error } = (await response.json()) as ErrorView;
  return `${response.status} ${error.code}`;
}

/** Signs in as `token`'s owner: the cookie's text and the session's CSRF token. */
async function signIn(running: RunningApi, token: string) {
  const response = await running.post('/api/v1/session/token', { token });
  assert.is(response.status, 200);
  const cookie = response.headers.get('set-cookie') ?? '';
  const [pair = ''] = cookie.split(';');
  const session = await running.get('/api/v1/session', { Cookie: pair });
  const { csrf = '', name, role } = (await session.json()) as SessionView;
  return { cookie, pair, csrf, name, role };
}

access('nothing of the API is told to nobody, and health and metrics are', async ({ running }) => {
  const paths = ['status', 'rollouts', 'rollouts/checkout-1', 'proxies', 'problems', 'revisions'];
  const others = ['history', 'events', 'meshes/demo', 'revisions/b2/diff', 'nothing'];
  for (const path of [...paths, ...others]) {
    const response = await running.get(`/api/v1/${path}`);
    assert.is(response.headers.get('www-authenticate'), 'Bearer realm="headgate"');
    assert.is(await codeOf(response), '401 sign-in', path);
  }
  assert.is(await codeOf(await running.post(pause, {})), '401 sign-in');
  for (const path of ['/livez', '/readyz', '/metrics', '/', '/api/v1/session']) {
    assert.is((await running.get(path)).status, 200, path);
  }
});

access('a viewer reads, an operator also commands, by name', async ({ running }) => {
  for (const token of [viewerToken, operatorToken]) {
    assert.is((await running.get('/api/v1/status', bearer(token))).status, 200);
  }
  const refused = await running.post(pause, {}, bearer(viewerToken));
  assert.is(await codeOf(refused), '403 forbidden');
  assert.equal(running.commands, []);
  const body = { reason: 'why', by: 'somebody else' };
  assert.is((await running.post(pause, body, bearer(operatorToken))).status, 200);
  assert.equal(
    running.commands.map(({ by, reason }) => [by, reason]),
    [['ann', 'why']],
  );
  const lines = running.logger.lines.map(({ event, fields }) => [event, fields.by]);
  assert.equal(lines, [
    ['api.refused', 'wall'],
    ['rollout.command', 'ann'],
  ]);
});

access('a session commands only with its own CSRF token', async ({ running }) => {
  const ann = await signIn(running, operatorToken);
  assert.equal([ann.name, ann.role], ['ann', 'operator']);
  assert.match(ann.cookie, /; Path=\/; .*HttpOnly; SameSite=Strict$/);
  assert.not.match(ann.cookie, /Secure/);
  const other = await signIn(running, operatorToken);
  assert.is.not(ann.csrf, other.csrf);
  for (const csrf of [undefined, '', 'x', other.csrf]) {
    const headers = { Cookie: ann.pair, ...(csrf === undefined ? {} : { 'X-CSRF-Token': csrf }) };
    assert.is(await codeOf(await running.post(pause, {}, headers)), '403 csrf');
  }
  const headers = { Cookie: ann.pair, 'X-CSRF-Token': ann.csrf };
  assert.is((await running.post(pause, {}, headers)).status, 200);
});

access('a session that was changed, made elsewhere or has ended is none', async ({ running }) => {
  const { pair } = await signIn(running, operatorToken);
  const [name = '', text = ''] = pair.split('=');
  const [value = '', signature = ''] = text.split('.');
  const forged = Buffer.from(JSON.stringify({ name: 'eve', role: 'operator', id: 'x' }));
  const elsewhere = new Access({ tokens, secret: 'another secret' });
  const texts = [
    '',
    'x',
    `${value}.`,
    `${value}x.${signature}`,
    `${forged.toString('base64url')}.${signature}`,
    elsewhere.signInWithToken(operatorToken, running.loop.nowMs)?.text ?? '',
  ];
  for (const one of texts) {
    const response = await running.get('/api/v1/status', { Cookie: `${name}=${one}` });
    assert.is(await codeOf(response), '401 sign-in', one);
  }
  assert.is((await running.get('/api/v1/status', { Cookie: pair })).status, 200);
  running.loop.nowMs += sessionMs;
  assert.is(await codeOf(await running.get('/api/v1/status', { Cookie: pair })), '401 sign-in');
});

access('a session has the role that its token has now', () => {
  const before = new Access({ tokens, secret: 'same' });
  const text = before.signInWithToken(operatorToken, 0)?.text;
  const demoted = tokens.map((token) => ({ ...token, role: 'viewer' as const }));
  const after = new Access({ tokens: demoted, secret: 'same' });
  assert.is(before.identify({ session: text, peer: '' }, 1)?.role, 'operator');
  assert.is(after.identify({ session: text, peer: '' }, 1)?.role, 'viewer');
});

access('what is sealed for one purpose is nothing for another', () => {
  const { sessions } = new Access({ tokens, secret: 'same' });
  const text = sessions.begin({ name: 'ann', role: 'operator' }, 0);
  assert.is(sessions.find(text, 1)?.name, 'ann');
  assert.is(sessions.open('attempt', text), undefined);
  assert.is(
    sessions.find(sessions.seal('attempt', { name: 'ann', role: 'operator' }), 1),
    undefined,
  );
});

access('no token can be tried where none is asked for', async ({ running }) => {
  const response = await running.get('/api/v1/session', bearer(operatorToken));
  assert.equal(await response.json(), { methods: ['token'] });
});

access('a name from outside is answered only where sign-in is set up', async ({ running }) => {
  const ask = (one: RunningApi) =>
    one.raw('GET /livez HTTP/1.1\r\nHost: headgate.example\r\nConnection: close\r\n\r\n');
  assert.match(await ask(running), /^HTTP\/1\.1 403 /, 'no public URL');
  const publicUrl = 'https://headgate.example';
  for (const [known, status] of [
    [tokens, 200],
    [[], 403],
  ] as const) {
    const other = await runApi([], {
      access: new Access({ tokens: known, secret: 's', publicUrl }),
    });
    assert.match(await ask(other), new RegExp(`^HTTP/1\\.1 ${status} `));
    await other.stop();
  }
});

access('a session ends with the token that it was begun with', () => {
  const before = new Access({ tokens, secret: 'same' });
  const text = before.signInWithToken(operatorToken, 0)?.text;
  const after = new Access({ tokens: tokens.slice(0, 1), secret: 'same' });
  assert.is(before.identify({ session: text, peer: '' }, 1)?.name, 'ann');
  assert.is(after.identify({ session: text, peer: '' }, 1), undefined);
});

access('who guesses is stopped, and others are not', async ({ running }) => {
  for (let guess = 0; guess < 10; guess += 1) {
    const response = await running.get('/api/v1/status', bearer(`guess-${guess}`));
    assert.is(await codeOf(response), '401 unknown-token');
  }
  const late = await running.get('/api/v1/status', bearer(operatorToken));
  assert.is(late.headers.get('retry-after'), '60');
  assert.is(await codeOf(late), '429 too-many');
  for (let guess = 0; guess < 10; guess += 1) {
    const response = await running.post('/api/v1/session/token', { token: `guess-${guess}` });
    assert.is(await codeOf(response), '401 unknown-token');
  }
  const again = await running.post('/api/v1/session/token', { token: operatorToken });
  assert.is(await codeOf(again), '429 too-many');
  running.loop.nowMs += 60_000;
  assert.is((await running.get('/api/v1/status', bearer(operatorToken))).status, 200);
  const text = JSON.stringify(running.logger.lines);
  assert.match(text, /api\.signInRefused/);
  assert.not.match(text, /guess-/, 'what was guessed is in no log');
});

access('a person commands sixty times a minute', async ({ running }) => {
  for (let count = 0; count < 60; count += 1) {
    assert.is((await running.post(pause, {}, bearer(operatorToken))).status, 200);
  }
  assert.is(await codeOf(await running.post(pause, {}, bearer(operatorToken))), '429 too-many');
});

access('pages from elsewhere sign nobody in or out', async ({ running }) => {
  for (const path of ['/api/v1/session/token', '/api/v1/session/end']) {
    const response = await running.post(
      path,
      { token: operatorToken },
      { Origin: 'https://evil.example' },
    );
    assert.is(await codeOf(response), '403 cross-origin');
    assert.is(response.headers.get('set-cookie'), null);
  }
});

access('behind TLS the cookie says so', async () => {
  const publicUrl = 'https://headgate.example';
  const behind = await runApi([], { access: new Access({ tokens, secret: 's', publicUrl }) });
  const response = await behind.post('/api/v1/session/token', { token: viewerToken });
  assert.match(response.headers.get('set-cookie') ?? '', /^__Host-headgate=.*; Path=\/;.* Secure/);
  await behind.stop();
});

access.run();

const nobody = suite('api access without sign-in');

nobody('on this machine everybody is an operator; over the network they read', () => {
  const open = new Access({ tokens: [], secret: '' });
  for (const peer of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
    assert.is(open.identify({ peer }, 0)?.role, 'operator', peer);
  }
  for (const peer of ['10.0.0.1', '::ffff:10.0.0.1', 'fe80::1', '']) {
    assert.is(open.identify({ peer }, 0)?.role, 'viewer', peer);
  }
});

nobody.run();

const files = suite('tokens');

files('a file with a mistake is refused by its line, without the token in the words', () => {
  const secret = 'a-secret-of-somebody';
  const cases = [
    ['', 'it has no token'],
    [`admin ann ${secret}`, 'line 1 is not ROLE NAME TOKEN'],
    [`viewer ann ${secret}\noperator`, 'line 2 is not'],
    ['viewer ann short', 'at least 16 characters'],
    [`viewer ann sha256:${secret}`, 'sha256: and 64 hex digits'],
  ] as const;
  for (const [text, words] of cases) {
    try {
      parseTokens('tokens', text);
      assert.unreachable(text);
    } catch (error) {
      assert.match(String(error), words);
      assert.not.match(String(error), secret);
    }
  }
});

files('a new token is long, and no two are the same', () => {
  assert.match(makeSecret(), /^hg_[\w-]{43}$/);
  assert.is.not(makeSecret(), makeSecret());
});

files.run();
