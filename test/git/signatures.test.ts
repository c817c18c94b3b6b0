/**
 * Signed commits, with real keys: SSH by an allowed signers file, GPG by a keyring. Good, unknown, expired
 * and revoked keys, no signature, a forged one; and trust that changes while the controller runs.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Revision } from '../../controller/base/revision.js';
import { createGitSource } from '../../controller/git/git-source.js';
import type { SignatureTrust } from '../../controller/git/signature.js';
import { isolatedGitEnvironment, makeRepository, type TestRepository } from '../support/git.js';
import { failureOf, revisionOf, startSource, type TestSource } from '../support/source.js';

interface Context {
  folder: string;
  repository: TestRepository;
  sources: TestSource[];
}

const test = suite<Context>('signed commits');

test.before.each((context) => {
  // gpg's sockets have short paths only.
  context.folder = mkdtempSync(join(tmpdir(), 'hg-sign-'));
  context.repository = makeRepository(context.folder);
  context.sources = [];
});

test.after.each(async ({ folder, sources }) => {
  for (const source of sources) {
    await source.stop();
  }
  execFileSync('gpgconf', ['--homedir', gpgHome(folder), '--kill', 'all']);
  rmSync(folder, { recursive: true, force: true });
});

test('SSH: a key in the list is good, another is not', async (context) => {
  const ada = sshKey(context, 'ada');
  const eve = sshKey(context, 'eve');
  const signersFile = write(context, 'signers', `ada@example.com ${ada.publicKey}\n`);
  const good = signed(context, sshConfig(ada.path));
  assert.equal(await read(context, { signersFile }), { id: good, problems: [] });
  signed(context, sshConfig(eve.path));
  const { problems } = await read(context, { signersFile });
  assert.match(
    problems[0] ?? '',
    /^HG0112 the commit is signed by .*SHA256:.*, whom nobody trusts/,
  );
});

test('SSH: a key that ran out before the commit, and one that was revoked, are not good', async (context) => {
  const ada = sshKey(context, 'ada');
  const options = 'valid-before="20200101"';
  const signersFile = write(context, 'signers', `ada@example.com ${options} ${ada.publicKey}\n`);
  signed(context, sshConfig(ada.path));
  assert.match((await read(context, { signersFile })).problems[0] ?? '', /^HG0112 /);
  const lasting = write(context, 'lasting', `ada@example.com ${ada.publicKey}\n`);
  const revokedFile = write(context, 'revoked', `${ada.publicKey}\n`);
  assert.equal((await read(context, { signersFile: lasting })).problems, []);
  const revoked = await read(context, { signersFile: lasting, revokedFile });
  assert.match(revoked.problems[0] ?? '', /^HG0112 /);
});

test('no signature is none, and the last good commit stays', async (context) => {
  const ada = sshKey(context, 'ada');
  const signersFile = write(context, 'signers', `ada@example.com ${ada.publicKey}\n`);
  signed(context, sshConfig(ada.path));
  const source = start(context, { signersFile });
  assert.equal(revisionOf(await source.next()).problems, []);
  context.repository.commit({ 'a.yaml': 'a: 9\n' }, 'unsigned');
  const bad = revisionOf(await source.poll());
  assert.equal(textsOf(bad), [
    'HG0112 the commit is not signed; sign it with a trusted key (git commit -S, or git commit --amend -S for this one)',
  ]);
  assert.equal(bad.files, []);
});

test('a signature that was moved to another commit is bad', async (context) => {
  const { repository } = context;
  const ada = sshKey(context, 'ada');
  const signersFile = write(context, 'signers', `ada@example.com ${ada.publicKey}\n`);
  signed(context, sshConfig(ada.path));
  const raw = repository.git('cat-file', 'commit', 'HEAD');
  const forged = write(context, 'forged', `${raw.replace('\n\nsigned', '\n\nharmless')}\n`);
  const id = repository.git('hash-object', '-t', 'commit', '-w', forged);
  repository.git('reset', '--quiet', '--hard', id);
  repository.push();
  assert.match(
    (await read(context, { signersFile })).problems[0] ?? '',
    /^HG0112 the signature of/,
  );
});

test('GPG: a key in the keyring is good, another is not', async (context) => {
  const ada = gpgKey(context, 'ada');
  const eve = gpgKey(context, 'eve');
  const keyringFile = write(context, 'keys.asc', exportKey(context, ada));
  const good = signed(context, gpgConfig(ada));
  assert.equal(await read(context, { keyringFile }), { id: good, problems: [] });
  signed(context, gpgConfig(eve));
  assert.match((await read(context, { keyringFile })).problems[0] ?? '', /whom nobody trusts here/);
});

test('GPG: an expired key and a revoked one are named as such', async (context) => {
  const old = gpgKey(context, 'old', '2024-01-01');
  signed(context, gpgConfig(old, '20230615T000000'));
  const expired = write(context, 'old.asc', exportKey(context, old));
  const first = await read(context, { keyringFile: expired });
  assert.match(first.problems[0] ?? '', /HG0112 the key of old <old@example.com>, \w+ has expired/);
  const ada = gpgKey(context, 'ada');
  signed(context, gpgConfig(ada));
  revoke(context, ada);
  const revoked = write(context, 'ada.asc', exportKey(context, ada));
  const second = await read(context, { keyringFile: revoked });
  assert.match(
    second.problems[0] ?? '',
    /HG0112 the key of ada <ada@example.com>, \w+ was revoked/,
  );
});

test('GPG: a key that the operator takes out of the file no longer counts', async (context) => {
  const ada = gpgKey(context, 'ada');
  const eve = gpgKey(context, 'eve');
  const keyringFile = write(context, 'keys.asc', exportKey(context, eve));
  signed(context, gpgConfig(eve));
  const source = start(context, { keyringFile });
  assert.equal(textsOf(revisionOf(await source.next())), []);
  write(context, 'keys.asc', exportKey(context, ada));
  signed(context, gpgConfig(eve));
  assert.match(textsOf(revisionOf(await source.poll()))[0] ?? '', /whom nobody trusts here/);
});

test('a signature of the kind that nobody is trusted for says which would be', async (context) => {
  const ada = sshKey(context, 'ada');
  const keyringFile = write(context, 'keys.asc', exportKey(context, gpgKey(context, 'bob')));
  signed(context, sshConfig(ada.path));
  const { problems } = await read(context, { keyringFile });
  assert.match(problems[0] ?? '', /signed by SSH, and only a GPG key is trusted here/);
});

test('a file of keys that is missing or no keyring is the operator’s mistake, not the author’s', async (context) => {
  const ada = gpgKey(context, 'ada');
  signed(context, gpgConfig(ada));
  for (const keyringFile of [join(context.folder, 'none'), write(context, 'bad', 'no key\n')]) {
    const failure = failureOf(await start(context, { keyringFile }).next());
    assert.is(failure.code, 'signature-keys');
  }
});

function start(context: Context, trust: SignatureTrust): TestSource {
  const settings = {
    repo: context.repository.bare,
    branch: 'main',
    path: '.',
    pollMs: 3_600_000,
    cacheFolder: join(context.folder, `cache-${context.sources.length}`),
    trust,
  };
  const source = startSource((deps) => createGitSource(settings, deps));
  context.sources.push(source);
  return source;
}

async function read(
  context: Context,
  trust: SignatureTrust,
): Promise<{ readonly id: string; readonly problems: readonly string[] }> {
  const revision = revisionOf(await start(context, trust).next());
  return { id: revision.id, problems: textsOf(revision) };
}

function textsOf({ problems }: Revision): readonly string[] {
  return problems.map(({ code, message }) => `${code} ${message}`);
}

let commits = 0;

/** A commit that git signs by `config`; its id. */
function signed(context: Context, config: readonly string[]): string {
  const { repository } = context;
  commits += 1;
  writeFileSync(join(repository.work, 'a.yaml'), `a: ${commits}\n`);
  const options = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...config];
  execFileSync('git', ['add', '--all'], { cwd: repository.work, env: isolatedGitEnvironment });
  execFileSync('git', [...options, 'commit', '--quiet', '-S', '-m', 'signed'], {
    cwd: repository.work,
    env: { ...isolatedGitEnvironment, GNUPGHOME: gpgHome(context.folder) },
  });
  repository.push();
  return repository.git('rev-parse', 'HEAD');
}

