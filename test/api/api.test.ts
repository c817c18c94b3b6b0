/** The routes of the HTTP API on a real port: shapes of the contract, commands, health and metrics. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Access } from '../../controller/access/access.js';
import { createApi } from '../../controller/api/api.js';
import type { HistoryView, RevisionView } from '../../controller/api/history-view.js';
import type { RolloutView } from '../../controller/api/rollout-view.js';
import type { ErrorView, StatusView } from '../../controller/api/view.js';
import { proxyId } from '../../controller/base/brand.js';
import type { Problem } from '../../controller/base/problem.js';
import type { ProxyStatus } from '../../controller/loop/ports.js';
import { type RunningApi, runApi } from './running-api.js';

/** A rollout in its first step, with traffic. */
const inFirstStep = [
  'policy steps=10,50,100 bake=10s',
  'connect web1',
  'commit a1 checkout:v1=100,v2=0',
  'ack',
  'commit b2 checkout:v1=0,v2=100',
  'ack',
  'traffic checkout-v1 ok=90',
  'traffic checkout-v2 ok=10',
  'tick 3s',
];

const api = suite<{ running: RunningApi }>('api');

api.before.each(async (context) => {
  context.running = await runApi(inFirstStep);
});

api.after.each(({ running }) => running.stop());

const proxy: ProxyStatus = {
  id: proxyId('127.0.0.1:50000/1'),
  identity: { nodeId: 'mesh/demo/virtualNode/web', instance: 'web1', kind: 'envoy' },
  address: '127.0.0.1:50000',
  connectedAtMs: Date.UTC(2026, 0, 1),
  ackedGeneration: 3,
  types: {
    cluster: { state: 'synced', version: 'c1', ackedVersion: 'c1', sinceMs: Date.UTC(2026, 0, 2) },
    route: {
      state: 'rejected',
      version: 'r2',
      ackedVersion: 'r1',
      sinceMs: Date.UTC(2026, 0, 3),
      error: 'no such cluster',
    },
  },
  userAgent: 'envoy 1.40.0',
};

