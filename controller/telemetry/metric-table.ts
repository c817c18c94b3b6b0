/**
 * Every metric of `/metrics`, once: what it counts, in which unit, by which labels. The metrics themselves,
 * `docs/reference/metrics.md` and the check that dashboards and alerts ask only for what exists are made from
 * it. Names follow Prometheus' rules: one prefix, base units, `_total` on counters. Values of labels are
 * names from the mesh repository and the configuration, and words of closed lists: never a commit, a
 * rollout's id or a proxy, whose number has no bound.
 */

export interface Metric {
  readonly type: 'gauge' | 'counter' | 'histogram';
  /** One sentence. */
  readonly help: string;
  readonly labels: readonly MetricLabel[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

/** What each label holds, and why its values have a bound. */
export const metricLabels = {
  certificate: 'whose certificate: `xds` for the port of the Envoys, else the name of the secret',
  check: 'a line of `/readyz`',
  code: 'code of a problem, as `headgate explain` has them',
  envoy_cluster_name: 'the target’s name in Envoys’ own statistics, to join with them',
  event: 'name of an event, as in the log ([events](events.md))',
  gate: 'name of the gate in the rollout policy',
  kind: '`set` by the commit, `served` to the proxies, `actual` by their reports',
  level: '`info`, `warn` or `error`',
  member: '`leading`, `following`, `held` or `leftBehind`',
  mesh: 'name of the mesh',
  node_version: 'version of Node.js',
  phase: 'phase of a rollout',
  reason: 'why the xDS port refused, a closed list',
  replica: 'name of the replica, as its configuration or its host says',
  repository: 'name of the mesh repository in the configuration; empty where it is the only one',
  result: 'how it ended, a closed list',
  role: '`canary` where the commit gives the target more traffic, else `stable`',
  rollout:
    'name of the router, or of the first resource, that the rollout changes; never its number',
  route: 'name of the route in the router',
  router: 'name of the virtual router',
  service: '`ads` or the one type of the stream; `lrs` and `metrics` for reports',
  sink: 'name of the notification target in the configuration',
  state: '`synced`, `stale`, `rejected` or `notSent`',
  status: '`synced`, `progressing`, `held` or `pending`',
  target: '`NODE:PORT` of a weighted target',
  type: 'discovery service: `cds`, `eds`, `lds`, `rds`, `sds`',
  use: '`server` for our own, `certificate` or `trust` for a proxy’s',
  version: 'version of the program',
  what: '`desired` by Git or `applied` to the proxies',
} as const;

export type MetricLabel = keyof typeof metricLabels;

/** From a poll that finds nothing new to the first clone of a large repository. */
const pollSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

/** A step is a few milliseconds; above a second every answer of the controller waits for it. */
const stepSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** From a weight on the same machine to a proxy that warms a cluster until the deadline. */
const convergenceSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30, 120];

/** From a first step that fails at once to a release over a working day. */
const rolloutSeconds = [5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 43_200];

export const metricTable = {
  headgate_build_info: {
    type: 'gauge',
    help: 'Always 1; the labels say what runs.',
    labels: ['version', 'node_version'],
  },
  headgate_ready: {
    type: 'gauge',
    help: '1 where the check of readiness passes, else 0; the store fails it while nothing can be kept.',
    labels: ['check'],
  },
  headgate_events_total: {
    type: 'counter',
    help: 'Events that were logged, also those that the log level leaves out.',
    labels: ['event', 'level'],
  },
  headgate_log_lines_lost_total: {
    type: 'counter',
    help: 'Lines of the log that could not be written: a full or hanging disk, or nobody who reads.',
    labels: [],
  },
  headgate_git_poll_duration_seconds: {
    type: 'histogram',
    help: 'One look at the repository, the fetch of a new commit included, by how it ended.',
    labels: ['result'],
    buckets: pollSeconds,
  },
  headgate_git_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the repository last answered; its name is empty where it is the only one.',
    labels: ['repository'],
  },
  headgate_leader: {
    type: 'gauge',
    help: '1 where this replica leads, 0 where it follows; absent where one controller is alone.',
    labels: [],
  },
  headgate_leader_epoch: {
    type: 'gauge',
    help: 'The term of leadership that began last, as this replica knows.',
    labels: [],
  },
  headgate_replicas: {
    type: 'gauge',
    help: 'Replicas that were heard of lately, this one among them.',
    labels: [],
  },
  headgate_replica_role: {
    type: 'gauge',
    help: '1 for the role that each known replica is in.',
    labels: ['replica', 'member'],
  },
  headgate_state_commits: {
    type: 'gauge',
    help: 'Commits of the shared state that this replica has seen.',
    labels: [],
  },
  headgate_state_regressed: {
    type: 'gauge',
    help: '1 while the database has lost commits that this replica has seen.',
    labels: [],
  },
  headgate_revision_timestamp_seconds: {
    type: 'gauge',
    help: 'When the commit was made that is desired, and the one that is applied.',
    labels: ['repository', 'what'],
  },
  headgate_sync_status: {
    type: 'gauge',
    help: '1 for the status that the mesh is in, 0 for the others.',
    labels: ['mesh', 'status'],
  },
  headgate_config_errors: {
    type: 'gauge',
    help: 'Errors of the newest commit, by code; none where it is valid.',
    labels: ['code'],
  },
  headgate_held_changes: {
    type: 'gauge',
    help: 'Failed changes that Git still asks for.',
    labels: ['mesh'],
  },
  headgate_decode_duration_seconds: {
    type: 'histogram',
    help: 'Reading and validating one commit.',
    labels: [],
    buckets: pollSeconds,
  },
  headgate_reconcile_duration_seconds: {
    type: 'histogram',
    help: 'One step of the loop: decided, stored and published.',
    labels: [],
    buckets: stepSeconds,
  },
  headgate_rollout_phase: {
    type: 'gauge',
    help: '1 for the phase that a rollout is in which has not ended.',
    labels: ['mesh', 'rollout', 'phase'],
  },
  headgate_rollout_step: {
    type: 'gauge',
    help: 'Steps that the rollout has entered.',
    labels: ['mesh', 'rollout'],
  },
  headgate_rollout_steps: {
    type: 'gauge',
    help: 'Steps that the rollout has in all.',
    labels: ['mesh', 'rollout'],
  },
  headgate_rollouts_total: {
    type: 'counter',
    help: 'Rollouts that ended, by how.',
    labels: ['result'],
  },
  headgate_rollout_duration_seconds: {
    type: 'histogram',
    help: 'From the start of a rollout to its end, by how it ended.',
    labels: ['result'],
    buckets: rolloutSeconds,
  },
  headgate_route_weight: {
    type: 'gauge',
    help: 'Percent of the route that a target of a running rollout has.',
    labels: ['mesh', 'rollout', 'router', 'route', 'target', 'envoy_cluster_name', 'role', 'kind'],
  },
  headgate_gate_value: {
    type: 'gauge',
    help: 'What the gate of a running rollout measured last, in its own unit.',
    labels: ['mesh', 'rollout', 'gate'],
  },
  headgate_gate_limit: {
    type: 'gauge',
    help: 'What the gate compares its value with, in the same unit.',
    labels: ['mesh', 'rollout', 'gate'],
  },
  headgate_gate_result_total: {
    type: 'counter',
    help: 'Verdicts that gates came to.',
    labels: ['result'],
  },
  headgate_gate_measurements_total: {
    type: 'counter',
    help: 'Answers of providers to gates: ok, or the code of why there was none.',
    labels: ['result'],
  },
  headgate_proxies: {
    type: 'gauge',
    help: 'Connected proxies, by their worst state.',
    labels: ['state'],
  },
  headgate_proxy_convergence_seconds: {
    type: 'histogram',
    help: 'From a publication to the last ACK of it, of each proxy that it gave something new.',
    labels: [],
    buckets: convergenceSeconds,
  },
  headgate_xds_streams: {
    type: 'gauge',
    help: 'Open streams.',
    labels: ['service'],
  },
  headgate_xds_pushes_total: {
    type: 'counter',
    help: 'Responses that were sent to proxies.',
    labels: ['type'],
  },
  headgate_xds_sent_bytes_total: {
    type: 'counter',
    help: 'Bytes of the responses that were sent to proxies.',
    labels: ['type'],
  },
  headgate_xds_nacks_total: {
    type: 'counter',
    help: 'Responses that proxies refused.',
    labels: ['type'],
  },
  headgate_xds_denied_total: {
    type: 'counter',
    help: 'Connections, streams and nodes that the xDS port refused.',
    labels: ['reason'],
  },
  headgate_snapshot_bytes: {
    type: 'gauge',
    help: 'Size of the largest set of resources that a connected proxy is served.',
    labels: ['type'],
  },
  headgate_notifications_total: {
    type: 'counter',
    help: 'Attempts to deliver a notification: delivered, failed (tried again later) or givenUp.',
    labels: ['sink', 'result'],
  },
  headgate_cert_expiry_timestamp_seconds: {
    type: 'gauge',
    help: 'When the certificate ends; of authorities the first that does.',
    labels: ['certificate', 'use'],
  },
} as const satisfies Readonly<Record<`headgate_${string}`, Metric>>;

export type MetricName = keyof typeof metricTable;

/** Names of the metrics of one type. */
export type MetricOf<Type extends Metric['type']> = {
  [Name in MetricName]: (typeof metricTable)[Name]['type'] extends Type ? Name : never;
}[MetricName];

/** The labels of one metric, each with a value. */
export type LabelsOf<Name extends MetricName> = Readonly<
  Record<(typeof metricTable)[Name]['labels'][number], string>
>;
