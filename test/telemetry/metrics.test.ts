/** `/metrics` by Prometheus' own checker, and by the table that documents it. */
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { proxyId } from '../../controller/base/brand.js';
import type { ProxyStatus } from '../../controller/loop/ports.js';
import type { MemberView } from '../../controller/replicas/view.js';
import { type Metric, metricLabels, metricTable } from '../../controller/telemetry/metric-table.js';
import { createMetrics, type Metrics } from '../../controller/telemetry/metrics.js';
import { ScriptedLoop } from '../rollout/scripted-loop.js';

const metrics = suite('metrics');

const proxy: ProxyStatus = {
  id: proxyId('proxy-7'),
  identity: { nodeId: 'mesh/demo/virtualNode/web', instance: 'web1', kind: 'envoy' },
  address: '127.0.0.1:50001',
  connectedAtMs: 0,
  ackedGeneration: 2,
  types: {},
  userAgent: 'envoy 1.40.0',
};

/** A controller in the middle of a rollout, with something in every source. */
function busy(replicas?: MemberView): { readonly loop: ScriptedLoop; readonly all: Metrics } {
  const loop = new ScriptedLoop();
  const all = createMetrics({
    version: '1.2.3',
    replicas: () => replicas,
    moment: () => ({ state: loop.state, proxies: [proxy], nowMs: loop.nowMs }),
    ready: () => [{ name: 'store', isOk: false }],
    events: () => [[{ event: 'rollout.moved', level: 'info' }, 3]],
    xds: {
      refusals: () => new Map([['node', 2]]),
      sent: () => [
        [{ type: 'cluster', of: 'pushes' }, 5],
        [{ type: 'cluster', of: 'bytes' }, 700],
      ],
      streams: () => new Map([['ads', 4]]),
      snapshotBytes: () => new Map([['route', 900]]),
    },
    lostLines: () => 6,
    sinks: () => [{ sink: 'chat', delivered: 1, failedAttempts: 2, givenUp: 3 }],
    certificates: () => [{ name: 'xds', use: 'server', atMs: 1_800_000_000_000 }],
  });
  let seen = loop.state;
  for (const line of script) {
    loop.run(line);
    all.moved(seen, loop.state, loop.nowMs);
    seen = loop.state;
  }
  all.polled({ kind: 'unchanged' }, { fromMs: 0, toMs: 40 });
  const revision = { id: 'b2', author: '', title: '', committedAtMs: 0 };
  all.decoded(revision, 0, { fromMs: 0, toMs: 300 });
  all.handled('tick', 4);
  return { loop, all };
}

const script = [
  'policy steps=10,100 bake=4s min=99 requests=5',
  'connect web1',
  'commit a1 checkout:v1=100,v2=0',
  'ack',
  'commit b2 checkout:v1=0,v2=100',
  'ack',
  'traffic checkout-v1 ok=90',
  'traffic checkout-v2 ok=10',
  'tick 1s',
  'reject c3',
];

const replicaGauges = [
  ...['headgate_leader', 'headgate_leader_epoch', 'headgate_replicas', 'headgate_replica_role'],
  ...['headgate_state_commits', 'headgate_state_regressed'],
];

async function samplesOf(all: Metrics): Promise<readonly string[]> {
  const { text } = await all.scrape();
  return text.split('\n').filter((line) => line.startsWith('headgate_'));
}

metrics('promtool finds nothing to say about a scrape', async () => {
  const { all } = busy();
  const { text } = await all.scrape();
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  const about = checked.stderr.split('\n').filter((line) => line.startsWith('headgate'));
  assert.equal(about, []);
  assert.is(checked.error, undefined);
});

