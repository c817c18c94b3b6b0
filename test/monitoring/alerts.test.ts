/** Each alert by `promtool test rules`: series on which it fires, with its text, and such on which it must not. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderAlertRules, renderRunbooks } from '../../controller/monitoring/alert-rules.js';
import { alertTable } from '../../controller/monitoring/alert-table.js';
import { runHere } from '../cli/run-main.js';
import { withTempFolder } from '../support/temp-folder.js';

const alerts = suite('alerts');

interface Case {
  /** Series by name, with values each minute, as promtool writes them. */
  readonly series: Readonly<Record<string, string>>;
  /** When it is looked at. */
  readonly at: string;
  /** Labels besides the severity, and the summary; undefined: it must not fire. */
  readonly fires?: { readonly labels?: Readonly<Record<string, string>>; readonly summary: string };
}

const phase = (name: string) =>
  `headgate_rollout_phase{mesh="shop",rollout="reviews",phase="${name}"}`;
const ofRollout = { mesh: 'shop', rollout: 'reviews' };

const cases: Readonly<Record<string, readonly Case[]>> = {
  HeadgateDown: [
    {
      series: { 'up{job="headgate"}': '0x20' },
      at: '6m',
      fires: { summary: 'No Headgate controller answers.' },
    },
    {
      series: {
        'up{job="headgate",instance="a"}': '0x20',
        'up{job="headgate",instance="b"}': '1x20',
      },
      at: '10m',
    },
  ],
  HeadgateNotReady: [
    {
      series: { 'headgate_ready{check="store"}': '0x10', 'headgate_ready{check="xds"}': '1x10' },
      at: '6m',
      fires: { labels: { check: 'store' }, summary: 'The check store of readiness fails.' },
    },
    { series: { 'headgate_ready{check="store"}': '0 0 0 1x10' }, at: '8m' },
  ],
  HeadgateNoLeader: [
    {
      series: {
        'headgate_leader{instance="a"}': '0x10',
        'headgate_leader{instance="b"}': '0x10',
      },
      at: '5m',
      fires: { summary: '0 of the replicas lead.' },
    },
    {
      series: {
        'headgate_leader{instance="a"}': '1x10',
        'headgate_leader{instance="b"}': '0x10',
      },
      at: '5m',
    },
  ],
  HeadgateGitPollFailing: [
    {
      series: { headgate_git_last_success_timestamp_seconds: '60x30' },
      at: '20m',
      fires: { summary: 'The mesh repository has not answered for 19m 0s.' },
    },
    { series: { headgate_git_last_success_timestamp_seconds: '0+60x30' }, at: '20m' },
  ],
  HeadgateConfigInvalid: [
    {
      series: {
        'headgate_config_errors{code="HG0401"}': '2x10',
        'headgate_config_errors{code="HG0204"}': '1x10',
      },
      at: '6m',
      fires: { summary: 'The newest commit has 3 errors, and nothing of it is applied.' },
    },
    { series: { headgate_build_info: '1x10' }, at: '6m' },
  ],
  HeadgateOutOfSync: [
    {
      series: {
        'headgate_sync_status{mesh="shop",status="held"}': '1x40',
        'headgate_sync_status{mesh="shop",status="synced"}': '0x40',
      },
      at: '31m',
      fires: { labels: { mesh: 'shop' }, summary: 'Mesh shop is not what Git asks for.' },
    },
    { series: { 'headgate_sync_status{mesh="shop",status="progressing"}': '1x40' }, at: '31m' },
  ],
  HeadgateRolloutStuck: [
    {
      series: { [phase('Progressing')]: '1x20' },
      at: '16m',
      fires: { labels: ofRollout, summary: 'The rollout of reviews in shop waits for proxies.' },
    },
    { series: { [phase('Progressing')]: '1x5 _x30', [phase('Baking')]: '_x5 1x30' }, at: '30m' },
  ],
  HeadgateRolloutPaused: [
    {
      series: { [phase('Paused')]: '1x70' },
      at: '61m',
      fires: { labels: ofRollout, summary: 'The rollout of reviews in shop is paused.' },
    },
    { series: { [phase('Baking')]: '1x70' }, at: '61m' },
  ],
  HeadgateWaitingForApproval: [
    {
      series: { [phase('WaitingForApproval')]: '1x250' },
      at: '241m',
      fires: { labels: ofRollout, summary: 'The rollout of reviews in shop waits for approval.' },
    },
    { series: { [phase('WaitingForApproval')]: '1x250' }, at: '200m' },
  ],
  HeadgateRolledBack: [
    {
      series: { 'headgate_rollouts_total{result="RolledBack"}': '0x5 1x20' },
      at: '8m',
      fires: { labels: { result: 'RolledBack' }, summary: 'A rollout ended RolledBack.' },
    },
    {
      series: {
        'headgate_rollouts_total{result="Succeeded"}': '0x5 1x20',
        'headgate_rollouts_total{result="RolledBack"}': '1x25',
      },
      at: '8m',
    },
  ],
  HeadgateProxyRejected: [
    {
      series: { 'headgate_proxies{state="rejected"}': '2x10' },
      at: '6m',
      fires: { summary: '2 proxies refuse a part of their configuration.' },
    },
    {
      series: {
        'headgate_proxies{state="rejected"}': '0x10',
        'headgate_proxies{state="synced"}': '9x10',
      },
      at: '6m',
    },
  ],
  HeadgateProxyStale: [
    {
      series: { 'headgate_proxies{state="stale"}': '1x20' },
      at: '16m',
      fires: { summary: '1 proxies have not taken the newest configuration.' },
    },
    {
      series: { 'headgate_proxies{state="stale"}': '1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0' },
      at: '16m',
    },
  ],
  HeadgateProxiesLost: [
    {
      series: { 'headgate_proxies{state="synced"}': '10x20 7x20' },
      at: '30m',
      fires: { summary: 'More than a fifth of the proxies of the last hour are gone; 7 are left.' },
    },
    { series: { 'headgate_proxies{state="synced"}': '10x20 9x20' }, at: '30m' },
  ],
  HeadgateXdsDenied: [
    {
      series: { 'headgate_xds_denied_total{reason="node"}': '0+5x30' },
      at: '25m',
      fires: { labels: { reason: 'node' }, summary: 'The xDS port refuses again and again: node.' },
    },
    { series: { 'headgate_xds_denied_total{reason="node"}': '0x10 1x30' }, at: '25m' },
  ],
  HeadgateCertificateExpiry: [
    {
      series: {
        'headgate_cert_expiry_timestamp_seconds{certificate="xds",use="server"}': '180000x70',
      },
      at: '61m',
      fires: {
        labels: { certificate: 'xds', use: 'server' },
        summary: 'The certificate xds (server) ends in 2d 0h 59m 0s.',
      },
    },
    {
      series: {
        'headgate_cert_expiry_timestamp_seconds{certificate="xds",use="server"}': '1800000x70',
      },
      at: '61m',
    },
  ],
  HeadgateNotificationsFailing: [
    {
      series: {
        'headgate_notifications_total{sink="chat",result="failed"}': '0+1x40',
        'headgate_notifications_total{sink="chat",result="delivered"}': '5x40',
      },
      at: '35m',
      fires: { labels: { sink: 'chat' }, summary: 'Nothing reaches the notification target chat.' },
    },
    {
      series: {
        'headgate_notifications_total{sink="chat",result="failed"}': '0+1x40',
        'headgate_notifications_total{sink="chat",result="delivered"}': '0+1x40',
      },
      at: '35m',
    },
  ],
  HeadgateLoopSlow: [
    {
      series: {
        'headgate_reconcile_duration_seconds_bucket{le="0.5"}': '0x30',
        'headgate_reconcile_duration_seconds_bucket{le="1"}': '0+10x30',
        'headgate_reconcile_duration_seconds_bucket{le="+Inf"}': '0+10x30',
      },
      at: '20m',
      fires: { summary: 'A step of the controller takes 995ms.' },
    },
    {
      series: {
        'headgate_reconcile_duration_seconds_bucket{le="0.5"}': '0+10x30',
        'headgate_reconcile_duration_seconds_bucket{le="+Inf"}': '0+10x30',
      },
      at: '20m',
    },
  ],
  HeadgateInternalError: [
    {
      series: { 'headgate_events_total{event="snapshot.inconsistent",level="error"}': '0x5 1x10' },
      at: '7m',
      fires: {
        labels: { event: 'snapshot.inconsistent' },
        summary: 'The controller met a bug of its own: snapshot.inconsistent.',
      },
    },
    {
      series: { 'headgate_events_total{event="store.failed",level="error"}': '0x5 1x10' },
      at: '7m',
    },
  ],
  EnvoyDisconnectedFromHeadgate: [
    {
      series: { 'envoy_control_plane_connected_state{instance="a:9901"}': '0x10' },
      at: '6m',
      fires: { labels: { instance: 'a:9901' }, summary: 'Envoy a:9901 has no control plane.' },
    },
    { series: { 'envoy_control_plane_connected_state{instance="a:9901"}': '1x10' }, at: '6m' },
  ],
  EnvoyRejectsConfiguration: [
    {
      series: {
        'envoy_cluster_manager_cds_update_rejected{instance="a:9901"}': '0x5 1x10',
        'envoy_listener_manager_lds_update_rejected{instance="a:9901"}': '0x15',
      },
      at: '7m',
      fires: {
        labels: { instance: 'a:9901' },
        summary: 'Envoy a:9901 refused clusters or listeners.',
      },
    },
    {
      series: {
        'envoy_cluster_manager_cds_update_rejected{instance="a:9901"}': '1x15',
        'envoy_listener_manager_lds_update_rejected{instance="a:9901"}': '0x15',
      },
      at: '7m',
    },
  ],
};

