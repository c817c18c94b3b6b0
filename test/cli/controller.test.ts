/** Commands that ask a running controller: their output as golden files, over a real API. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Access } from '../../controller/access/access.js';
import { parseTokens } from '../../controller/access/tokens.js';
import { proxyId } from '../../controller/base/brand.js';
import type { ProxyStatus } from '../../controller/loop/ports.js';
import { type RunningApi, runApi } from '../api/running-api.js';
import { assertGolden, goldenCases } from '../support/golden.js';
import { twoReplicas } from '../support/members.js';
import { withTempFolder } from '../support/temp-folder.js';
import { runHere, runMain } from './run-main.js';

const controller = suite('command line on a controller');

const web = { mesh: 'demo', kind: 'VirtualNode', name: 'web' } as const;

/** What the script's proxies would look like to a publisher: one is well, one has refused a route. */
const proxies: readonly ProxyStatus[] = [
  {
    id: proxyId('p1'),
    identity: {
      nodeId: 'mesh/demo/virtualNode/web',
      resource: web,
      instance: 'web1',
      kind: 'envoy',
    },
    address: '127.0.0.1:50001',
    connectedAtMs: Date.UTC(2026, 0, 1),
    ackedGeneration: 2,
    types: {
      cluster: {
        state: 'synced',
        version: 'c2',
        ackedVersion: 'c2',
        sinceMs: Date.UTC(2026, 0, 1),
      },
      listener: {
        state: 'synced',
        version: 'l1',
        ackedVersion: 'l1',
        sinceMs: Date.UTC(2026, 0, 1),
      },
      route: { state: 'stale', version: 'r2', ackedVersion: 'r1', sinceMs: Date.UTC(2026, 0, 1) },
    },
    userAgent: 'envoy 1.40.0',
  },
  {
    id: proxyId('p2'),
    identity: {
      nodeId: 'mesh/demo/virtualNode/web',
      resource: web,
      instance: 'web2',
      kind: 'envoy',
    },
    address: '127.0.0.1:50002',
    connectedAtMs: Date.UTC(2026, 0, 1),
    ackedGeneration: 1,
    types: {
      cluster: {
        state: 'synced',
        version: 'c2',
        ackedVersion: 'c2',
        sinceMs: Date.UTC(2026, 0, 1),
      },
      route: {
        state: 'rejected',
        version: 'r2',
        ackedVersion: '',
        sinceMs: Date.UTC(2026, 0, 1),
        error: 'unknown cluster \u001b[31m\ncds_egress',
      },
    },
    userAgent: 'envoy 1.40.0',
  },
];

async function withApi(lines: readonly string[], use: (running: RunningApi) => Promise<void>) {
  const running = await runApi(lines);
  running.proxies.push(...proxies);
  try {
    await use(running);
  } finally {
    await running.stop();
  }
}

for (const { name, path } of goldenCases('cli-controller')) {
  controller(`${name} prints its golden output`, async () => {
    const read = (file: string) => readFileSync(join(path, file), 'utf8');
    await withApi(read('script.txt').split('\n').filter(Boolean), async ({ url }) => {
      const args = read('command.txt').trim().split(' ');
      const { code, stdout, stderr } = await runHere([...args, '--server', url]);
      const talk = stderr === '' ? '' : `--- stderr\n${stderr}`;
      assertGolden(join(path, 'out.txt'), `${stdout}${talk}--- exit ${code}\n`);
    });
  });
}

const inFirstStep = [
  'policy steps=10,100 bake=10s',
  'connect web1',
  'commit a1 checkout:v1=100,v2=0',
  'ack',
  'commit b2 checkout:v1=0,v2=100',
  'ack',
];

controller('json and yaml are what the API says', async () => {
  await withApi(inFirstStep, async ({ url, json }) => {
    for (const [command, path] of [
      ['status', '/api/v1/status'],
      ['rollouts', '/api/v1/rollouts'],
      ['rollouts checkout-1', '/api/v1/rollouts/checkout-1'],
      ['proxies', '/api/v1/proxies'],
      ['proxies p2', '/api/v1/proxies/p2'],
      ['history', '/api/v1/history'],
    ] as const) {
      const expected = await json(path);
      const asJson = await runHere([...command.split(' '), '-o', 'json', '--server', url]);
      assert.equal(JSON.parse(asJson.stdout), expected, command);
      const { load } = await import('js-yaml');
      const asYaml = await runHere([...command.split(' '), '-o', 'yaml', '--server', url]);
      assert.equal(load(asYaml.stdout), expected, command);
    }
  });
});