metrics('every metric of the table is in a scrape, with its labels and no others', async () => {
  const samples = await samplesOf(busy().all);
  const { text } = await busy().all.scrape();
  for (const [name, { type, labels, help }] of Object.entries<Metric>(metricTable)) {
    assert.ok(text.includes(`# TYPE ${name} ${type}\n`), name);
    assert.ok(text.includes(`# HELP ${name} ${help}\n`), name);
    const own = samples.filter(
      (line) => /^\w+/.exec(line)?.[0].replace(/_(sum|count|bucket)$/, '') === name,
    );
    if (
      name === 'headgate_rollout_duration_seconds' ||
      name === 'headgate_proxy_convergence_seconds' ||
      replicaGauges.includes(name)
    ) {
      // No rollout has ended, no proxy has acknowledged anything, there is one controller: tested below.
      continue;
    }
    assert.ok(own.length > 0, `${name} has no sample`);
    for (const line of own) {
      const found = [...line.matchAll(/[{,](\w+)="/g)].map(([, label]) => label);
      assert.equal(found.filter((label) => label !== 'le').sort(), [...labels].sort(), line);
    }
  }
  const known = Object.keys(metricTable);
  const others = [...text.matchAll(/^# TYPE (headgate_\w+)/gm)].filter(
    ([, name = '']) => !known.includes(name),
  );
  assert.equal(others, []);
});

metrics('a replica among several says who leads', async () => {
  const position = { epoch: 3, seq: 7 };
  const row = { name: 'a', version: '1', xds: '', http: '', role: 'leading', proxies: 2 } as const;
  const { all } = busy({
    ...{ name: 'a', role: 'leading', epoch: 3, leader: 'a', position },
    replicas: [
      { ...row, silentMs: 0, position },
      { ...row, name: 'b', role: 'following', silentMs: 5, position },
    ],
  });
  const samples = await samplesOf(all);
  for (const sample of [
    'headgate_leader 1',
    'headgate_leader_epoch 3',
    'headgate_replicas 2',
    'headgate_replica_role{replica="b",member="following"} 1',
    'headgate_replica_role{replica="b",member="leading"} 0',
    'headgate_state_commits 7',
    'headgate_state_regressed 0',
    'headgate_log_lines_lost_total 6',
  ]) {
    assert.ok(samples.includes(sample), sample);
  }
});

metrics('every label is explained, and none is there that no metric has', () => {
  const used = Object.values<Metric>(metricTable).flatMap(({ labels }) => labels);
  assert.equal([...new Set(used)].sort(), Object.keys(metricLabels).sort());
});

metrics('what others count is shown as they count it', async () => {
  const samples = await samplesOf(busy().all);
  for (const line of [
    'headgate_ready{check="store"} 0',
    'headgate_events_total{event="rollout.moved",level="info"} 3',
    'headgate_git_poll_duration_seconds_bucket{le="0.05",result="unchanged"} 1',
    'headgate_git_poll_duration_seconds_sum{result="unchanged"} 0.04',
    'headgate_decode_duration_seconds_sum 0.3',
    'headgate_reconcile_duration_seconds_sum 0.004',
    'headgate_xds_denied_total{reason="node"} 2',
    'headgate_xds_pushes_total{type="cds"} 5',
    'headgate_xds_sent_bytes_total{type="cds"} 700',
    'headgate_xds_streams{service="ads"} 4',
    'headgate_snapshot_bytes{type="rds"} 900',
    'headgate_notifications_total{sink="chat",result="delivered"} 1',
    'headgate_notifications_total{sink="chat",result="failed"} 2',
    'headgate_notifications_total{sink="chat",result="givenUp"} 3',
    'headgate_cert_expiry_timestamp_seconds{certificate="xds",use="server"} 1800000000',
    'headgate_rollouts_total{result="RolledBack"} 0',
    'headgate_gate_limit{mesh="demo",rollout="checkout",gate="errors"} 99',
    'headgate_rollout_steps{mesh="demo",rollout="checkout"} 2',
  ]) {
    assert.ok(samples.includes(line), `${line} is missing in\n${samples.join('\n')}`);
  }
});

metrics('convergence is timed for proxies that a publication gave something new', async () => {
  const { all } = busy();
  const count = async () => {
    const [line] = (await samplesOf(all)).filter((each) => /convergence_seconds_count/.test(each));
    return Number(line?.split(' ')[1]);
  };
  // Acknowledged before the publication is over: there was nothing in it for this proxy.
  all.acked({ ...proxy, ackedGeneration: 3 }, 1000);
  all.published(3, () => [], 1000);
  assert.is(await count(), 0);
  all.published(4, () => [], 2000);
  all.acked({ ...proxy, ackedGeneration: 4 }, 2200);
  all.acked({ ...proxy, ackedGeneration: 4, connectedAtMs: 2100 }, 2300);
  assert.is(await count(), 1, 'who connected later did not wait for it');
  const samples = await samplesOf(all);
  assert.ok(samples.includes('headgate_proxy_convergence_seconds_sum 0.2'), samples.join('\n'));
});

metrics.run();