alerts('each fires where it must, with its text, and is silent where it must', async () => {
  await withTempFolder(async (folder) => {
    await writeFile(join(folder, 'alerts.yaml'), renderAlertRules(runbooksPage));
    const tests = alertTable.flatMap(({ name, severity }) =>
      (cases[name] ?? []).map((one) => ({
        interval: '1m',
        input_series: Object.entries(one.series).map(([series, values]) => ({ series, values })),
        alert_rule_test: [
          {
            eval_time: one.at,
            alertname: name,
            exp_alerts: one.fires === undefined ? [] : [expectedAlert(name, severity, one.fires)],
          },
        ],
      })),
    );
    const file = { rule_files: ['alerts.yaml'], evaluation_interval: '1m', tests };
    await writeFile(join(folder, 'tests.yaml'), JSON.stringify(file));
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'tests.yaml'], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.is(status, 0, `${stdout}${stderr}`);
  });
});

const runbooksPage = 'https://wiki.example/runbooks';

function expectedAlert(
  name: string,
  severity: string,
  { labels = {}, summary }: NonNullable<Case['fires']>,
) {
  const url = `${runbooksPage}#${name.toLowerCase()}`;
  return { exp_labels: { severity, ...labels }, exp_annotations: { summary, runbook_url: url } };
}

