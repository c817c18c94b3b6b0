/**
 * The two dashboards. The first is about the controller, for who runs it; the second about a rollout, for
 * who releases: what Git asks for, what is served, and the stable version beside the canary, both by the
 * Envoys' own statistics. They are joined by `envoy_cluster_name`, which the weights of a rollout name too.
 */
import type { Dashboard, Panel, Query } from './grafana.js';

/** Grafana puts four scrape intervals here, at least. */
const interval = '$__rate_interval';

function lines(
  title: string,
  unit: string,
  width: number,
  about: string,
  ...queries: readonly Query[]
): Panel {
  return { kind: 'timeseries', title, unit, width, about, queries };
}

function stat(title: string, about: string, ...queries: readonly Query[]): Panel {
  return { kind: 'stat', title, unit: 'short', width: 6, about, queries };
}

function quantiles(metric: string, by = ''): readonly Query[] {
  const labels = by === '' ? 'le' : `le, ${by}`;
  const legend = by === '' ? '' : ` {{${by}}}`;
  return [0.5, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (${labels}) (rate(${metric}_bucket[${interval}])))`,
    legend: `p${quantile * 100}${legend}`,
  }));
}

function rateBy(metric: string, label: string): Query {
  return { expr: `sum by (${label}) (rate(${metric}[${interval}]))`, legend: `{{${label}}}` };
}

export const controllerDashboard: Dashboard = {
  uid: 'headgate-controller',
  title: 'Headgate: controller',
  about: 'Whether the controller does its work: Git, the loop, the Envoys, messages, itself.',
  variables: [],
  rows: [
    {
      title: 'Now',
      panels: [
        stat('Meshes that are what Git asks for', '1 where the mesh is in sync, 0 where not.', {
          expr: 'max by (mesh) (headgate_sync_status{status="synced"})',
          legend: '{{mesh}}',
        }),
        stat('Proxies', 'Connected Envoys and gRPC clients by their worst state.', {
          expr: 'max by (state) (headgate_proxies)',
          legend: '{{state}}',
        }),
        stat(
          'Waits for somebody',
          'Errors of the newest commit, held changes, paused rollouts and approvals.',
          {
            expr: 'sum(max by (code) (headgate_config_errors)) or vector(0)',
            legend: 'errors of the commit',
          },
          { expr: 'sum(max by (mesh) (headgate_held_changes))', legend: 'held changes' },
          {
            expr: 'sum by (phase) (max by (mesh, rollout, phase) (headgate_rollout_phase{phase=~"Paused|WaitingForApproval"}))',
            legend: '{{phase}}',
          },
        ),
        stat(
          'Version and readiness',
          'What runs, and each check of readiness.',
          {
            expr: 'headgate_build_info',
            legend: '{{version}}, Node.js {{node_version}}',
          },
          { expr: 'min by (check) (headgate_ready)', legend: '{{check}}' },
        ),
      ],
    },
    {
      title: 'Git',
      panels: [
        lines('Since the repository last answered', 's', 8, 'Rises while it is unreachable.', {
          expr: 'time() - headgate_git_last_success_timestamp_seconds',
          legend: 'seconds',
        }),
        lines(
          'Polls',
          's',
          8,
          'How long a look at the repository takes, by how it ended.',
          ...quantiles('headgate_git_poll_duration_seconds', 'result'),
        ),
        lines('Age of the commit', 's', 8, 'Apart: what Git asks for is not all served.', {
          expr: 'time() - headgate_revision_timestamp_seconds',
          legend: '{{what}}',
        }),
      ],
    },
    {
      title: 'Loop',
      panels: [
        lines(
          'A step of the loop',
          's',
          8,
          'Decided, stored and published.',
          ...quantiles('headgate_reconcile_duration_seconds'),
        ),
        lines(
          'Reading a commit',
          's',
          8,
          'Decoding and validating, in a thread of its own.',
          ...quantiles('headgate_decode_duration_seconds'),
        ),
        lines('Events that are not well', 'short', 8, 'Warnings and errors of the log, by name.', {
          expr: `sum by (event) (increase(headgate_events_total{level!="info"}[${interval}])) > 0`,
          legend: '{{event}}',
        }),
        lines('Rollouts that ended', 'short', 8, 'By how, in the last hour.', {
          expr: 'sum by (result) (increase(headgate_rollouts_total[1h]))',
          legend: '{{result}}',
        }),
        lines(
          'How long rollouts take',
          's',
          8,
          'From start to end.',
          ...quantiles('headgate_rollout_duration_seconds', 'result'),
        ),
        lines(
          'Verdicts and measurements',
          'short',
          8,
          'What gates came to, and what their providers answered.',
          { ...rateBy('headgate_gate_result_total', 'result'), legend: 'verdict {{result}}' },
          { ...rateBy('headgate_gate_measurements_total', 'result'), legend: 'answer {{result}}' },
        ),
      ],
    },
    {
      title: 'Envoys',
      panels: [
        lines('Streams', 'short', 8, 'Open, by service.', {
          expr: 'sum by (service) (headgate_xds_streams)',
          legend: '{{service}}',
        }),
        lines(
          'Pushes a second',
          'short',
          8,
          'By type.',
          rateBy('headgate_xds_pushes_total', 'type'),
        ),
        lines(
          'Bytes a second',
          'Bps',
          8,
          'By type.',
          rateBy('headgate_xds_sent_bytes_total', 'type'),
        ),
        lines(
          'From publication to ACK',
          's',
          8,
          'Of each proxy that it gave something new.',
          ...quantiles('headgate_proxy_convergence_seconds'),
        ),
        lines(
          'Refusals',
          'short',
          8,
          'By proxies (NACK) and of proxies.',
          { ...rateBy('headgate_xds_nacks_total', 'type'), legend: 'NACK {{type}}' },
          { ...rateBy('headgate_xds_denied_total', 'reason'), legend: 'denied: {{reason}}' },
        ),
        lines('Largest set of resources', 'bytes', 8, 'That one proxy is served.', {
          expr: 'max by (type) (headgate_snapshot_bytes)',
          legend: '{{type}}',
        }),
      ],
    },
    {
      title: 'Messages, certificates, process',
      panels: [
        lines('Notifications', 'short', 6, 'Attempts by target and outcome.', {
          expr: `sum by (sink, result) (rate(headgate_notifications_total[${interval}]))`,
          legend: '{{sink}} {{result}}',
        }),
        lines('Certificates end in', 's', 6, 'The first ones.', {
          expr: 'bottomk(10, headgate_cert_expiry_timestamp_seconds - time())',
          legend: '{{certificate}} {{use}}',
        }),
        lines(
          'Processor and event loop',
          'short',
          6,
          'Cores in use; how late the loop is, in seconds.',
          { expr: `rate(process_cpu_seconds_total{job="headgate"}[${interval}])`, legend: 'cores' },
          { expr: 'nodejs_eventloop_lag_p99_seconds{job="headgate"}', legend: 'lag p99' },
        ),
        lines('Memory', 'bytes', 6, 'Of the process.', {
          expr: 'process_resident_memory_bytes{job="headgate"}',
          legend: 'resident',
        }),
      ],
    },
  ],
};

const one = '{mesh="$mesh",rollout="$rollout"}';

/** Figures of the clusters of one side of the rollout. `figure` has `%` where the clusters are chosen. */
function ofRole(role: 'stable' | 'canary', rate: string): string {
  const clusters = `group by (envoy_cluster_name) (headgate_route_weight{mesh="$mesh",rollout="$rollout",role="${role}"})`;
  return `${rate} * on (envoy_cluster_name) group_left () ${clusters}`;
}

function side(role: 'stable' | 'canary'): readonly Panel[] {
  const name = role === 'stable' ? 'Stable' : 'Canary';
  const sum = (metric: string) => `sum(${ofRole(role, `rate(${metric}[${interval}])`)})`;
  const latency = (quantile: number) =>
    `histogram_quantile(${quantile}, sum by (le) (${ofRole(
      role,
      `rate(envoy_cluster_upstream_rq_time_bucket[${interval}])`,
    )}))`;
  return [
    lines(`${name}: requests a second`, 'reqps', 12, 'As its callers’ Envoys count them.', {
      expr: sum('envoy_cluster_upstream_rq_total'),
      legend: 'requests',
    }),
    lines(`${name}: errors`, 'percent', 12, 'Answers 5xx of all.', {
      expr:
        // Envoy has no such counter before the first error.
        `100 * (sum(${ofRole(role, `rate(envoy_cluster_upstream_rq_xx{envoy_response_code_class="5"}[${interval}])`)}) or vector(0))` +
        ` / ${sum('envoy_cluster_upstream_rq_xx')}`,
      legend: '5xx',
    }),
    lines(
      `${name}: latency`,
      'ms',
      12,
      'From request to answer, as callers’ Envoys measure it.',
      { expr: latency(0.5), legend: 'p50' },
      { expr: latency(0.99), legend: 'p99' },
    ),
    lines(
      `${name}: connections`,
      'short',
      12,
      'What goes wrong before there is an answer, a second; endpoints that are healthy.',
      { expr: sum('envoy_cluster_upstream_cx_connect_fail'), legend: 'connect failures' },
      { expr: sum('envoy_cluster_upstream_rq_pending_overflow'), legend: 'overflows' },
      { expr: sum('envoy_cluster_upstream_rq_timeout'), legend: 'time-outs' },
      {
        expr: `max(${ofRole(role, 'envoy_cluster_membership_healthy')})`,
        legend: 'healthy endpoints',
      },
    ),
  ];
}

/** Stable on the left, canary on the right, the same figure in each line. */
function sideBySide(): readonly Panel[] {
  const [stable, canary] = [side('stable'), side('canary')];
  return stable.flatMap((panel, index) => [panel, ...canary.slice(index, index + 1)]);
}

export const rolloutDashboard: Dashboard = {
  uid: 'headgate-rollout',
  title: 'Headgate: rollout',
  about: 'One rollout: its steps, weights and gates, and the stable version beside the canary.',
  variables: [
    { name: 'mesh', query: 'label_values(headgate_rollout_phase, mesh)' },
    { name: 'rollout', query: 'label_values(headgate_rollout_phase{mesh="$mesh"}, rollout)' },
  ],
  rows: [
    {
      title: 'What happens',
      panels: [
        {
          ...lines('Phase', 'short', 12, 'What the rollout does, or waits for.', {
            expr: `sum by (phase) (headgate_rollout_phase${one})`,
            legend: '{{phase}}',
          }),
          kind: 'state-timeline',
        },
        lines(
          'Steps',
          'short',
          12,
          'Entered, of all.',
          { expr: `max(headgate_rollout_step${one})`, legend: 'entered' },
          { expr: `max(headgate_rollout_steps${one})`, legend: 'of', isLimit: true },
        ),
        lines(
          'Weights',
          'percent',
          12,
          'Set by the commit, served to the proxies, and actual by their reports.',
          {
            expr: `headgate_route_weight{mesh="$mesh",rollout="$rollout",kind!="set"}`,
            legend: '{{target}} {{kind}}',
          },
          {
            expr: `headgate_route_weight{mesh="$mesh",rollout="$rollout",kind="set"}`,
            legend: '{{target}} set',
            isLimit: true,
          },
        ),
        lines(
          'Gates',
          'short',
          12,
          'What each measured last, and its limit, in its own unit.',
          { expr: `headgate_gate_value${one}`, legend: '{{gate}}' },
          { expr: `headgate_gate_limit${one}`, legend: '{{gate}} limit', isLimit: true },
        ),
      ],
    },
    { title: 'Stable and canary, by the Envoys’ own statistics', panels: sideBySide() },
  ],
};

export const dashboards: readonly Dashboard[] = [controllerDashboard, rolloutDashboard];