controller('every verb reaches its rollout with the reason and a name', async () => {
  for (const verb of ['pause', 'promote', 'abort'] as const) {
    await withApi(inFirstStep, async ({ url, commands }) => {
      const args = [verb, 'checkout-1', '--reason', 'because of lunch', '--server', url];
      const { code, stdout } = await runHere(args);
      assert.is(code, 0);
      assert.match(
        stdout,
        /^checkout-1 (Paused|Completing|RollingBack): \w+ by ann: because of lunch\n$/,
      );
      const [command] = commands;
      assert.equal(
        { rollout: command?.rollout, command: command?.command, reason: command?.reason },
        { rollout: 'checkout-1', command: verb, reason: 'because of lunch' },
      );
      assert.match(command?.by ?? '', /^\S+@\S+$/);
    });
  }
});

controller('resume, approve and retry act on what waits for them', async () => {
  const waiting = [
    'policy steps=50,100 approve=1',
    'commit a1 checkout:v1=100',
    'commit b2 checkout:v1=50,v2=50',
  ];
  await withApi(waiting, async ({ url }) => {
    const ask = (verb: string) => runHere([verb, 'checkout-1', '--server', url]);
    assert.match((await ask('pause')).stdout, /^checkout-1 Paused/);
    assert.match((await ask('resume')).stdout, /^checkout-1 WaitingForApproval/);
    assert.match((await ask('approve')).stdout, /^checkout-1 (Progressing|Baking)/);
    assert.match((await ask('abort')).stdout, /^checkout-1 (RollingBack|Aborted)/);
    const retried = await ask('retry');
    assert.is(retried.code, 0, retried.stderr);
  });
});

controller('what cannot be done is 1, with the controller’s reason', async () => {
  await withApi(inFirstStep, async ({ url }) => {
    const unknown = await runHere(['abort', '../etc', '--server', url]);
    assert.equal(unknown, {
      code: 1,
      stdout: '',
      stderr: 'headgate: there is no rollout "../etc"\n',
    });
    for (const args of [
      ['approve', 'checkout'],
      ['rollouts', 'chekout-1'],
      ['pause', 'checkout-7'],
    ]) {
      const meant = await runHere([...args, '--server', url]);
      assert.is(meant.code, 1);
      assert.match(meant.stderr, `there is no rollout "${args[1]}"; did you mean checkout-1?`);
    }
    const proxy = await runHere(['proxies', 'p3', '--server', url]);
    assert.match(proxy.stderr, /there is no proxy "p3"; did you mean p[12]\?/);
    const conflict = await runHere(['approve', 'checkout-1', '--server', url]);
    assert.is(conflict.code, 1);
    assert.match(conflict.stderr, /cannot approve, since it does not wait for an approval/);
  });
});

controller(
  'a token is sent from a variable or a file; without a good one it is told so',
  async () => {
    const tokens = parseTokens(
      'tokens',
      'viewer wall token-of-a-viewer\noperator ann token-of-an-operator\n',
    );
    const running = await runApi(inFirstStep, { access: new Access({ tokens, secret: 'test' }) });
    const ask = (env: Readonly<Record<string, string>>, ...args: readonly string[]) =>
      runMain([...args, '--server', running.url], { env });
    try {
      await withTempFolder(async (folder) => {
        const file = join(folder, 'token');
        writeFileSync(file, 'token-of-an-operator\n');
        const none = await ask({}, 'status');
        assert.is(none.code, 1);
        assert.match(none.stderr, /HEADGATE_TOKEN/);
        const wrong = await ask({ HEADGATE_TOKEN: 'nonsense' }, 'status');
        assert.is(wrong.code, 1);
        assert.not.match(wrong.stderr, 'nonsense');
        assert.is((await ask({ HEADGATE_TOKEN: 'token-of-a-viewer' }, 'status')).code, 0);
        const viewer = await ask({ HEADGATE_TOKEN: 'token-of-a-viewer' }, 'pause', 'checkout-1');
        assert.is(viewer.code, 1);
        assert.match(viewer.stderr, /operator/);
        const operator = await ask({ HEADGATE_TOKEN_FILE: file }, 'pause', 'checkout-1');
        assert.is(operator.code, 0, operator.stderr);
        assert.is(running.commands.at(-1)?.by, 'ann');
        const missing = await ask({ HEADGATE_TOKEN_FILE: join(folder, 'none') }, 'status');
        assert.match(missing.stderr, 'the token in HEADGATE_TOKEN_FILE cannot be read');
      });
    } finally {
      await running.stop();
    }
  },
);

