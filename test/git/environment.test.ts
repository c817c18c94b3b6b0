/** What the user's and the machine's settings could make git do, and that none of it reaches git. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createGitSource, type GitSourceSettings } from '../../controller/git/git-source.js';
import { makeRepository, replaceProgram, type TestRepository } from '../support/git.js';
import { failureOf, filesOf, revisionOf, startSource, type TestSource } from '../support/source.js';

interface Context {
  folder: string;
  repository: TestRepository;
  environment: NodeJS.ProcessEnv;
}

const test = suite<Context>('the environment of git');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-environment-'));
  context.repository = makeRepository(context.folder);
  context.repository.commit({ 'a.yaml': 'a: 1' });
  context.environment = { ...process.env };
});

test.after.each(({ folder, environment }) => {
  for (const name of Object.keys(process.env)) {
    if (!(name in environment)) {
      delete process.env[name];
    }
  }
  Object.assign(process.env, environment);
  rmSync(folder, { recursive: true, force: true });
});

function start(context: Context, settings: Partial<GitSourceSettings> = {}): TestSource {
  const complete = {
    repo: context.repository.bare,
    branch: 'main',
    path: '.',
    pollMs: 3_600_000,
    cacheFolder: join(context.folder, 'cache'),
    ...settings,
  };
  return startSource((deps) => createGitSource(complete, deps));
}

test('is not what the user or the repository would make it', async (context) => {
  const { folder, repository } = context;
  const mark = join(folder, 'mark');
  const evil = join(folder, 'evil');
  writeFileSync(evil, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
  const rewrite = `[url "/nowhere"]\n\tinsteadOf = ${repository.bare}\n[core]\n\tfsmonitor = ${evil}\n`;
  writeFileSync(join(folder, '.gitconfig'), rewrite);
  mkdirSync(join(folder, 'template/hooks'), { recursive: true });
  for (const hook of ['reference-transaction', 'post-checkout']) {
    writeFileSync(join(folder, 'template/hooks', hook), `#!/bin/sh\ntouch ${mark}\n`, {
      mode: 0o755,
    });
  }
  Object.assign(process.env, {
    HOME: folder,
    XDG_CONFIG_HOME: folder,
    GIT_CONFIG: join(folder, '.gitconfig'),
    GIT_CONFIG_GLOBAL: join(folder, '.gitconfig'),
    GIT_CONFIG_SYSTEM: join(folder, '.gitconfig'),
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'url./nowhere.insteadOf',
    GIT_CONFIG_VALUE_0: repository.bare,
    GIT_CONFIG_PARAMETERS: `'url./nowhere.insteadof=${repository.bare}'`,
    GIT_TEMPLATE_DIR: join(folder, 'template'),
    GIT_DIR: '/nowhere',
    GIT_OBJECT_DIRECTORY: '/nowhere',
    GIT_EXEC_PATH: '/nowhere',
    GIT_ALLOW_PROTOCOL: 'ext',
    GIT_EXTERNAL_DIFF: evil,
    GIT_TRACE: mark,
    NODE_OPTIONS: '--require=/nowhere.js',
    BASH_ENV: evil,
    ENV: evil,
  });
  repository.git('config', 'core.fsmonitor', evil);
  repository.git('config', 'uploadpack.packObjectsHook', evil);
  const source = start(context, { repo: repository.work });
  const event = await source.next();
  await source.stop();
  assert.is(filesOf(revisionOf(event)), 'a.yaml: a: 1');
  assert.not.ok(existsSync(mark), 'nothing of it ran');
});

test('holds a short list of names and nothing else', async (context) => {
  const { folder } = context;
  const log = join(folder, 'environment.log');
  Object.assign(process.env, {
    HTTPS_PROXY: 'http://proxy.example:3128',
    NO_PROXY: 'localhost',
    AWS_SECRET_ACCESS_KEY: 'secret',
    HEADGATE_SLACK: 'secret',
    HTTP_PROXY: 'http://not-for-us.example',
  });
  const restore = replaceProgram(folder, 'git', `env >> ${log}; exec "$REAL" "$@"`);
  const source = start(context);
  await source.next();
  await source.stop();
  restore();
  const names = [...readFileSync(log, 'utf8').matchAll(/^(\w+)=/gm)].map(([, name]) => name);
  const shells = new Set(['PWD', 'OLDPWD', 'SHLVL', '_']);
  const ours = [...new Set(names)].filter((name) => name !== undefined && !shells.has(name)).sort();
  const always = Object.keys(process.env).filter((name) =>
    ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'SSH_AUTH_SOCK', 'https_proxy', 'no_proxy'].includes(name),
  );
  const expected = [
    'GIT_ALLOW_PROTOCOL',
    'GIT_ASKPASS',
    'GIT_CEILING_DIRECTORIES',
    'GIT_CONFIG_GLOBAL',
    'GIT_CONFIG_NOSYSTEM',
    'GIT_DIR',
    'GIT_NO_LAZY_FETCH',
    'GIT_NO_REPLACE_OBJECTS',
    'GIT_OPTIONAL_LOCKS',
    'GIT_SSH_COMMAND',
    'GIT_SSH_VARIANT',
    'GIT_TEMPLATE_DIR',
    'GIT_TERMINAL_PROMPT',
    'GIT_TEST_DISALLOW_ABBREVIATED_OPTIONS',
    'HOME',
    'HTTPS_PROXY',
    'LC_ALL',
    'NO_PROXY',
    'PATH',
    ...always,
  ];
  assert.equal(ours, expected.sort());
});

test('lets ssh ask nobody, trust nobody new and read no configuration', async (context) => {
  const { folder, repository } = context;
  const log = join(folder, 'ssh.log');
  // Stands for ssh and its server: writes down how it was called and runs the command that was sent.
  const script = `printf '%s\\n' "$@" > ${log}; for last; do :; done; eval "$last"`;
  const restore = replaceProgram(folder, 'ssh', script);
  const keyFile = join(folder, "key of 'ada' 100%");
  const knownHostsFile = join(folder, 'known hosts');
  process.env.GIT_SSH_COMMAND = 'touch /nowhere/mark';
  const repo = `ssh://git@mesh.example:2222${repository.bare}`;
  const source = start(context, { repo, credentials: { keyFile, knownHostsFile } });
  const event = await source.next();
  await source.stop();
  restore();
  assert.is(filesOf(revisionOf(event)), 'a.yaml: a: 1');
  const called = readFileSync(log, 'utf8').trim().split('\n');
  assert.equal(called.slice(0, 2), ['-F', '/dev/null']);
  const options = called.filter((_, index) => called[index - 1] === '-o');
  for (const option of [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile="${knownHostsFile}"`,
    'IdentitiesOnly=yes',
    `IdentityFile="${keyFile.replace('%', '%%')}"`,
  ]) {
    assert.ok(options.includes(option), `${option} is not among ${options.join(', ')}`);
  }
  const words = ['-p', '2222', 'git@mesh.example', `git-upload-pack '${repository.bare}'`];
  assert.equal(called.slice(-4), words);
});

test('names what ssh refuses', async (context) => {
  const refusals = {
    'git@mesh.example: Permission denied (publickey).': 'git-auth',
    'Host key verification failed.': 'git-host-key',
    'No ED25519 host key is known for mesh.example and you have requested strict checking.\nHost key verification failed.':
      'git-host-key',
    'ssh: connect to host mesh.example port 22: Connection refused': 'git-unreachable',
    'ssh: Could not resolve hostname mesh.example: Name or service not known': 'git-unreachable',
    'ERROR: Repository not found.': 'repository-missing',
  };
  for (const [text, code] of Object.entries(refusals)) {
    const restore = replaceProgram(context.folder, 'ssh', `echo '${text}' >&2; exit 255`);
    const source = start(context, { repo: 'git@mesh.example:team/mesh.git' });
    const failure = failureOf(await source.next());
    await source.stop();
    restore();
    assert.is(`${text} ${failure.code}`, `${text} ${code}`);
  }
});

test.run();
