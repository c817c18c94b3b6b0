/**
 * Prometheus metrics. What is so at this moment is read when it is scraped; what happened is counted as
 * it is observed, by comparing the state before and after each step.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { proxyTypeNames } from '../api/proxy-view.js';
import type { Moment } from '../api/view.js';
import type { CertificateExpiry } from '../loop/ports.js';
import type { LoopState } from '../loop/state.js';
import type { MemberView } from '../replicas/view.js';
import { isEnded } from '../rollout/rollout.js';
import {
  addCounter,
  addGauge,
  addHistogram,
  addReadCounter,
  type Readings,
} from './instruments.js';
import type { LabelsOf } from './metric-table.js';
import type { Observer } from './observer.js';
import { Publications } from './publications.js';
import { addReplicaGauges } from './replica-gauges.js';
import { addStateGauges } from './state-gauges.js';

export interface Metrics extends Observer {
  /** The text of a scrape. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** What others count, or know at this moment. */
export interface MetricSources {
  readonly version: string;
  readonly moment: () => Moment;
  /** Undefined where one controller is alone. */
  readonly replicas?: () => MemberView | undefined;
  readonly ready: () => readonly { readonly name: string; readonly isOk: boolean }[];
  readonly events: () => Readings<LabelsOf<'headgate_events_total'>>;
  readonly xds: {
    /** Asks that the xDS port refused since the start, by reason. */
    refusals(): ReadonlyMap<string, number>;
    /** Sent since the start, by the resources' type. */
    sent(): Readings<{
      readonly type: keyof typeof proxyTypeNames;
      readonly of: 'pushes' | 'bytes';
    }>;
    /** Open now, by service. */
    streams(): ReadonlyMap<string, number>;
    /** The largest set of each type that a connected proxy is served. */
    snapshotBytes(): ReadonlyMap<keyof typeof proxyTypeNames, number>;
  };
  /** How each target of notifications fares. */
  readonly sinks: () => readonly {
    readonly sink: string;
    readonly delivered: number;
    readonly failedAttempts: number;
    readonly givenUp: number;
  }[];
  readonly certificates: () => readonly CertificateExpiry[];
  /** Lines of the log since the start that could not be written. */
  readonly lostLines: () => number;
}

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addStateGauges(registry, sources.moment);
  addReplicaGauges(registry, sources.replicas ?? (() => undefined));
  addSources(registry, sources);
  const count = addEventMetrics(registry);
  const publications = new Publications();
  return {
    polled: ({ kind }, { fromMs, toMs }) => {
      count.pollSeconds({ result: kind }, (toMs - fromMs) / 1000);
    },
    decoded: (_revision, _errors, { fromMs, toMs }) => {
      count.decodeSeconds({}, (toMs - fromMs) / 1000);
    },
    handled: (_event, tookMs) => count.stepSeconds({}, tookMs / 1000),
    moved: (before, after) => {
      observeRollouts(before, after, count);
      observeMeasurements(before, after, count);
      observeRefusals(before, after, count);
    },
    published: (generation, _waiting, nowMs) => publications.add(generation, nowMs),
    acked: (proxy, nowMs) => {
      const tookMs = publications.tookMs(proxy, nowMs);
      if (tookMs !== undefined) {
        count.convergenceSeconds({}, tookMs / 1000);
      }
    },
    scrape: async () => ({
      contentType: registry.contentType,
      text: await registry.metrics(),
    }),
  };
}