const rolledBack = [...inFirstStep, 'traffic checkout-v2 ok=10 err=20', 'tick 2s', 'ack'];

/** A repository of the script's mesh, in which nothing is as in the script. */
const emptyMesh = 'apiVersion: headgate/v1\nkind: Mesh\nmetadata: { name: demo }\n';

controller('status says how far the first clone is, until it is there', async () => {
  await withApi([], async ({ url, loop }) => {
    const source = async () =>
      /^Source +(.*)$/m.exec((await runHere(['status', '--server', url])).stdout)?.[1];
    loop.send({ kind: 'sourceFetching', source: '', percent: 34 });
    assert.is(await source(), 'cloning, 34 %');
    loop.send({ kind: 'sourceUnchanged', source: '' });
    assert.match((await source()) ?? '', /^ok, last answer /);
    loop.send({ kind: 'sourceFetching', source: '', percent: 35 });
    assert.match((await source()) ?? '', /^ok, last answer /);
  });
});

controller('status tells of the replicas where there are several', async () => {
  const running = await runApi([], { replicas: () => twoReplicas });
  const { stdout } = await runHere(['status', '--server', running.url]);
  await running.stop();
  assert.match(
    stdout,
    `
REPLICA     ROLE        PROXIES   HEARD    XDS              VERSION
b (asked)   following   1         -        10.0.0.2:18000   1.2.3
a           leading     2         1s ago   10.0.0.1:18000   1.2.3
`,
  );
});

controller('status says loudly that no replica leads', async () => {
  const running = await runApi([], { replicas: () => ({ ...twoReplicas, leader: undefined }) });
  const { stdout } = await runHere(['status', '--server', running.url]);
  await running.stop();
  assert.match(stdout, 'Nobody leads: nothing advances.');
});

controller('validate and plan say what the controller holds, where one is named', async () => {
  await withApi(rolledBack, ({ url }) =>
    withTempFolder(async (folder) => {
      writeFileSync(join(folder, 'mesh.yaml'), emptyMesh);
      const title =
        'checkout in mesh demo is held: Git asks for one thing, the mesh serves another';
      const validated = await runHere(['validate', folder, '--server', url]);
      assert.is(validated.code, 0);
      assert.match(validated.stderr, `! ${title}\n    checkout-1 of commit b2 failed `);
      const planned = await runHere(['plan', folder, '--server', url]);
      assert.match(planned.stdout, `! ${title}\n`);
      assert.match(planned.stdout, 'its rollout starts from what the mesh serves');
      const unasked = await runHere(['plan', folder]);
      assert.not.match(unasked.stdout, 'held');
    }),
  );
});

controller('a controller that does not answer stops neither', () =>
  withTempFolder(async (folder) => {
    writeFileSync(join(folder, 'mesh.yaml'), emptyMesh);
    for (const command of ['validate', 'plan']) {
      const { code, stderr } = await runHere([command, folder, '--server', 'http://127.0.0.1:1']);
      assert.is(code, 0);
      assert.match(stderr, /! what is held is not known: cannot reach the controller/);
    }
  }),
);

controller('healthcheck follows livez, and readyz where it is asked', async () => {
  await withApi([], async ({ url, checks }) => {
    checks.push({ name: 'snapshot', isOk: false });
    assert.equal(await runHere(['healthcheck', '--server', url]), {
      code: 0,
      stdout: 'ok\n',
      stderr: '',
    });
    const ready = await runMain(['healthcheck', '--ready', '--server', `${url}/`]);
    assert.equal(ready, {
      code: 1,
      stdout: '[-]snapshot failed\nnot ready\n',
      stderr: 'headgate: /readyz answered 503\n',
    });
  });
});

controller.run();
