/** What the HTTP API must refuse, whoever asks: pages from elsewhere, bodies without end, odd paths. */
import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ErrorView } from '../../controller/api/view.js';
import { type RunningApi, runApi } from './running-api.js';

const abuse = suite<{ running: RunningApi }>('api abuse');

abuse.before.each(async (context) => {
  context.running = await runApi([
    'connect web1',
    'commit a1 checkout:v1=100,v2=0',
    'ack',
    'commit b2 checkout:v2=100,v1=0',
  ]);
});

abuse.after.each(({ running }) => running.stop());

const pause = '/api/v1/rollouts/checkout-1/pause';

/** The response is this refusal, as JSON, and the loop heard nothing of it. */
async function assertRefused(
  running: RunningApi,
  response: Response,
  status: number,
  code: string,
): Promise<void> {
  assert.is(response.status, status);
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  const { error, ...rest } = (await response.json()) as ErrorView;
  assert.is(error.code, code);
  assert.ok(error.message.length > 0);
  assert.equal(rest, {});
  assert.equal(running.commands, []);
}

abuse('a page from elsewhere can give no command', async ({ running }) => {
  const own = new URL(running.url).host;
  const foreign: readonly Readonly<Record<string, string>>[] = [
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
    { Origin: `http://${own}.evil.example` },
    { Origin: 'http://127.0.0.1:1' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
  ];
  for (const headers of foreign) {
    await assertRefused(running, await running.post(pause, {}, headers), 403, 'cross-origin');
  }
  const answer = await running.post(
    pause,
    {},
    { Origin: `http://${own}`, 'Sec-Fetch-Site': 'same-origin' },
  );
  assert.is(answer.status, 200);
});

abuse('an idle connection outlasts that of a load balancer', async ({ running }) => {
  const { headers } = await fetch(`${running.url}/livez`);
  assert.is(headers.get('keep-alive'), 'timeout=65');
});

abuse('a browser that asks first is given no leave', async ({ running }) => {
  const response = await fetch(`${running.url}${pause}`, {
    method: 'OPTIONS',
    headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' },
  });
  assert.is(response.headers.get('access-control-allow-origin'), null);
  await assertRefused(running, response, 405, 'method-not-allowed');
});

abuse('a name that was rebound to this machine is refused, reading too', async ({ running }) => {
  for (const host of ['evil.example', 'evil.example:8080', '127.0.0.1.nip.io', '10.0.0.1']) {
    const answer = await running.raw(
      `GET /api/v1/status HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 403 /, host);
    assert.match(answer, /"foreign-host"/);
  }
  for (const host of ['localhost', '[::1]:80', '127.0.0.1:1']) {
    const answer = await running.raw(
      `GET /livez HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 200 /, host);
  }
});

abuse('only JSON is read', async ({ running }) => {
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ];
  for (const type of [...types, 'application/jsonp', '']) {
    const response = await running.post(pause, '{"reason":"x"}', { 'Content-Type': type });
    await assertRefused(running, response, 415, 'unsupported-media-type');
  }
  const bare = await running.raw(
    `POST ${pause} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
  assert.match(bare, /^HTTP\/1\.1 415 /);
});

abuse('a compressed body is refused rather than unpacked', async ({ running }) => {
  const response = await running.post(pause, '{}', { 'Content-Encoding': 'gzip' });
  await assertRefused(running, response, 415, 'unsupported-encoding');
});

abuse('a body is at most 64 KiB, to the byte', async ({ running }) => {
  const pad = (bytes: number) => `{"reason":""}`.padEnd(bytes, ' ');
  await assertRefused(running, await running.post(pause, pad(65_537)), 413, 'too-large');
  assert.is((await running.post(pause, pad(65_536))).status, 200);
});

abuse('what is no object with known fields is refused', async ({ running }) => {
  const cases: readonly (readonly [string, string])[] = [
    ['{', 'bad-json'],
    ['[]', 'bad-json'],
    ['"x"', 'bad-json'],
    ['null', 'bad-json'],
    ['['.repeat(20_000), 'bad-json'],
    ['{"reasons":"x"}', 'unknown-field'],
    ['{"__proto__":{"reason":"x"}}', 'unknown-field'],
    ['{"constructor":1}', 'unknown-field'],
    ['{"reason":7}', 'bad-field'],
    ['{"by":["ann"]}', 'bad-field'],
    [JSON.stringify({ reason: 'x'.repeat(1001) }), 'bad-field'],
  ];
  for (const [body, code] of cases) {
    await assertRefused(running, await running.post(pause, body), 400, code);
  }
  assert.is(({} as Record<string, unknown>).reason, undefined, 'no prototype was touched');
});

abuse('ids are looked up and never followed', async ({ running }) => {
  const ids = [
    'nothing',
    '..%2f..%2fetc%2fpasswd',
    '%00',
    '..%5c..%5cx',
    '%252e%252e',
    '__proto__',
  ];
  for (const id of [...ids, 'constructor', 'x'.repeat(5000), '%0d%0aX-Injected:%201']) {
    const rollout = await running.get(`/api/v1/rollouts/${id}`);
    assert.is(rollout.headers.get('x-injected'), null);
    await assertRefused(running, rollout, 404, 'unknown-rollout');
    await assertRefused(running, await running.get(`/api/v1/proxies/${id}`), 404, 'unknown-proxy');
    const post = await running.post(`/api/v1/rollouts/${id}/abort`, {});
    await assertRefused(running, post, 404, 'unknown-rollout');
  }
  const broken = await running.raw(
    'GET /api/v1/rollouts/%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  );
  assert.match(broken, /^HTTP\/1\.1 400 .*"bad-path"/s);
});

abuse('paths that do not exist are a 404, in JSON', async ({ running }) => {
  for (const path of [
    '/nothing',
    '/api',
    '/api/v2/status',
    '/metrics/x',
    '/..%2f..%2fetc/passwd',
  ]) {
    await assertRefused(running, await running.get(path), 404, 'not-found');
  }
});

abuse('methods that a route has not are a 405 that names those it has', async ({ running }) => {
  for (const [path, method, allowed] of [
    ['/api/v1/status', 'POST', 'GET, HEAD'],
    ['/api/v1/rollouts/checkout-1', 'DELETE', 'GET, HEAD'],
    ['/livez', 'PUT', 'GET, HEAD'],
    [pause, 'GET', 'POST'],
    [pause, 'PUT', 'POST'],
  ] as const) {
    const response = await fetch(`${running.url}${path}`, { method });
    assert.is(response.headers.get('allow'), allowed, `${method} ${path}`);
    await assertRefused(running, response, 405, 'method-not-allowed');
  }
});

abuse('page numbers are checked', async ({ running }) => {
  for (const query of [
    'limit=0',
    'limit=501',
    'limit=x',
    'before=-1',
    'limit=1&limit=2',
    'before=1e3',
  ]) {
    await assertRefused(running, await running.get(`/api/v1/history?${query}`), 400, 'bad-query');
  }
});

abuse('an error of ours says nothing of what is inside, and is logged', async ({ running }) => {
  running.history.push({ atMs: 0, kind: 'broken', json: 'secret text that is no JSON' });
  const response = await running.get('/api/v1/history');
  const text = await response.clone().text();
  assert.not.match(text, /secret|at .*\.js|SyntaxError/);
  await assertRefused(running, response, 500, 'internal');
  const [line] = running.logger.lines;
  assert.is(line?.event, 'api.failed');
  assert.is(line?.fields.path, '/api/v1/history');
});

abuse('every answer forbids framing, guessing, storing and running', async ({ running }) => {
  for (const path of ['/api/v1/status', '/livez', '/nothing']) {
    const { headers } = await running.get(path);
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.is(headers.get('x-content-type-options'), 'nosniff');
    assert.is(headers.get('cache-control'), 'no-store');
    assert.is(headers.get('referrer-policy'), 'no-referrer');
    assert.is(headers.get('x-powered-by'), null);
  }
});

abuse('headers beyond 16 KiB are refused', async ({ running }) => {
  const answer = await running.raw(
    `GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`,
  );
  assert.match(answer, /^HTTP\/1\.1 431 /);
});

abuse('who sends too slowly or without end is cut off, and others are served', async () => {
  const timeouts = { headersMs: 200, requestMs: 400, checkMs: 50 };
  const running = await runApi([], { timeouts });
  const post = `POST ${pause} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
  const slowHeaders = running.raw('GET /livez HTTP/1.1\r\nHost: local');
  const slowBody = running.raw(`${post}Content-Length: 100\r\n\r\n{`);
  const endless = connect(running.address.port, running.address.address);
  let sentBytes = 0;
  const pour = () => {
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    sentBytes += chunk.length;
    if (!endless.destroyed) {
      endless.write(chunk, () => setImmediate(pour));
    }
  };
  endless.on('error', () => {});
  const cut = new Promise((resolve) => endless.on('close', resolve));
  endless.write(`${post}Transfer-Encoding: chunked\r\n\r\n`);
  pour();
  assert.is((await running.get('/livez')).status, 200);
  assert.match(await slowHeaders, /^HTTP\/1\.1 408 /);
  assert.match(await slowBody, /^HTTP\/1\.1 408 /);
  await cut;
  assert.ok(sentBytes > 65_536, `${sentBytes} bytes were sent before it was cut off`);
  assert.equal(running.commands, []);
  await running.stop();
});

abuse.run();
