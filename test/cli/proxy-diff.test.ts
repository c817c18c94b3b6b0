/** `headgate proxies ID --diff`: what differs between intended and acknowledged, and what does not. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProxyResourceView } from '../../controller/api/proxy-config-view.js';
import { proxyId } from '../../controller/base/brand.js';
import { compareRunning } from '../../controller/cli/compare-running.js';
import { createIo } from '../../controller/cli/io.js';
import { renderProxyDiff, renderRunningDiff } from '../../controller/cli/render-proxy-diff.js';
import { readConfigDump } from '../../controller/envoy/config-dump.js';
import type { ProxyResource } from '../../controller/loop/ports.js';
import { runApi } from '../api/running-api.js';
import { assertGolden } from '../support/golden.js';
import { projectPath } from '../support/project.js';
import { runHere } from './run-main.js';

const diff = suite('headgate proxies --diff');

const stream = { write: () => {} };
const { outStyle } = createIo({}, { stdout: stream, stderr: stream });

diff('shows the lines that differ, and Envoy’s words', () => {
  const text = renderProxyDiff(
    [
      {
        type: 'rds',
        name: 'rds_egress_http_80',
        state: 'rejected',
        error: 'unknown cluster\u001b[2J',
        desired: { version: 'v2', json: { weights: { v1: 90, v2: 10 } } },
        running: { version: 'v1', json: { weights: { v1: 100, v2: 0 } } },
      },
      { type: 'sds', name: 'web', state: 'stale', desired: { version: 's1' }, running: null },
    ],
    outStyle,
  );
  assert.is(
    text,
    `rds rds_egress_http_80 (rejected)
--- acknowledged v1
+++ intended     v2
! unknown cluster\ufffd[2J
  {
    "weights": {
-     "v1": 100,
-     "v2": 0
+     "v1": 90,
+     "v2": 10
    }
  }

sds web (stale)
--- acknowledged nothing
+++ intended     s1
`,
  );
});

diff('is 0 and says so where all is as it is to be, 1 where something differs', async () => {
  const held = { version: 'v1', any: Buffer.alloc(0) };
  const secret: ProxyResource = {
    type: 'secret',
    name: 'web',
    state: 'synced',
    desired: held,
    running: held,
  };
  let resources: readonly ProxyResource[] = [secret];
  const running = await runApi([], { proxyResources: () => resources });
  const run = () => runHere(['proxies', 'proxy-7', '--diff', '--server', running.url]);
  assert.equal(await run(), {
    code: 0,
    stdout: '',
    stderr: 'proxy-7 has acknowledged all 1 resources as they are to be.\n',
  });
  resources = [{ ...secret, state: 'stale', running: undefined }];
  const differing = await run();
  await running.stop();
  assert.is(differing.code, 1);
  assert.match(differing.stdout, /^sds web \(stale\)\n--- acknowledged nothing\n/);
});

/** Two of each kind of thing that can be: as proto JSON in Envoy's words, beside what the controller knows. */
const dump = {
  configs: [
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.BootstrapConfigDump',
      bootstrap: {
        node: { id: 'mesh/demo/virtualNode/web' },
        dynamic_resources: { ads_config: { api_type: 'DELTA_GRPC' } },
      },
    },
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump',
      dynamic_active_clusters: [
        { version_info: 'c1', cluster: { name: 'same', type: 'EDS' } },
        { version_info: 'x1', cluster: { name: 'stranger\u001b[2J', type: 'EDS' } },
      ],
      dynamic_warming_clusters: [{ version_info: 'c2', cluster: { name: 'warming', type: 'EDS' } }],
    },
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.ListenersConfigDump',
      dynamic_listeners: [
        { name: 'refused', active_state: { version_info: 'l1', listener: { name: 'refused' } } },
        { name: 'draining', draining_state: { version_info: 'l0', listener: {} } },
      ],
    },
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.RoutesConfigDump',
      dynamic_route_configs: [
        {
          version_info: 'r0',
          route_config: { name: 'tampered', max_direct_response_body_size_bytes: 5 },
        },
      ],
    },
    { '@type': 'type.googleapis.com/envoy.admin.v3.SecretsConfigDump' },
  ],
};

