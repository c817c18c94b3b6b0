/** `headgate proxies ID --diff`: what differs between intended and acknowledged, and what does not. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProxyResourceView } from '../../controller/api/proxy-config-view.js';
import { createIo } from '../../controller/cli/io.js';
import { renderProxyDiff } from '../../controller/cli/render-proxy-diff.js';
import type { ProxyResource } from '../../controller/loop/ports.js';
import { runApi } from '../api/running-api.js';
import { runHere } from './run-main.js';

const diff = suite('headgate proxies --diff');

const stream = { write: () => {} };
const { outStyle } = createIo({}, { stdout: stream, stderr: stream });

const same: ProxyResourceView = {
  type: 'cds',
  name: 'same',
  state: 'synced',
  desired: { version: 'a', json: { a: 1 } },
  running: { version: 'a', json: { a: 1 } },
};

diff('shows the lines that differ, and Envoy’s words', () => {
  const text = renderProxyDiff(
    [
      same,
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
  assert.is(renderProxyDiff([same], outStyle), '');
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

diff.run();
