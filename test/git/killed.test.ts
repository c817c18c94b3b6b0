/** A controller that is killed with -9 while git works, what it leaves behind, and who may follow it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createGitSource, type GitSourceSettings } from '../../controller/git/git-source.js';
import { makeRepository, type TestRepository } from '../support/git.js';
import { startGitServer } from '../support/git-server.js';
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
  settings: GitSourceSettings;
  source: TestSource | undefined;
  other: ChildProcess | undefined;
}

const test = suite<Context>('a killed controller');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-killed-'));
  context.repository = makeRepository(context.folder);
  context.repository.commit({ 'a.yaml': 'a: 1' });
  context.settings = {
    repo: context.repository.bare,
    branch: 'main',
    path: '.',
    pollMs: 3_600_000,
    cacheFolder: join(context.folder, 'cache'),
  };
});

test.after.each(async (context) => {
  await context.source?.stop();
  context.source = undefined;
  if (context.other !== undefined) {
    await kill(context.other);
    context.other = undefined;
  }
  rmSync(context.folder, { recursive: true, force: true });
});

function start(context: Context): TestSource {
  context.source = startSource((deps) => createGitSource(context.settings, deps));
  return context.source;
}

/** Starts a source in a process of its own. */
function startOther(context: Context, settings: GitSourceSettings): ChildProcess {
  const script = fileURLToPath(new URL('./source-process.js', import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.other = child;
  return child;
}

/** The first line that `child` prints. */
async function firstEvent(child: ChildProcess): Promise<{ readonly kind: string }> {
  assert.ok(child.stdout, 'its output is a pipe');
  const [line] = await once(
    createInterface({ input: child.stdout as NodeJS.ReadableStream }),
    'line',
  );
  return JSON.parse(line);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}

test('takes its git and its helpers with it', async (context) => {
  const server = await startGitServer(context.folder);
  try {
    const stalled = new Promise<IncomingMessage>((resolve) => {
      server.intercept = (request, response) => {
        response.writeHead(200);
        response.write('001e# service=git-upload-pack\n0000');
        resolve(request);
        return true;
      };
    });
    const child = startOther(context, {
      ...context.settings,
      repo: `${server.url}/mesh.git`,
      credentials: { caFile: server.certificate.caFile },
    });
    const { socket } = await within(stalled, 'the server was not asked');
    // Who is killed with something unread resets the connection, which is an end as well.
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await kill(child);
    await within(closed, 'the connection of the helper did not end');
  } finally {
    await server.close();
  }
});

test('gives its folder to the next one at once, and to nobody while it lives', async (context) => {
  const child = startOther(context, context.settings);
  assert.is((await firstEvent(child)).kind, 'revision');
  const source = start(context);
  const refused = failureOf(await source.next());
  assert.is(refused.code, 'cache-locked');
  assert.match(refused.message, new RegExp(`belongs to process ${child.pid} on `));
  await kill(child);
  assert.is(filesOf(revisionOf(await source.poll())), 'a.yaml: a: 1');
});

test('keeps a second source of its own process out too', async (context) => {
  await start(context).next();
  const second = startSource((deps) => createGitSource(context.settings, deps));
  assert.is(failureOf(await second.next()).code, 'cache-locked');
  await second.stop();
  assert.is((await context.source?.poll())?.kind, 'unchanged', 'the first one still has it');
});

test('on another machine is waited for while its lock is fresh', async (context) => {
  mkdirSync(context.settings.cacheFolder);
  const lock = join(context.settings.cacheFolder, 'lock');
  writeFileSync(lock, JSON.stringify({ pid: 1, host: 'another.example' }));
  const source = start(context);
  assert.is(failureOf(await source.next()).code, 'cache-locked');
  const silentSince = Date.now() / 1000 - 31;
  utimesSync(lock, silentSince, silentSince);
  assert.is((await source.poll()).kind, 'revision');
});

test('that lost its folder to another one stops using it', async (context) => {
  const source = start(context);
  await source.next();
  const lock = join(context.settings.cacheFolder, 'lock');
  writeFileSync(lock, JSON.stringify({ pid: 1, host: 'another.example' }));
  assert.is(failureOf(await source.poll()).code, 'cache-locked');
  rmSync(lock);
  assert.is((await source.poll()).kind, 'unchanged');
});

test("leaves locks, half packs and half a lock behind that are in nobody's way", async (context) => {
  const { cacheFolder } = context.settings;
  const repository = join(cacheFolder, 'objects-1-1.git');
  mkdirSync(join(repository, 'refs/heads'), { recursive: true });
  mkdirSync(join(repository, 'objects/pack'), { recursive: true });
  for (const name of ['HEAD.lock', 'refs/heads/main.lock', 'shallow.lock', 'config.lock']) {
    writeFileSync(join(repository, name), '');
  }
  writeFileSync(join(repository, 'objects/pack/tmp_pack_x'), Buffer.alloc(1_000_000));
  writeFileSync(join(cacheFolder, 'lock'), '{"pid": 1');
  const source = start(context);
  assert.is((await source.next()).kind, 'revision');
  assert.is(readdirSync(cacheFolder).filter((name) => name.endsWith('.git')).length, 1);
});

test('at any moment of a fetch leaves a folder that the next one works in', async (context) => {
  const big = Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [`n${index}.yaml`, `name: ${index}\n`.repeat(500)]),
  );
  const id = context.repository.commit(big);
  const killsMax = 12;
  for (let round = 0; round < killsMax; round += 1) {
    const child = startOther(context, context.settings);
    const ended = firstEvent(child).catch(() => undefined);
    // Spread over start, ls-remote, fetch and reading, however fast this machine is.
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 60 + round * 40))]);
    await kill(child);
  }
  const source = start(context);
  assert.is(revisionOf(await source.next()).id, id);
  assert.is(readdirSync(context.settings.cacheFolder).filter((n) => n.endsWith('.git')).length, 1);
});

test.run();
