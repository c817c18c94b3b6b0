/** `headgate serve` as a process: where its settings come from, how it ends, and with which code. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { meshFiles } from '../../controller/demo/mesh-files.js';
import { openSqliteDriver } from '../../controller/store/sqlite-driver.js';
import { writeFiles } from '../support/git.js';
import { runMain, startMain } from './run-main.js';

const serve = suite<{ folder: string; children: ChildProcess[] }>('headgate serve');

serve.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-serve-'));
  context.children = [];
  const ports = { checkout: { v1: 9001 }, app: { v1: 8001 } };
  writeFiles(join(context.folder, 'mesh'), meshFiles(ports));
});

serve.after.each(async ({ folder, children }) => {
  for (const child of children) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  rmSync(folder, { recursive: true, force: true });
});

type Line = Readonly<Record<string, unknown>>;

/** The log line of `event`, once it is there. */
function waitForEvent(child: ChildProcess, event: string): Promise<Line> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      const lines = text.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
      const found = lines
        .map((line) => JSON.parse(line) as Line)
        .find((line) => line.event === event);
      if (found !== undefined) {
        resolve(found);
      }
    });
    child.once('exit', () => reject(new Error(`it ended before ${event}:\n${text}`)));
  });
}

const free = ['--xds', '127.0.0.1:0', '--http', '127.0.0.1:0'];

serve(
  'it starts by its settings, answers, and a signal ends it with 0',
  async ({ folder, children }) => {
    const child = startMain(['serve', ...free], {
      cwd: folder,
      env: { HEADGATE_REPO: 'mesh', HEADGATE_STATE: 'state.db', HEADGATE_BRANCHE: 'main' },
    });
    children.push(child);
    const started = await waitForEvent(child, 'headgate.started');
    const server = String(started.http);
    assert.equal(await runMain(['healthcheck', '--server', server]), {
      code: 0,
      stdout: 'ok\n',
      stderr: '',
    });
    child.kill('SIGTERM');
    const [code, signal] = await once(child, 'exit');
    assert.equal([code, signal], [0, null]);
  },
);

serve(
  'the config file of the folder is read, and flags win over it',
  async ({ folder, children }) => {
    writeFileSync(
      join(folder, 'headgate.yaml'),
      'repo: mesh\nstate: from-file.db\nhttp: 127.0.0.1:1\nxds: 127.0.0.1:0\nlogLevel: info\n',
    );
    const child = startMain(['serve', '--http', '127.0.0.1:0'], { cwd: folder });
    children.push(child);
    const started = await waitForEvent(child, 'headgate.started');
    assert.match(String(started.http), /^http:\/\/127\.0\.0\.1:\d{4,5}$/);
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    assert.is(code, 0);
  },
);

serve('wrong settings are 2, all of them named', async ({ folder }) => {
  writeFileSync(join(folder, 'other.yaml'), 'repo: mesh\npol: 1s\n');
  const { code, stdout, stderr } = await runMain(
    ['serve', '--config', 'other.yaml', '--http', '0.0.0.0:8080'],
    { cwd: folder, env: { HEADGATE_POLL: 'often' } },
  );
  assert.is(code, 2);
  assert.is(stdout, '');
  assert.match(stderr, /error: other\.yaml:2: pol is not known; did you mean poll\?/);
  assert.match(stderr, /error: HEADGATE_POLL: poll is "often"; expected a duration/);
  assert.match(stderr, /error: --http: http is 0\.0\.0\.0:8080, .*--insecure/);
});

serve('a config file that is named must be there', async ({ folder }) => {
  const { code, stderr } = await runMain(['serve', '--config', 'none.yaml'], { cwd: folder });
  assert.is(code, 2);
  assert.match(stderr, /the config file cannot be read: .*none\.yaml/);
});

serve(
  'H2 a state with a value that was changed by hand is 1, and the message says what to do',
  async ({ folder, children }) => {
    const args = ['serve', ...free, '--repo', 'mesh', '--state', 'state.db'];
    const child = startMain(args, { cwd: folder });
    children.push(child);
    await waitForEvent(child, 'revision.accepted');
    child.kill('SIGTERM');
    await once(child, 'exit');
    const state = await openSqliteDriver(join(folder, 'state.db'));
    const changed = state.run(
      "UPDATE state SET json = replace(json, 'checkout-v1', 'checkout-v9') WHERE kind = 'applied'",
    );
    state.close();
    assert.ok(changed > 0);
    const { code, stderr } = await runMain(args, { cwd: folder });
    assert.is(code, 1);
    assert.match(stderr, /a value \(applied [^)]+\) that is not what was written/);
    assert.match(stderr, 'restore a backup, or move the file away to start anew from Git');
  },
);

serve('a port that is taken is 1, said in one line', async ({ folder }) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const { code, stderr } = await runMain(
    ['serve', '--repo', 'mesh', '--xds', '127.0.0.1:0', '--http', `127.0.0.1:${port}`],
    { cwd: folder },
  );
  taken.close();
  assert.is(code, 1);
  assert.match(stderr, new RegExp(`headgate: cannot listen for HTTP on 127\\.0\\.0\\.1:${port}`));
  assert.not.match(stderr, /at .*\.js:\d/);
});

serve.run();