function write({ folder }: Context, name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function sshKey({ folder }: Context, name: string) {
  const path = join(folder, `${name}-key`);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path]);
  return { path, publicKey: readFileSync(`${path}.pub`, 'utf8').trim() };
}

function sshConfig(path: string): readonly string[] {
  return ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${path}`];
}

function gpgHome(folder: string): string {
  const path = join(folder, 'g');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

function gpg({ folder }: Context, args: readonly string[], input = ''): string {
  const all = ['--homedir', gpgHome(folder), '--batch', '--quiet', '--no-tty', ...args];
  return execFileSync('gpg', all, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}

/** A key without a passphrase; one that ran out was made long before. */
function gpgKey(context: Context, name: string, expires = 'never'): string {
  const user = `${name} <${name}@example.com>`;
  const past = expires === 'never' ? [] : ['--faked-system-time', '20230101T000000!'];
  const pass = ['--pinentry-mode', 'loopback', '--passphrase', ''];
  gpg(context, [...past, ...pass, '--quick-generate-key', user, 'ed25519', 'sign', expires]);
  const [, fingerprint = ''] =
    /^fpr:+(\w+):/m.exec(gpg(context, ['--with-colons', '--list-keys', user])) ?? [];
  return fingerprint;
}

/** `at`: the time that gpg believes it is. */
function gpgConfig(key: string, at?: string): readonly string[] {
  const program = at === undefined ? [] : ['-c', `gpg.program=${fakedGpg(at)}`];
  return ['-c', 'gpg.format=openpgp', '-c', `user.signingKey=${key}`, ...program];
}

function fakedGpg(at: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'hg-gpg-')), 'gpg');
  writeFileSync(path, `#!/bin/sh\nexec gpg --faked-system-time ${at} "$@"\n`, { mode: 0o755 });
  return path;
}

function exportKey(context: Context, key: string): string {
  return gpg(context, ['--armor', '--export', key]);
}

/** gpg keeps a certificate of revocation for each key that it makes, made harmless by a colon. */
function revoke(context: Context, key: string): void {
  const path = join(gpgHome(context.folder), 'openpgp-revocs.d', `${key}.rev`);
  gpg(context, ['--import'], readFileSync(path, 'utf8').replace(/^:(?=-----BEGIN)/m, ''));
}

test.run();