api('status has the shape of the contract', async ({ running }) => {
  running.proxies.push(proxy);
  const response = await running.get('/api/v1/status');
  assert.is(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  const status = (await response.json()) as StatusView;
  assert.equal(status.revision, { desired: 'b2', applied: 'a1', attempted: 'b2' });
  assert.equal(status.proxies, { connected: 1, synced: 0, rejected: 1 });
  assert.equal(
    status.meshes.map(({ name, sync }) => [name, sync]),
    [['demo', 'progressing']],
  );
  assert.equal(
    status.rollouts.map(({ id }) => id),
    ['checkout-1'],
  );
  assert.equal(status.held, []);
  assert.is(status.source.state, 'ok');
  assert.is(status.commits.b2?.title, 'change b2');
});

api('a rollout has the shape of the contract', async ({ running }) => {
  const rollout = await running.json<RolloutView>('/api/v1/rollouts/checkout-1');
  const { id, mesh, name, phase, progress, step, targets, gates, revision, startedAt } = rollout;
  assert.equal(
    { id, mesh, name, phase, progress, step, revision, startedAt },
    {
      id: 'checkout-1',
      mesh: 'demo',
      name: 'checkout',
      phase: 'Baking',
      progress: 10,
      step: { index: 1, count: 3 },
      revision: 'b2',
      startedAt: '2026-01-01T00:00:00.000Z',
    },
  );
  const common = { router: 'checkout', route: 'main', port: 8080 };
  assert.equal(targets, [
    { ...common, virtualNode: 'checkout-v1', applied: 100, desired: 0, served: 90, actual: 90 },
    { ...common, virtualNode: 'checkout-v2', applied: 0, desired: 100, served: 10, actual: 10 },
  ]);
  assert.equal(gates, [
    {
      name: 'errors',
      verdict: 'pass',
      observed: 100,
      limit: 99,
      samples: 30,
      at: '2026-01-01T00:00:03.000Z',
      text: 'success rate 100.00% ≥ 99% (30 requests, 10s)',
      failures: 0,
      errors: 0,
    },
  ]);
  assert.is(rollout.waitsFor, 'bake time until 2026-01-01T00:00:10Z');
  assert.not('endedAt' in rollout);
  const list = await running.json<RolloutView[]>('/api/v1/rollouts');
  assert.equal(list, [rollout]);
});

api('an ended rollout says when and why, and is listed after newer ones', async ({ running }) => {
  running.run('abort checkout-1 too slow', 'ack', 'commit c3 checkout:v1=50,v2=50', 'ack');
  const list = await running.json<RolloutView[]>('/api/v1/rollouts');
  assert.equal(
    list.map(({ id, phase }) => [id, phase]),
    [
      ['checkout-2', 'Baking'],
      ['checkout-1', 'Aborted'],
    ],
  );
  assert.is(list[1]?.endedAt, '2026-01-01T00:00:03.000Z');
  assert.is(list[1]?.reason, 'abort by ann: too slow');
  assert.is(list[1]?.progress, 0);
});

api('proxies have the shape of the contract', async ({ running }) => {
  running.proxies.push(proxy);
  const expected = {
    id: '127.0.0.1:50000/1',
    node: 'mesh/demo/virtualNode/web',
    address: '127.0.0.1:50000',
    connectedAt: '2026-01-01T00:00:00.000Z',
    types: {
      cds: {
        state: 'synced',
        version: 'c1',
        ackedVersion: 'c1',
        since: '2026-01-02T00:00:00.000Z',
      },
      rds: {
        state: 'rejected',
        version: 'r2',
        ackedVersion: 'r1',
        since: '2026-01-03T00:00:00.000Z',
        error: 'no such cluster',
      },
    },
    state: 'rejected',
    userAgent: 'envoy 1.40.0',
  };
  assert.equal(await running.json('/api/v1/proxies'), [expected]);
  const path = `/api/v1/proxies/${encodeURIComponent(expected.id)}`;
  assert.equal(await running.json(path), expected);
});

api('problems are those of the newest revision', async ({ running }) => {
  assert.equal(await running.json('/api/v1/problems'), []);
  running.run('reject d4');
  const [problem] = await running.json<Problem[]>('/api/v1/problems');
  assert.is(problem?.code, 'HG0201');
  const status = await running.json<StatusView>('/api/v1/status');
  assert.is(
    status.revision.error,
    'commit d4 is rejected: a.yaml:1:1: error HG0201 this is not YAML',
  );
});

api('revisions and history come newest first, page by page', async ({ running }) => {
  running.history.length = 0;
  for (const id of ['one', 'two', 'three']) {
    running.history.push(
      {
        atMs: 1000,
        kind: 'revision',
        json: JSON.stringify({
          id,
          author: 'ann',
          title: `change ${id}`,
          committedAtMs: 0,
          verdict: 'accepted',
          problems: 0,
        }),
      },
      {
        atMs: 2000,
        kind: 'command',
        json: JSON.stringify({
          rollout: 'checkout-1',
          command: 'pause',
          by: 'ann',
          reason: 'lunch',
        }),
      },
    );
  }
  const revisions = await running.json<RevisionView[]>('/api/v1/revisions?limit=2');
  assert.equal(
    revisions.map(({ id }) => id),
    ['three', 'two'],
  );
  assert.equal(revisions[0], {
    id: 'three',
    author: 'ann',
    title: 'change three',
    committedAt: '1970-01-01T00:00:00.000Z',
    verdict: 'accepted',
    problems: 0,
    at: '1970-01-01T00:00:01.000Z',
    entry: 5,
  });
  const before = revisions[1]?.entry;
  const older = await running.json<RevisionView[]>(`/api/v1/revisions?before=${before}`);
  assert.equal(
    older.map(({ id }) => id),
    ['one'],
  );
  const [command] = await running.json<HistoryView[]>('/api/v1/history?kind=command&limit=1');
  assert.equal(command, {
    id: 6,
    at: '1970-01-01T00:00:02.000Z',
    kind: 'command',
    event: 'rollout.command',
    rollout: 'checkout-1',
    text: 'pause checkout-1 by ann: lunch',
    data: { rollout: 'checkout-1', command: 'pause', by: 'ann', reason: 'lunch' },
  });
});

api(
  'a command reaches the loop with who and why, and answers with the rollout',
  async (context) => {
    const { running } = context;
    const body = { reason: 'look at\nthe errors', by: 'ann' };
    const response = await running.post('/api/v1/rollouts/checkout-1/pause', body);
    assert.is(response.status, 200);
    assert.is(((await response.json()) as RolloutView).phase, 'Paused');
    assert.equal(running.commands, [
      { rollout: 'checkout-1', command: 'pause', reason: 'look at the errors', by: 'ann' },
    ]);
    const [line] = running.logger.lines;
    assert.is(line?.event, 'rollout.command');
    assert.is(line?.fields.by, 'ann');
    await running.post('/api/v1/rollouts/checkout-1/resume', {});
    assert.is(running.commands[1]?.by, 'an API client at 127.0.0.1');
  },
);

api('a command that cannot be given now is a conflict with the reason', async ({ running }) => {
  const response = await running.post('/api/v1/rollouts/checkout-1/approve', {});
  assert.is(response.status, 409);
  const { error } = (await response.json()) as ErrorView;
  assert.is(error.code, 'conflict');
  assert.match(error.message, /cannot approve, since it does not wait for an approval/);
});

api('livez is always ok; readyz says what is missing', async ({ running }) => {
  assert.is(await (await running.get('/livez')).text(), 'ok\n');
  running.checks.push({ name: 'snapshot', isOk: true }, { name: 'store', isOk: true });
  const ready = await running.get('/readyz');
  assert.is(ready.status, 200);
  assert.is(await ready.text(), 'ok\n');
  const verbose = await running.get('/readyz?verbose');
  assert.is(await verbose.text(), '[+]snapshot ok\n[+]store ok\nok\n');
  running.checks.push({ name: 'xds', isOk: false });
  const unready = await running.get('/readyz');
  assert.is(unready.status, 503);
  assert.is(await unready.text(), '[+]snapshot ok\n[+]store ok\n[-]xds failed\nnot ready\n');
  assert.is((await running.get('/livez')).status, 200);
});

api('metrics show the moment and count what happened', async ({ running }) => {
  running.proxies.push(proxy);
  const lines = async () => {
    const response = await running.get('/metrics');
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    return (await response.text()).split('\n').filter((line) => line.startsWith('headgate_'));
  };
  const before = await lines();
  const weight =
    'headgate_route_weight{mesh="demo",rollout="checkout",router="checkout",route="main",target=';
  const cluster = 'envoy_cluster_name="cds_egress_demo_checkout-v2_http_8080"';
  for (const line of [
    `headgate_build_info{version="1.2.3",node_version="${process.version}"} 1`,
    'headgate_sync_status{mesh="demo",status="progressing"} 1',
    'headgate_sync_status{mesh="demo",status="synced"} 0',
    'headgate_proxies{state="rejected"} 1',
    'headgate_proxies{state="synced"} 0',
    'headgate_rollout_phase{mesh="demo",rollout="checkout",phase="Baking"} 1',
    'headgate_rollout_step{mesh="demo",rollout="checkout"} 1',
    'headgate_gate_value{mesh="demo",rollout="checkout",gate="errors"} 100',
    `${weight}"checkout-v2:8080",${cluster},role="canary",kind="set"} 100`,
    `${weight}"checkout-v2:8080",${cluster},role="canary",kind="served"} 10`,
    `${weight}"checkout-v2:8080",${cluster},role="canary",kind="actual"} 10`,
  ]) {
    assert.ok(before.includes(line), `${line} is missing in\n${before.join('\n')}`);
  }
  running.run('traffic checkout-v2 err=30', 'tick 1s', 'ack', 'reject d4');
  const after = await lines();
  for (const line of [
    'headgate_rollouts_total{result="RolledBack"} 1',
    'headgate_rollout_duration_seconds_sum{result="RolledBack"} 4',
    'headgate_gate_result_total{result="fail"} 1',
    'headgate_held_changes{mesh="demo"} 1',
    'headgate_sync_status{mesh="demo",status="held"} 1',
    'headgate_config_errors{code="HG0201"} 1',
  ]) {
    assert.ok(after.includes(line), `${line} is missing in\n${after.join('\n')}`);
  }
  const gone = after.filter((line) => /^headgate_(rollout_phase|route_weight)\{/.test(line));
  assert.equal(gone, [], 'an ended rollout has no gauges');
});

api('a refusal is counted once, however often the proxy is looked at', async ({ running }) => {
  const count = async () => {
    const text = await (await running.get('/metrics')).text();
    return /^headgate_xds_nacks_total\{type="rds"\} (\d+)$/m.exec(text)?.[1];
  };
  const show = (status: ProxyStatus) => {
    const proxies = new Map([[status.id, status]]);
    running.loop.state = { ...running.loop.state, proxies };
    running.stateChanged();
  };
  show(proxy);
  assert.is(await count(), '1');
  show({ ...proxy, ackedGeneration: 4 });
  assert.is(await count(), '1', 'the same refusal');
  const { route } = proxy.types;
  show({
    ...proxy,
    types: { ...proxy.types, route: route && { ...route, sinceMs: route.sinceMs + 1 } },
  });
  assert.is(await count(), '2', 'the next refusal');
});

api('no metric is labelled by something without a bound', async ({ running }) => {
  running.proxies.push(proxy);
  const text = await (await running.get('/metrics')).text();
  for (const unbounded of ['b2', 'checkout-1', '127.0.0.1:50000', 'web1']) {
    assert.not(text.includes(`"${unbounded}"`), `${unbounded} is a label's value`);
  }
});

api('a port that is taken is an operating error with the address', async ({ running }) => {
  const second = createApi({
    listen: running.address,
    state: () => running.loop.state,
    proxies: () => [],
    version: '0',
    metrics: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
    ready: () => [],
    access: new Access({ tokens: [], secret: 'test' }),
    proxyResources: () => undefined,
    revisions: { newest: () => undefined, find: () => Promise.resolve(undefined) },
    history: () => Promise.resolve([]),
    command: () => Promise.resolve({ ok: true, rollout: '' }),
    hooks: { secrets: {}, repositories: new Map(), pollNow: () => {} },
    clock: { now: () => 0, after: () => () => {} },
    logger: running.logger,
  });
  const failure = await second.start().then(
    () => undefined,
    (error: { code?: string; message?: string }) => error,
  );
  assert.is(failure?.code, 'http-listen');
  assert.match(failure?.message ?? '', new RegExp(`127\\.0\\.0\\.1:${running.address.port}`));
  await second.stop(0);
});

api.run();
