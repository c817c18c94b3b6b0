/** `headgate check`: set-ups that are well, and each thing that can be wrong with one, with its hint. */
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clockCheck } from '../../controller/check/machine.js';
import { type Category, type Check, endCheck } from '../../controller/check/result.js';
import { renderCategories } from '../../controller/cli/check.js';
import { createIo } from '../../controller/cli/io.js';
import { runApi } from '../api/running-api.js';
import { certificateFolder } from '../support/certificates.js';
import { makeRepository } from '../support/git.js';
import { projectPath } from '../support/project.js';
import { withTempFolder } from '../support/temp-folder.js';
import { runHere } from './run-main.js';

const check = suite('headgate check');

const free = ['--xds', '127.0.0.1:0', '--http', '127.0.0.1:0'];

async function run(...args: readonly string[]) {
  const { code, stdout, stderr } = await runHere(['check', '-o', 'json', ...args], {
    PATH: process.env.PATH ?? '',
  });
  assert.is(stderr, '');
  const { success, categories } = JSON.parse(stdout) as {
    success: boolean;
    categories: readonly Category[];
  };
  assert.is(success, code === 0);
  const checks = categories.flatMap((category) => category.checks);
  for (const { name, result, hint } of checks) {
    assert.is(hint === undefined, result === 'ok' || result === 'skipped', `${name} and its hint`);
  }
  const find = (name: string) => checks.find((one) => one.name === name) as Check;
  return { code, find, failed: checks.filter(({ result }) => result === 'error') };
}

check('a set-up that is well passes, and leaves nothing behind', async () => {
  await withTempFolder(async (folder) => {
    const certificates = await certificateFolder();
    const file = (name: string) => join(certificates, name);
    await writeFile(join(folder, 'tokens'), 'operator ann 0123456789abcdef0123456789abcdef\n');
    const { code, find, failed } = await run(
      ...['--pre', '--repo', projectPath('mesh-repo-example'), ...free],
      ...['--state', join(folder, 'headgate.db'), '--tokens-file', join(folder, 'tokens')],
      ...['--xds-cert', file('server.pem'), '--xds-key', file('server.key')],
      ...[
        '--xds-client-ca',
        file('ca.pem'),
        '--xds-clients',
        'spiffe://mesh/{node} => mesh/shop/virtualNode/{node}',
      ],
    );
    assert.equal(failed, []);
    assert.is(code, 0);
    assert.match(find('mesh').detail, 'shop');
    assert.match(find('state').detail, 'new');
    assert.match(find('xds (server)').detail, /^(until|ends on) \d{4}-/);
    assert.match(find('sign-in').detail, 'token');
  });
});

check('what is wrong is found in one go, each with what to do', async () => {
  await withTempFolder(async (folder) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const port = (taken.address() as AddressInfo).port;
    await mkdir(join(folder, 'secrets', 'web'), { recursive: true });
    await writeFile(join(folder, 'secrets', 'web', 'tls.crt'), 'no certificate');
    await writeFile(join(folder, 'secrets', 'web', 'tls.key'), 'no key');
    const { code, find, failed } = await run(
      ...['--pre', '--repo', join(folder, 'nothing.git'), '--state', join(folder, 'none', 'x.db')],
      ...['--xds', `127.0.0.1:${port}`, '--http', '127.0.0.1:0'],
      ...['--secrets', join(folder, 'secrets'), '--tokens-file', join(folder, 'tokens')],
    );
    taken.close();
    assert.is(code, 1);
    assert.equal(
      failed.map(({ name }) => name),
      ['repository', 'secret web', 'sign-in', 'state', 'xDS'],
    );
    assert.match(find('repository').detail, /\(repository-missing\)$/);
    assert.match(find('xDS').detail, `127.0.0.1:${port} is taken`);
    assert.match(find('xDS').hint ?? '', 'take another port');
    assert.match(find('secret web').detail, 'tls.crt holds no certificate');
  });
});

check('a repository with a mistake is told of with its place', async () => {
  await withTempFolder(async (folder) => {
    const repository = makeRepository(join(folder, 'mesh'));
    repository.commit({ 'mesh.yaml': 'apiVersion: headgate/v1\nkind: Mush\n' });
    const { find } = await run('--pre', '--repo', repository.bare, ...free);
    assert.match(find('repository').detail, /^main @ [0-9a-f]{12}, 1 file$/);
    assert.match(find('mesh').detail, /^mesh\.yaml:\d+:\d+: error HG\d{4} /);
    assert.match(find('mesh').hint ?? '', /^headgate explain HG\d{4}$/);
  });
});

check('a controller that runs is asked how it is', async () => {
  const running = await runApi(
    ['policy steps=10,100 bake=10s', 'connect web1', 'commit a1 checkout:v1=100', 'reject d4'],
    { startMs: Date.now() },
  );
  running.checks.push({ name: 'snapshot', isOk: true }, { name: 'store', isOk: false });
  const { code, find, failed } = await run('--server', running.url);
  await running.stop();
  assert.is(code, 1);
  assert.equal(
    failed.map(({ name, detail }) => `${name}: ${detail.split(':')[0]}`),
    ['ready: store', 'newest commit: commit d4 is rejected'],
  );
  assert.is(find('clock').result, 'ok');
  assert.is(find('versions').detail, 'no proxy is connected');
});

check('no controller is said once, with how to name it', async () => {
  const { code, failed } = await run('--server', 'http://127.0.0.1:9');
  assert.is(code, 1);
  assert.equal(
    failed.map(({ name }) => name),
    ['controller'],
  );
});

check('--pre without settings is a mistake', async () => {
  const { code, stdout, stderr } = await runHere(['check', '--pre']);
  assert.is(code, 2);
  assert.is(stdout, '');
  assert.match(stderr, 'name the repository with --repo');
});

check('ends and clocks are judged by days and seconds', () => {
  const day = 86_400_000;
  const now = Date.UTC(2026, 10, 29);
  assert.is(endCheck('a', now + 60 * day, now).result, 'ok');
  assert.is(endCheck('a', now + 10 * day, now).detail, 'ends on 2026-12-09, in 10 days');
  assert.is(endCheck('a', now - day, now).result, 'error');
  const period = { fromMs: now, toMs: now + 200 };
  const at = (ms: number) => clockCheck('it', new Date(now + ms).toUTCString(), period);
  assert.is(at(0).result, 'ok');
  assert.is(at(60_000).detail, 'it is 60 s ahead');
  assert.match(at(-60_000).detail, /^it is (59|60) s behind$/);
  assert.is(clockCheck('it', null, period).result, 'skipped');
});

check('for people it is a mark, a name and a detail, and below what to do', () => {
  const { outStyle } = createIo({}, { stdout: { write: () => {} }, stderr: { write: () => {} } });
  const text = renderCategories(
    [
      {
        name: 'repository',
        checks: [
          { name: 'repository', result: 'ok', detail: 'main @ 8c1d' },
          { name: 'mesh', result: 'error', detail: 'bad\u001b[2J', hint: 'Correct it.' },
        ],
      },
      {
        name: 'machine',
        checks: [{ name: 'Node.js', result: 'warning', detail: '20.1', hint: 'Use 24.' }],
      },
    ],
    outStyle,
  );
  assert.is(
    text,
    `repository
  ✔ repository   main @ 8c1d
  ✖ mesh         bad\ufffd[2J
                 → Correct it.

machine
  ! Node.js      20.1
                 → Use 24.

1 failed, 1 to look at
`,
  );
});

check.run();
