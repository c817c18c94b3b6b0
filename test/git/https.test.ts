/** A Git server over https that asks for credentials, sends elsewhere, breaks or falls silent. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClock } from '../../controller/clock.js';
import { createGitSource, type GitSourceSettings } from '../../controller/git/git-source.js';
import type { Clock } from '../../controller/loop/ports.js';
import { manualClock } from '../support/clock.js';
import { startConnectProxy, withProxyVariables } from '../support/connect-proxy.js';
import { makeRepository, replaceProgram, runGit, type TestRepository } from '../support/git.js';
import { type GitServer, startGitServer } from '../support/git-server.js';
import {
  failureOf,
  filesOf,
  revisionOf,
  startSource,
  type TestSource,
  within,
} from '../support/source.js';

interface Context {
  folder: string;
  repository: TestRepository;
  server: GitServer;
  source: TestSource | undefined;
}

const test = suite<Context>('an https source');

test.before.each(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-https-'));
  context.repository = makeRepository(context.folder);
  context.repository.commit({ 'a.yaml': 'a: 1' });
  context.server = await startGitServer(context.folder);
});

test.after.each(async (context) => {
  await context.source?.stop();
  context.source = undefined;
  await context.server.close();
  rmSync(context.folder, { recursive: true, force: true });
});

function start(
  context: Context,
  settings: Partial<GitSourceSettings> = {},
  clock: Clock = createClock(),
): TestSource {
  const complete = {
    repo: `${context.server.url}/mesh.git`,
    branch: 'main',
    path: '.',
    pollMs: 3_600_000,
    cacheFolder: join(context.folder, 'cache'),
    credentials: { caFile: context.server.certificate.caFile },
    ...settings,
  };
  context.source = startSource((deps) => createGitSource(complete, deps), clock);
  return context.source;
}

test('reads a commit, and asks only for the head where nothing is new', async (context) => {
  const source = start(context);
  assert.is(filesOf(revisionOf(await source.next())), 'a.yaml: a: 1');
  const before = context.server.requests.length;
  assert.is((await source.poll()).kind, 'unchanged');
  const paths = context.server.requests.slice(before).map((line) => line.split(' ')[1]);
  assert.equal(paths, ['/mesh.git/info/refs?service=git-upload-pack', '/mesh.git/git-upload-pack']);
});

test('fetches the newest commit alone', async (context) => {
  const { repository } = context;
  for (let count = 0; count < 5; count += 1) {
    repository.commit({ 'a.yaml': `a: ${count}` });
  }
  await start(context).next();
  const cache = join(context.folder, 'cache');
  const objects = readdirSync(cache).filter((name) => name.endsWith('.git'));
  assert.is(objects.length, 1);
  assert.is(runGit(join(cache, objects[0] ?? ''), 'rev-list', '--count', '--all'), '1');
});

test('says that credentials are asked for and goes on once a token file has them', async (context) => {
  const { server } = context;
  server.credentials = 'git:first';
  const tokenFile = join(context.folder, 'token');
  const source = start(context, { credentials: { caFile: server.certificate.caFile, tokenFile } });
  const missing = failureOf(await source.next());
  assert.is(missing.code, 'git-auth');
  assert.match(missing.message, /token file cannot be read/);
  writeFileSync(tokenFile, 'wrong\n');
  const wrong = failureOf(await source.poll());
  assert.is(wrong.code, 'git-auth');
  assert.not.match(wrong.message, /wrong/);
  writeFileSync(tokenFile, ' first\n');
  assert.is((await source.poll()).kind, 'revision');
  server.credentials = 'git:second';
  assert.is(failureOf(await source.poll()).code, 'git-auth');
  writeFileSync(tokenFile, 'second');
  assert.is((await source.poll()).kind, 'unchanged');
});

test("goes through the environment's proxy, which sees no credentials", async (context) => {
  const { server, folder } = context;
  server.credentials = 'git:first';
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, 'first\n');
  const { host, port } = new URL(server.url);
  const proxy = await startConnectProxy(Number(port));
  await withProxyVariables({ HTTPS_PROXY: proxy.url }, async () => {
    const source = start(context, {
      credentials: { caFile: server.certificate.caFile, tokenFile },
    });
    assert.is((await source.next()).kind, 'revision');
  });
  proxy.stop();
  assert.ok(proxy.tunnels.length > 0);
  assert.equal([...new Set(proxy.tunnels)], [host]);
});

test('does not wait at a prompt where it has no credentials', async (context) => {
  context.server.credentials = 'ada:secret';
  assert.is(failureOf(await start(context).next()).code, 'git-auth');
});

test('shows the credentials of its URL to the server alone', async (context) => {
  const { server, folder } = context;
  const log = join(folder, 'arguments');
  const restore = replaceProgram(folder, 'git', `printf '%s\\n' "$@" >> ${log}; exec "$REAL" "$@"`);
  try {
    server.credentials = 'ada:p@ss/word';
    const repo = `${server.url.replace('://', '://ada:p%40ss%2Fword@')}/mesh.git`;
    const source = start(context, { repo });
    assert.is((await source.next()).kind, 'revision');
    assert.ok(server.requests.some((request) => request.endsWith(' ada:p@ss/word')));
    server.credentials = 'ada:another';
    const failure = failureOf(await source.poll());
    assert.is(failure.code, 'git-auth');
    const seen = [failure.message, JSON.stringify(source.logger.lines), readFileSync(log, 'utf8')];
    assert.not.match(seen.join('\n'), /p@ss|p%40ss/);
  } finally {
    restore();
  }
});

test('does not follow a redirection to another server', async (context) => {
  const elsewhere = await startGitServer(context.folder, context.server.certificate);
  try {
    context.server.intercept = ({ url }, response) => {
      response.writeHead(302, { location: `${elsewhere.url}${url}` }).end();
      return true;
    };
    assert.is(failureOf(await start(context).next()).code, 'git-unreachable');
    assert.is(context.server.requests.length, 1);
    assert.equal(elsewhere.requests, []);
  } finally {
    await elsewhere.close();
  }
});

test('trusts no certificate that its authorities do not vouch for', async (context) => {
  const failure = failureOf(await start(context, { credentials: {} }).next());
  assert.is(failure.code, 'git-unreachable');
  assert.match(failure.message, /certificate/);
  assert.equal(context.server.requests, []);
});

test('names each refusal of the server', async (context) => {
  let status = 404;
  context.server.intercept = (_request, response) => {
    response.writeHead(status).end('\u001b[2Jno');
    return true;
  };
  const source = start(context);
  const codes = [failureOf(await source.next()).code];
  for (status of [403, 500, 503]) {
    codes.push(failureOf(await source.poll()).code);
  }
  assert.equal(codes, ['repository-missing', 'git-auth', 'git-unreachable', 'git-unreachable']);
});

test('reads a server that only serves files', async (context) => {
  runGit(context.repository.bare, 'update-server-info');
  context.server.intercept = ({ url = '' }, response) => {
    const path = new URL(url, context.server.url).pathname;
    try {
      response.end(readFileSync(join(context.folder, path)));
    } catch {
      response.writeHead(404).end();
    }
    return true;
  };
  assert.is(filesOf(revisionOf(await start(context).next())), 'a.yaml: a: 1');
});

/** Resolves when `socket` is closed: by a reset, too, which `once` would take for a failure. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => {});
    socket.once('close', () => resolve());
  });
}

/** The server takes the request, begins to answer and falls silent; resolves with that request. */
function stall(server: GitServer): Promise<IncomingMessage> {
  return new Promise((resolve) => {
    server.intercept = (request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
      response.write('001e# service=git-upload-pack\n0000');
      resolve(request);
      return true;
    };
  });
}

test('gives a silent server a minute and then ends git and its helpers', async (context) => {
  const clock = manualClock();
  const stalled = stall(context.server);
  const source = start(context, {}, clock);
  const { socket } = await within(stalled, 'the server was not asked');
  const closed = closeOf(socket);
  clock.advance(59_999);
  assert.not.ok(socket.destroyed, 'git still waits');
  clock.advance(1);
  const failure = failureOf(await source.next());
  assert.is(failure.code, 'git-timeout');
  // The helper that holds the connection is a grandchild of the git that was asked to end.
  await within(closed, 'the connection of the helper did not end');
  context.server.intercept = () => false;
  assert.is((await source.poll()).kind, 'revision');
});

test('ends git and its helpers when it stops', async (context) => {
  const stalled = stall(context.server);
  const source = start(context);
  const { socket } = await within(stalled, 'the server was not asked');
  const closed = closeOf(socket);
  await source.stop();
  await within(closed, 'the connection of the helper did not end');
});

test.run();