function addSources(registry: Registry, sources: MetricSources): void {
  const { xds, version } = sources;
  addGauge(registry, 'headgate_build_info', () => [
    [{ version, node_version: process.version }, 1],
  ]);
  addGauge(registry, 'headgate_ready', () =>
    sources.ready().map(({ name, isOk }) => [{ check: name }, isOk ? 1 : 0] as const),
  );
  addReadCounter(registry, 'headgate_events_total', sources.events);
  addReadCounter(registry, 'headgate_log_lines_lost_total', () => [[{}, sources.lostLines()]]);
  addReadCounter(registry, 'headgate_xds_denied_total', () =>
    [...xds.refusals()].map(([reason, n]) => [{ reason }, n] as const),
  );
  const sent = (wanted: 'pushes' | 'bytes') => () =>
    [...xds.sent()].flatMap(([{ type, of }, n]) =>
      of === wanted ? [[{ type: proxyTypeNames[type] }, n] as const] : [],
    );
  addReadCounter(registry, 'headgate_xds_pushes_total', sent('pushes'));
  addReadCounter(registry, 'headgate_xds_sent_bytes_total', sent('bytes'));
  addGauge(registry, 'headgate_xds_streams', () =>
    [...xds.streams()].map(([service, n]) => [{ service }, n] as const),
  );
  addGauge(registry, 'headgate_snapshot_bytes', () =>
    [...xds.snapshotBytes()].map(([type, n]) => [{ type: proxyTypeNames[type] }, n] as const),
  );
  addReadCounter(registry, 'headgate_notifications_total', () =>
    sources
      .sinks()
      .flatMap(({ sink, delivered, failedAttempts: failed, givenUp }) =>
        Object.entries({ delivered, failed, givenUp }).map(
          ([result, n]) => [{ sink, result }, n] as const,
        ),
      ),
  );
  addGauge(registry, 'headgate_cert_expiry_timestamp_seconds', () =>
    sources
      .certificates()
      .map(({ name, use, atMs }) => [{ certificate: name, use }, atMs / 1000] as const),
  );
}

type Counts = ReturnType<typeof addEventMetrics>;

function addEventMetrics(registry: Registry) {
  const ends = ['Succeeded', 'RolledBack', 'Aborted', 'Superseded'];
  const asResult = (result: string) => ({ result });
  return {
    pollSeconds: addHistogram(registry, 'headgate_git_poll_duration_seconds'),
    decodeSeconds: addHistogram(registry, 'headgate_decode_duration_seconds'),
    stepSeconds: addHistogram(registry, 'headgate_reconcile_duration_seconds'),
    convergenceSeconds: addHistogram(registry, 'headgate_proxy_convergence_seconds'),
    rollouts: addCounter(registry, 'headgate_rollouts_total', ends.map(asResult)),
    rolloutSeconds: addHistogram(registry, 'headgate_rollout_duration_seconds'),
    verdicts: addCounter(registry, 'headgate_gate_result_total', ['pass', 'fail'].map(asResult)),
    measurements: addCounter(registry, 'headgate_gate_measurements_total', [{ result: 'ok' }]),
    refusals: addCounter(
      registry,
      'headgate_xds_nacks_total',
      Object.values(proxyTypeNames).map((type) => ({ type })),
    ),
  };
}

function observeRollouts(before: LoopState, after: LoopState, count: Counts): void {
  if (before.durable.rollouts === after.durable.rollouts) {
    return;
  }
  for (const rollout of after.durable.rollouts.values()) {
    const previous = before.durable.rollouts.get(rollout.id);
    if (previous === rollout) {
      continue;
    }
    if (isEnded(rollout.phase) && previous !== undefined && !isEnded(previous.phase)) {
      const seconds = ((rollout.endedAtMs ?? rollout.startedAtMs) - rollout.startedAtMs) / 1000;
      count.rollouts({ result: rollout.phase });
      count.rolloutSeconds({ result: rollout.phase }, seconds);
    }
    for (const { name, verdict } of rollout.gates) {
      const last = previous?.gates.find((gate) => gate.name === name)?.verdict ?? 'none';
      // Gates are judged several times a second: only a verdict that is new is one.
      if (verdict !== 'none' && verdict !== last) {
        count.verdicts({ result: verdict });
      }
    }
  }
}

function observeMeasurements(before: LoopState, after: LoopState, count: Counts): void {
  for (const [order, measured] of after.measured) {
    if (measured !== before.measured.get(order)) {
      const { outcome } = measured;
      count.measurements({ result: 'code' in outcome ? outcome.code : 'ok' });
    }
  }
}

function observeRefusals(before: LoopState, after: LoopState, count: Counts): void {
  if (before.proxies === after.proxies) {
    return;
  }
  for (const [id, proxy] of after.proxies) {
    const previous = before.proxies.get(id);
    if (previous === proxy) {
      continue;
    }
    for (const [type, name] of Object.entries(proxyTypeNames)) {
      const status = proxy.types[type as keyof typeof proxyTypeNames];
      const last = previous?.types[type as keyof typeof proxyTypeNames];
      const isNew = last?.state !== 'rejected' || last.sinceMs !== status?.sinceMs;
      if (status?.state === 'rejected' && isNew) {
        count.refusals({ type: name });
      }
    }
  }
}
