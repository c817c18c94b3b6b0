/**
 * Every alert rule, once, with what the person who is woken by it needs: what it means, what it does to
 * traffic, where to look, what to do. The rules' file and the runbooks are made from it. Alerts are about
 * what somebody has to do; what is only worth a look is on the dashboards.
 */

export interface Alert {
  readonly name: string;
  /** PromQL over metrics of `metric-table.ts`, `up` and Envoy's own. */
  readonly expr: string;
  /** How long it must hold: longer than what passes by itself. */
  readonly for: string;
  /** `critical`: at any hour; `warning`: in working hours. */
  readonly severity: 'critical' | 'warning';
  /** One line, with labels. */
  readonly summary: string;
  readonly runbook: Runbook;
}

export interface Runbook {
  readonly meaning: string;
  /** What traffic notices. */
  readonly impact: string;
  /** Where to look, in order; Markdown. */
  readonly look: readonly string[];
  /** What to do, in order. */
  readonly act: readonly string[];
}

const servesOn = 'Traffic goes on as it is: Envoys keep what they have.';

export const alertTable: readonly Alert[] = [
  {
    name: 'HeadgateDown',
    expr: 'absent(up{job="headgate"} == 1)',
    for: '5m',
    severity: 'critical',
    summary: 'No Headgate controller answers.',
    runbook: {
      meaning: 'Prometheus reaches no controller, or its job is not called `headgate`.',
      impact: `${servesOn} Nothing new is rolled out, nothing is taken back, and an Envoy that starts anew gets no configuration.`,
      look: [
        'The process and its log: `systemctl status headgate`, `docker logs`, or what runs it. It says in one line why it ended.',
        '`headgate check --config FILE` on its machine: ports, the state file, certificates, the repository.',
      ],
      act: [
        'Start it again. It serves what it served, and goes on with its rollouts; no order has to be kept.',
        'A state file that cannot be read: restore the newest backup; what is lost is the position of running rollouts, never what Git asks for.',
      ],
    },
  },
  {
    name: 'HeadgateNotReady',
    expr: 'min by (check) (headgate_ready) == 0',
    for: '5m',
    severity: 'critical',
    summary: 'The check {{ $labels.check }} of readiness fails.',
    runbook: {
      meaning:
        '`store`: the state cannot be written. `snapshot`: no commit was ever valid, so nothing is served. `xds`: the port is not open.',
      impact: `${servesOn} With the store down, no rollout advances; ways back to the last good state are served all the same.`,
      look: [
        'The log: `store.failed` has the error of the disk or the database.',
        '`/readyz?verbose` names every check.',
      ],
      act: [
        'Disk full: make room; the controller tries again every second by itself.',
        '`snapshot`: correct the repository; `headgate validate` names each problem.',
      ],
    },
  },
  {
    name: 'HeadgateNoLeader',
    expr: 'sum(headgate_leader) != 1',
    for: '2m',
    severity: 'critical',
    summary: '{{ $value }} of the replicas lead.',
    runbook: {
      meaning:
        'Of several replicas exactly one leads. None: the database does not answer, or every replica is cut off from it, or a newer version has changed the tables and left all that run behind. More than one for minutes: they do not share a database.',
      impact: `${servesOn} Without a leader nothing advances and nothing is taken back.`,
      look: [
        'The log of each replica, and `/api/v1/status`: who leads, since when.',
        'The database: connections, disk, failover.',
      ],
      act: [
        '`replica.leftBehind` in the log: replace the replicas with the version that changed the tables.',
        'Bring the database back; a replica takes the lead within seconds.',
        'Two leaders: give all replicas of one mesh the same `--state`.',
      ],
    },
  },
  {
    name: 'HeadgateGitPollFailing',
    expr: 'time() - headgate_git_last_success_timestamp_seconds > 300',
    for: '10m',
    severity: 'warning',
    summary: 'The mesh repository has not answered for {{ $value | humanizeDuration }}.',
    runbook: {
      meaning: 'Polls of the repository fail: network, credentials, a branch that is gone.',
      impact: `${servesOn} Running rollouts go on; commits do not arrive.`,
      look: [
        '`headgate status`: the line Source has the code and the message.',
        '`headgate check` asks the repository with the same credentials, and gives a hint.',
      ],
      act: [
        '`git-auth`: renew the token or key; files are read again at each poll.',
        '`branch-missing`: restore the branch, or deploy another one (`--branch`).',
        '`git-unreachable`: nothing to do here; polling goes on, and the next answer catches up.',
      ],
    },
  },
  {
    name: 'HeadgateConfigInvalid',
    expr: 'sum(max by (code) (headgate_config_errors)) > 0',
    for: '5m',
    severity: 'warning',
    summary: 'The newest commit has {{ $value }} errors, and nothing of it is applied.',
    runbook: {
      meaning:
        'The newest commit of the branch does not validate. A commit with one error is rejected whole.',
      impact: `${servesOn} Every later commit is held up too while the error is in it.`,
      look: [
        '`headgate status`, or the dashboard’s first page: each problem with file, line and column.',
        '`headgate explain CODE`: what a code means and how to mend it.',
      ],
      act: [
        'Correct or revert the commit.',
        'Let `headgate plan` run on pull requests, so that the next one is found before it is merged.',
      ],
    },
  },
  {
    name: 'HeadgateOutOfSync',
    expr: 'max by (mesh) (headgate_sync_status{status=~"held|pending"}) == 1',
    for: '30m',
    severity: 'warning',
    summary: 'Mesh {{ $labels.mesh }} is not what Git asks for.',
    runbook: {
      meaning:
        'A change failed and is held, or waits for another rollout. It is not tried again by itself: Git and the mesh differ until somebody decides.',
      impact: 'Users have the last good version; the new one is not out.',
      look: ['`headgate status`: the table HELD has the reason of each change.'],
      act: [
        'Revert the commit, or fix it forward: a commit that changes the same starts anew.',
        '`headgate retry ROLLOUT` where the cause lay elsewhere and is gone.',
      ],
    },
  },
  {
    name: 'HeadgateRolloutStuck',
    expr: 'max by (mesh, rollout) (headgate_rollout_phase{phase=~"Pending|Progressing|Completing|RollingBack"}) == 1',
    for: '15m',
    severity: 'critical',
    summary: 'The rollout of {{ $labels.rollout }} in {{ $labels.mesh }} waits for proxies.',
    runbook: {
      meaning:
        'A step is served, and for a quarter of an hour not every proxy has acknowledged it. Silent proxies are left out after the deadline (`--ack-deadline`), so this is more than one slow Envoy.',
      impact: 'Traffic stays at the weights of the step. A way back waits for the same proxies.',
      look: [
        '`headgate rollouts ID`: what it waits for.',
        '`headgate proxies`: who is STALE or REJECTED, with Envoy’s own words; `headgate proxies ID --diff` shows what differs, with `--admin HOST:PORT` also from what its Envoy runs.',
      ],
      act: [
        'Restart an Envoy that does not answer: it gets everything anew.',
        '`headgate abort ID --reason …` where the change is to blame.',
      ],
    },
  },
  {
    name: 'HeadgateRolloutPaused',
    expr: 'max by (mesh, rollout) (headgate_rollout_phase{phase="Paused"}) == 1',
    for: '1h',
    severity: 'warning',
    summary: 'The rollout of {{ $labels.rollout }} in {{ $labels.mesh }} is paused.',
    runbook: {
      meaning:
        'A person paused it, or it paused itself: its gates had no data until the deadline, or its policy says so.',
      impact: 'Both versions serve at the weights of the step, for as long as nobody decides.',
      look: ['`headgate rollouts ID`: the reason, and each gate’s last figures.'],
      act: [
        '`headgate resume`, `promote` or `abort`, each with a reason.',
        'No traffic to judge: send some, or let the policy walk on (`noData: pass`).',
      ],
    },
  },
  {
    name: 'HeadgateWaitingForApproval',
    expr: 'max by (mesh, rollout) (headgate_rollout_phase{phase="WaitingForApproval"}) == 1',
    for: '4h',
    severity: 'warning',
    summary: 'The rollout of {{ $labels.rollout }} in {{ $labels.mesh }} waits for approval.',
    runbook: {
      meaning: 'The next step needs a person’s word, and nobody has said it for hours.',
      impact: 'Both versions serve at the weights of the last step.',
      look: ['`headgate rollouts ID`, and the dashboard: the evidence of the steps so far.'],
      act: ['`headgate approve ID --reason …`, or `abort`.'],
    },
  },
  {
    name: 'HeadgateRolledBack',
    expr: 'sum by (result) (increase(headgate_rollouts_total{result=~"RolledBack|Aborted"}[10m])) > 0',
    for: '0m',
    severity: 'warning',
    summary: 'A rollout ended {{ $labels.result }}.',
    runbook: {
      meaning:
        'A gate failed, a proxy refused, or a person aborted: every proxy has the last good state again.',
      impact:
        'Some requests met the bad version, at most its share for the time until the way back.',
      look: [
        '`headgate rollouts`: the reason names the gate, the value and the limit.',
        'The trace of the commit, where traces are on ([how to find it](tracing.md#find-a-trace)).',
      ],
      act: [
        'Nothing for traffic. Fix the version, or revert the commit; the change is held until then.',
      ],
    },
  },
  {
    name: 'HeadgateProxyRejected',
    expr: 'max(headgate_proxies{state="rejected"}) > 0',
    for: '5m',
    severity: 'critical',
    summary: '{{ $value }} proxies refuse a part of their configuration.',
    runbook: {
      meaning:
        'An Envoy answered NACK. Headgate checks what it sends, so most often the Envoy is of another version or build.',
      impact:
        'The proxy keeps its last good configuration. The rollout that brought the resource goes back by itself.',
      look: [
        '`headgate proxies ID`: Envoy’s own words, and its version.',
        '`headgate check`: versions of connected Envoys that are not tested.',
      ],
      act: [
        'Revert the change, or upgrade the Envoy.',
        'A bug of ours: report the text with `headgate proxies ID --diff`.',
      ],
    },
  },
  {
    name: 'HeadgateProxyStale',
    expr: 'max(headgate_proxies{state="stale"}) > 0',
    for: '15m',
    severity: 'warning',
    summary: '{{ $value }} proxies have not taken the newest configuration.',
    runbook: {
      meaning:
        'Envoys were sent something and have not answered, often while a cluster or a secret warms.',
      impact: 'They route by what they had.',
      look: [
        '`headgate proxies`: which, since when; the log: `xds.unanswered`, `certificates.missing`.',
        'The Envoy’s own log, and `warming` in its `/config_dump`.',
      ],
      act: ['Give the secret that it waits for. Restart the Envoy where it is stuck.'],
    },
  },
  {
    name: 'HeadgateProxiesLost',
    expr: 'sum(max by (state) (headgate_proxies)) < 0.8 * max_over_time(sum(max by (state) (headgate_proxies))[1h:1m])',
    for: '5m',
    severity: 'critical',
    summary: 'More than a fifth of the proxies of the last hour are gone; {{ $value }} are left.',
    runbook: {
      meaning:
        'Streams ended and did not come back: a network, a load balancer, a certificate that expired, or services that were scaled down.',
      impact:
        'Envoys without a stream keep what they have. Announced endpoints of lost proxies leave the load balancing.',
      look: [
        'The log: `xds.disconnected`, `xds.denied` with the reason.',
        '`headgate_xds_denied_total` by reason; Envoys’ `envoy_control_plane_connected_state`.',
      ],
      act: [
        'Renew certificates or tokens. Where it was meant, as at night, silence the alert for that time.',
      ],
    },
  },
  {
    name: 'HeadgateXdsDenied',
    expr: 'sum by (reason) (increase(headgate_xds_denied_total[10m])) > 10',
    for: '10m',
    severity: 'warning',
    summary: 'The xDS port refuses again and again: {{ $labels.reason }}.',
    runbook: {
      meaning:
        'Somebody tries to connect who may not: no good certificate or token, a node id that is not theirs, or too many streams.',
      impact: 'Whoever is refused gets no configuration; nobody else notices.',
      look: ['The log: `xds.denied` has the peer, who it proved to be, and why.'],
      act: [
        'Correct the proxy’s certificate, token or node id ([who may connect](../xds-security.md)), or shut the stranger out.',
      ],
    },
  },
  {
    name: 'HeadgateCertificateExpiry',
    expr: 'headgate_cert_expiry_timestamp_seconds - time() < 7 * 86400',
    for: '1h',
    severity: 'warning',
    summary:
      'The certificate {{ $labels.certificate }} ({{ $labels.use }}) ends in {{ $value | humanizeDuration }}.',
    runbook: {
      meaning:
        'A certificate was not renewed: of the xDS port (`xds`), or a secret of proxies, by its name.',
      impact:
        'After its end handshakes fail: proxies cannot connect, or services cannot call one another.',
      look: ['`headgate check` lists every certificate with its end.'],
      act: ['Put the new files in place: they are taken within seconds, without a restart.'],
    },
  },
  {
    name: 'HeadgateNotificationsFailing',
    expr:
      'sum by (sink) (increase(headgate_notifications_total{result=~"failed|givenUp"}[15m])) > 0' +
      ' unless sum by (sink) (increase(headgate_notifications_total{result="delivered"}[15m])) > 0',
    for: '15m',
    severity: 'warning',
    summary: 'Nothing reaches the notification target {{ $labels.sink }}.',
    runbook: {
      meaning: 'Every attempt to deliver to this target failed for a quarter of an hour.',
      impact: 'None for traffic. People do not hear of what happens; messages wait for a week.',
      look: ['The log: `notify.failed` and `notify.gaveUp` have the answer of the other side.'],
      act: ['Renew the URL or token of the target; `headgate notify test` sends one message.'],
    },
  },
  {
    name: 'HeadgateLoopSlow',
    expr: 'histogram_quantile(0.99, sum by (le) (rate(headgate_reconcile_duration_seconds_bucket[5m]))) > 0.5',
    for: '10m',
    severity: 'warning',
    summary: 'A step of the controller takes {{ $value | humanizeDuration }}.',
    runbook: {
      meaning:
        'Deciding, storing and publishing take longer than they should: a slow disk, a machine that is too small, or a mesh larger than what was measured.',
      impact: 'Rollouts and ways back start later by as much.',
      look: [
        '`process_cpu_seconds_total`, `nodejs_eventloop_lag_p99_seconds`; the disk of the state file.',
      ],
      act: ['Give it a processor of its own and a local disk.'],
    },
  },
  {
    name: 'HeadgateInternalError',
    expr: 'sum by (event) (increase(headgate_events_total{event=~"invariant.violated|snapshot.inconsistent|telemetry.broken|source.broken|xds.broken|api.failed"}[1h])) > 0',
    for: '0m',
    severity: 'warning',
    summary: 'The controller met a bug of its own: {{ $labels.event }}.',
    runbook: {
      meaning:
        'Something happened that must not: each of these events is a defect, unless a disk failed.',
      impact:
        'Contained: a proxy keeps what it had, a stream ends and begins anew, a request is answered 500, metrics stand still.',
      look: ['The log line of the event, with its stack.'],
      act: ['Report it with the line and the version.'],
    },
  },
  {
    name: 'EnvoyDisconnectedFromHeadgate',
    expr: 'envoy_control_plane_connected_state == 0',
    for: '5m',
    severity: 'warning',
    summary: 'Envoy {{ $labels.instance }} has no control plane.',
    runbook: {
      meaning: 'The Envoy itself says so; the controller cannot, since it does not know of it.',
      impact: 'It serves on by what it has. Started anew, it would have nothing.',
      look: [
        'Its log, for `StreamAggregatedResources`; `headgate proxies`: whether its node is there.',
      ],
      act: ['Correct the address, certificate or token of its bootstrap (`headgate bootstrap`).'],
    },
  },
  {
    name: 'EnvoyRejectsConfiguration',
    expr:
      'sum by (instance) (increase(envoy_cluster_manager_cds_update_rejected[10m]))' +
      ' + sum by (instance) (increase(envoy_listener_manager_lds_update_rejected[10m])) > 0',
    for: '0m',
    severity: 'warning',
    summary: 'Envoy {{ $labels.instance }} refused clusters or listeners.',
    runbook: {
      meaning:
        'As HeadgateProxyRejected, told by the Envoy: the two together say that both sides agree on it.',
      impact: 'It keeps its last good configuration.',
      look: ['`headgate proxies`, and the Envoy’s log.'],
      act: ['See [HeadgateProxyRejected](#headgateproxyrejected).'],
    },
  },
];
