/** What the API shows of a state, as golden files: a script makes the state, its JSON is compared. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { viewHistory } from '../../controller/api/history-view.js';
import { viewProxy } from '../../controller/api/proxy-view.js';
import { viewRollouts, viewStatus } from '../../controller/api/view.js';
import { proxyId } from '../../controller/base/brand.js';
import type { ProxyStatus, ProxyTypeStatus, TypeState } from '../../controller/loop/ports.js';
import { ScriptedLoop } from '../rollout/scripted-loop.js';
import { assertGolden, goldenCases } from '../support/golden.js';

const view = suite('api view');

for (const { name, path } of goldenCases('api-view')) {
  view(`${name} is shown as its golden files say`, () => {
    const loop = new ScriptedLoop();
    for (const line of readFileSync(join(path, 'script.txt'), 'utf8').split('\n').filter(Boolean)) {
      loop.run(line);
    }
    const { state, nowMs } = loop;
    const status = viewStatus({ state, proxies: [...state.proxies.values()], nowMs });
    assertGolden(join(path, 'status.json'), JSON.stringify(status, undefined, 2));
    const rollouts = viewRollouts(state, nowMs);
    assertGolden(join(path, 'rollouts.json'), JSON.stringify(rollouts, undefined, 2));
  });
}

function proxyWith(...states: readonly TypeState[]): ProxyStatus {
  const types = ['cluster', 'endpoint', 'listener', 'route'] as const;
  const statusOf = (state: TypeState): ProxyTypeStatus => ({
    state,
    version: 'v',
    ackedVersion: 'v',
    sinceMs: 0,
  });
  return {
    id: proxyId('p'),
    identity: { nodeId: 'n', instance: 'i', kind: 'envoy' },
    address: '127.0.0.1:1',
    connectedAtMs: 0,
    ackedGeneration: 0,
    types: Object.fromEntries(states.map((state, index) => [types[index], statusOf(state)])),
    userAgent: 'envoy',
  };
}

view('a proxy is in the worst of the states of its types', () => {
  assert.is(viewProxy(proxyWith('synced', 'synced')).state, 'synced');
  assert.is(viewProxy(proxyWith('synced', 'notSent')).state, 'notSent');
  assert.is(viewProxy(proxyWith('notSent', 'stale', 'synced')).state, 'stale');
  assert.is(viewProxy(proxyWith('stale', 'rejected', 'synced')).state, 'rejected');
  assert.is(viewProxy(proxyWith()).state, 'notSent');
});

view('a history entry of any kind, even an unknown one, has a line for people', () => {
  const textOf = (kind: string, fields: unknown) =>
    viewHistory({ id: 1, atMs: 0, kind, json: JSON.stringify(fields) }).text;
  assert.is(
    textOf('revision', { id: '0123456789abcdef', verdict: 'rejected', title: 'v2' }),
    '0123456789ab rejected: v2',
  );
  assert.is(
    textOf('rollout', { rollout: 'r-1', phase: 'Baking', reason: 'why' }),
    'r-1 Baking: why',
  );
  assert.is(textOf('command', { rollout: 'r-1', command: 'pause', by: 'ann' }), 'pause r-1 by ann');
  assert.is(textOf('proxy', { proxy: 'p', refused: 'route', error: 'no' }), 'p refused route: no');
  assert.is(textOf('later', { any: 1 }), '{"any":1}');
  assert.is(textOf('later', null), '{}');
});

view('times in a history entry are ISO 8601, however deep', () => {
  const { data } = viewHistory({
    id: 1,
    atMs: 0,
    kind: 'rollout',
    json: JSON.stringify({ committedAtMs: 0, gates: [{ atMs: 1000, samples: 3 }] }),
  });
  assert.equal(data, {
    committedAt: '1970-01-01T00:00:00.000Z',
    gates: [{ at: '1970-01-01T00:00:01.000Z', samples: 3 }],
  });
});

view.run();