alerts('each has series on which it fires, and others on which it does not', () => {
  for (const { name } of alertTable) {
    const fires = (cases[name] ?? []).map((one) => one.fires !== undefined);
    assert.equal([...fires].sort(), [false, true], name);
  }
  assert.is(Object.keys(cases).length, alertTable.length);
});

alerts('each has a part of the runbooks at the address that it names', () => {
  const runbooks = renderRunbooks();
  for (const { name } of alertTable) {
    assert.ok(runbooks.includes(`\n## ${name}\n`), name);
    assert.ok(
      renderAlertRules(runbooksPage).includes(`"${runbooksPage}#${name.toLowerCase()}"\n`),
      name,
    );
  }
});

alerts('headgate alerts prints the rules, with links only to a page that was named', async () => {
  const { code, stdout } = await runHere(['alerts']);
  assert.equal({ code, stdout }, { code: 0, stdout: renderAlertRules() });
  assert.not.match(stdout, 'runbook_url');
  const linked = await runHere(['alerts', '--runbook-url', runbooksPage]);
  assert.is(linked.stdout, renderAlertRules(runbooksPage));
  assert.is((await runHere(['alerts', '--runbook-url', 'runbooks.md'])).code, 2);
});

alerts('runbooks name commands that exist', async () => {
  const named = [...renderRunbooks().matchAll(/`headgate ([a-z][a-z-]*)/g)].map(([, verb]) => verb);
  const known = ['abort', 'approve', 'bootstrap', 'check', 'explain', 'notify', 'plan', 'proxies'];
  const more = ['resume', 'retry', 'rollouts', 'status', 'validate'];
  assert.equal([...new Set(named)].sort(), [...known, ...more].sort());
});

alerts.run();
