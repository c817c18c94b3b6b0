/** A real sshd on loopback: the key that it lets in, the host that is known, and each that is not. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClock } from '../../controller/clock.js';
import { freePorts } from '../../controller/demo/free-ports.js';
import { createGitSource } from '../../controller/git/git-source.js';
import { canConnect } from '../support/can-connect.js';
import { makeRepository, type TestRepository } from '../support/git.js';
import { failureOf, filesOf, revisionOf, startSource } from '../support/source.js';
import { until } from '../support/until.js';

interface Context {
  folder: string;
  repository: TestRepository;
  port: number;
  sshd: ChildProcess;
}

const test = suite<Context>('an ssh source');

test.before(async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-ssh-'));
  const [port = 0] = await freePorts(1);
  for (const name of ['host', 'other-host', 'user', 'stranger']) {
    makeKey(join(folder, name));
  }
  writeFileSync(
    join(folder, 'sshd_config'),
    `ListenAddress 127.0.0.1:${port}
HostKey ${join(folder, 'host')}
AuthorizedKeysFile ${join(folder, 'user.pub')}
PidFile none
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
`,
  );
  if (process.getuid?.() === 0) {
    // Where root's sshd keeps its unprivileged half; a machine without the service has none.
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  }
  const args = ['-D', '-e', '-f', join(folder, 'sshd_config')];
  Object.assign(context, { folder, port, repository: makeRepository(folder) });
  context.repository.commit({ 'a.yaml': 'a: 1' });
  context.sshd = spawn('/usr/sbin/sshd', args, { stdio: 'ignore' });
  await until('sshd listens', () => canConnect(port));
});

test.after(({ folder, sshd }) => {
  sshd.kill();
  rmSync(folder, { recursive: true, force: true });
});

test('a key that the server knows reads from a host that we know', async (context) => {
  assert.is(filesOf(revisionOf(await read(context, 'user', 'host'))), 'a.yaml: a: 1');
});

test('a host that is not known is refused, and stays unknown', async (context) => {
  assert.is(failureOf(await read(context, 'user', undefined)).code, 'git-host-key');
  assert.is(readFileSync(join(context.folder, 'known_hosts'), 'utf8'), '');
});

test('a host with another key than the known one is refused', async (context) => {
  assert.is(failureOf(await read(context, 'user', 'other-host')).code, 'git-host-key');
});

test('a key that the server does not know is no way in', async (context) => {
  assert.is(failureOf(await read(context, 'stranger', 'host')).code, 'git-auth');
});

/** Reads once as `key`, with `host` as the key of the only known host. */
async function read({ folder, port, repository }: Context, key: string, host: string | undefined) {
  const knownHostsFile = join(folder, 'known_hosts');
  const known =
    host === undefined
      ? ''
      : `[127.0.0.1]:${port} ${readFileSync(join(folder, `${host}.pub`), 'utf8')}`;
  writeFileSync(knownHostsFile, known);
  const cacheFolder = mkdtempSync(join(folder, 'cache-'));
  const settings = {
    repo: `ssh://${userInfo().username}@127.0.0.1:${port}${repository.bare}`,
    ...{ branch: 'main', path: '.', pollMs: 3_600_000, cacheFolder },
    credentials: { keyFile: join(folder, key), knownHostsFile },
  };
  const source = startSource((deps) => createGitSource(settings, deps), createClock());
  const event = await source.next();
  await source.stop();
  return event;
}

function makeKey(path: string): void {
  const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
  assert.is(made.status, 0, String(made.stderr));
}

test.run();