const version = (name: string, json?: Readonly<Record<string, unknown>>) => ({
  version: name,
  json,
});

const known: readonly ProxyResourceView[] = [
  {
    ...{ type: 'cds', name: 'same', state: 'synced' },
    desired: version('c1', { name: 'same', type: 'EDS', lb_policy: 'ROUND_ROBIN' }),
    running: version('c1', { name: 'same', type: 'EDS', lb_policy: 'ROUND_ROBIN' }),
  },
  {
    ...{ type: 'cds', name: 'warming', state: 'synced' },
    desired: version('c2', { name: 'warming', type: 'EDS' }),
    running: version('c2', { name: 'warming', type: 'EDS' }),
  },
  {
    ...{ type: 'eds', name: 'same', state: 'synced' },
    desired: version('e1', { cluster_name: 'same' }),
    running: version('e1', { cluster_name: 'same' }),
  },
  {
    ...{ type: 'lds', name: 'refused', state: 'rejected', error: 'no such folder' },
    desired: version('l2', { name: 'refused', stat_prefix: 'new' }),
    running: version('l1', { name: 'refused' }),
  },
  {
    ...{ type: 'rds', name: 'tampered', state: 'synced' },
    desired: version('r1', { name: 'tampered' }),
    running: version('r1', { name: 'tampered' }),
  },
  {
    ...{ type: 'sds', name: 'web', state: 'synced' },
    ...{ desired: version('s1'), running: version('s1') },
  },
];

diff('with a config dump tells in how far what runs is another thing', () => {
  const running = readConfigDump(dump);
  assert.ok(running);
  const compared = compareRunning(known, running);
  assert.equal(
    compared.map(({ name, runs, differs }) => [name, runs, differs]),
    [
      ['same', 'asIntended', false],
      ['warming', 'warming', true],
      ['same', 'notTold', false],
      ['refused', 'asAcknowledged', true],
      ['tampered', 'other', true],
      ['web', 'missing', true],
      ['stranger\u001b[2J', 'onlyInEnvoy', true],
    ],
  );
  const text = renderRunningDiff(
    compared.filter(({ differs }) => differs),
    outStyle,
  );
  assertGolden(projectPath('test/golden/cli/proxy-diff-of-what-runs.txt'), text);
});

diff('refuses a dump that is none, or is of another node', async () => {
  const running = await runApi([], { proxyResources: () => [] });
  const node = 'mesh/demo/virtualNode/other';
  const identity = { nodeId: node, instance: 'o', kind: 'envoy' } as const;
  const status = { id: proxyId('p'), identity, address: '', connectedAtMs: 0, ackedGeneration: 0 };
  running.proxies.push({ ...status, types: {}, userAgent: '' });
  const folder = await mkdtemp(join(tmpdir(), 'headgate-dump-'));
  const file = join(folder, 'dump.json');
  const ask = (...args: readonly string[]) =>
    runHere(['proxies', 'p', '--server', running.url, ...args]);
  try {
    await writeFile(file, JSON.stringify(dump));
    const other = await ask('--config-dump', file);
    assert.match(other.stderr, `the config dump is of mesh/demo/virtualNode/web, and p is ${node}`);
    await writeFile(file, '{}');
    assert.match((await ask('--config-dump', file)).stderr, 'gives no config dump of an Envoy');
    assert.match((await ask('--config-dump', `${file}.no`)).stderr, 'cannot be read');
    assert.match((await ask('--admin', '127.0.0.1:9')).stderr, 'cannot ask Envoy at 127.0.0.1:9');
    assert.is((await ask('--admin', '127.0.0.1:9', '--config-dump', file)).code, 2);
  } finally {
    await running.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

diff.run();
