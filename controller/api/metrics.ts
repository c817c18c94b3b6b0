/**
 * Prometheus metrics. What is so at this moment is read from the state when it is scraped; what happened
 * is counted by comparing the state before and after each step. Labels are names from the mesh
 * repository, phases and codes: never a commit, a rollout's id or a proxy, whose number has no bound.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { LoopState } from '../loop/state.js';
import { isEnded, type Rollout } from '../rollout/rollout.js';
import { rolloutTargets } from '../rollout/targets.js';
import { proxyState, proxyTypeNames } from './proxy-view.js';
import { type Moment, viewMeshes } from './view.js';

export interface Metrics {
  /** Counts what happened between two states. */
  observe(before: LoopState, after: LoopState): void;
  /** The text of a scrape. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** From a first step that fails at once to a release over a working day. */
const rolloutSeconds = [5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 43_200];

const syncStates = ['synced', 'progressing', 'held', 'pending'] as const;
const proxyStates = ['synced', 'stale', 'rejected', 'notSent'] as const;

/** What the state does not know. */
export interface MetricSources {
  /** Asks that the xDS port refused since the start, by reason. */
  xdsRefusals(): ReadonlyMap<string, number>;
}

export function createMetrics(
  version: string,
  moment: () => Moment,
  { xdsRefusals }: MetricSources,
): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addGauges(registry, version, moment);
  new Counter({
    name: 'headgate_xds_denied_total',
    help: 'Connections, streams and nodes that the xDS port refused, by reason.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [reason, count] of xdsRefusals()) {
        this.inc({ reason }, count);
      }
    },
  });
  const count = addCounters(registry);
  return {
    observe: (before, after) => {
      observeRollouts(before, after, count);
      observeMeasurements(before, after, count);
      observeRefusals(before, after, count);
    },
    scrape: async () => ({
      contentType: registry.contentType,
      text: await registry.metrics(),
    }),
  };
}

/** A gauge that is set anew from the moment at each scrape: what is gone is gone from it too. */
function addGauge<Label extends string>(
  registry: Registry,
  gauge: { readonly name: string; readonly help: string; readonly labels: readonly Label[] },
  read: () => Iterable<readonly [Readonly<Record<Label, string>>, number]>,
): void {
  new Gauge({
    name: `headgate_${gauge.name}`,
    help: gauge.help,
    labelNames: [...gauge.labels],
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, value] of read()) {
        this.set(labels, value);
      }
    },
  });
}

function addGauges(registry: Registry, version: string, moment: () => Moment): void {
  addGauge(
    registry,
    { name: 'build_info', help: 'Always 1.', labels: ['version', 'node_version'] },
    () => [[{ version, node_version: process.version }, 1]],
  );
  addGauge(
    registry,
    {
      name: 'git_last_success_timestamp_seconds',
      help: 'When the repository last answered.',
      labels: [],
    },
    () => {
      const { succeededAtMs } = moment().state.source;
      return succeededAtMs === undefined ? [] : [[{}, succeededAtMs / 1000]];
    },
  );
  addGauge(
    registry,
    {
      name: 'sync_status',
      help: '1 for the status that the mesh is in.',
      labels: ['mesh', 'status'],
    },
    () =>
      viewMeshes(moment().state.durable).flatMap(({ name, sync }) =>
        syncStates.map((status) => [{ mesh: name, status }, status === sync ? 1 : 0] as const),
      ),
  );
  addGauge(
    registry,
    { name: 'config_errors', help: 'Errors of the newest commit, by code.', labels: ['code'] },
    () => {
      const errors = moment().state.durable.revision.problems.filter(
        (problem) => problem.severity === 'error',
      );
      return [...countBy(errors.map(({ code }) => code))].map(
        ([code, n]) => [{ code }, n] as const,
      );
    },
  );
  addGauge(
    registry,
    { name: 'held_changes', help: 'Failed changes that Git still asks for.', labels: ['mesh'] },
    () => {
      const meshes = [...moment().state.durable.held.values()].map(({ mesh }) => mesh);
      return [...countBy(meshes)].map(([mesh, n]) => [{ mesh }, n] as const);
    },
  );
  addGauge(
    registry,
    { name: 'proxies', help: 'Connected proxies, by their worst state.', labels: ['state'] },
    () => {
      const counts = countBy(moment().proxies.map(proxyState));
      return proxyStates.map((state) => [{ state }, counts.get(state) ?? 0] as const);
    },
  );
  addRolloutGauges(registry, moment);
}

/** Of the rollouts that have not ended, by the name of what they change. */
function addRolloutGauges(registry: Registry, moment: () => Moment): void {
  const running = () =>
    [...moment().state.durable.rollouts.values()].filter(({ phase }) => !isEnded(phase));
  const labelsOf = ({ mesh, name }: Rollout) => ({ mesh, rollout: name });
  addGauge(
    registry,
    {
      name: 'rollout_phase',
      help: '1 for the phase that the rollout is in.',
      labels: ['mesh', 'rollout', 'phase'],
    },
    () => running().map((rollout) => [{ ...labelsOf(rollout), phase: rollout.phase }, 1] as const),
  );
  addGauge(
    registry,
    {
      name: 'rollout_step',
      help: 'Steps that the rollout has entered.',
      labels: ['mesh', 'rollout'],
    },
    () => running().map((rollout) => [labelsOf(rollout), rollout.step + 1] as const),
  );
  addGauge(
    registry,
    {
      name: 'gate_value',
      help: 'What the gate measured last, in its own unit.',
      labels: ['mesh', 'rollout', 'gate'],
    },
    () =>
      running().flatMap((rollout) =>
        rollout.gates.flatMap(({ name, observed }) =>
          observed === undefined ? [] : [[{ ...labelsOf(rollout), gate: name }, observed] as const],
        ),
      ),
  );
  addGauge(
    registry,
    {
      name: 'route_weight',
      help: 'Percent of the route: set by the commit, served to proxies, actual by their reports.',
      labels: ['mesh', 'router', 'route', 'target', 'kind'],
    },
    () => {
      const { state, nowMs } = moment();
      return running().flatMap((rollout) =>
        rolloutTargets(rollout, state.load, nowMs).flatMap((target) => {
          const { router, route } = target;
          const name = `${target.virtualNode}:${target.port}`;
          const labels = { mesh: rollout.mesh, router, route, target: name };
          const { desired, served, actual } = target;
          return Object.entries({ set: desired, served, actual }).flatMap(([kind, percent]) =>
            percent === undefined ? [] : [[{ ...labels, kind }, percent] as const],
          );
        }),
      );
    },
  );
}

type Counters = ReturnType<typeof addCounters>;

function addCounters(registry: Registry) {
  const registers = [registry];
  return {
    rollouts: new Counter({
      name: 'headgate_rollouts_total',
      help: 'Rollouts that ended, by how.',
      labelNames: ['result'],
      registers,
    }),
    rolloutSeconds: new Histogram({
      name: 'headgate_rollout_duration_seconds',
      help: 'From the start of a rollout to its end, by how it ended.',
      labelNames: ['result'],
      buckets: rolloutSeconds,
      registers,
    }),
    verdicts: new Counter({
      name: 'headgate_gate_result_total',
      help: 'Verdicts that gates came to.',
      labelNames: ['result'],
      registers,
    }),
    measurements: new Counter({
      name: 'headgate_gate_measurements_total',
      help: 'Answers of providers to gates: ok, or the code of why there was none.',
      labelNames: ['result'],
      registers,
    }),
    refusals: new Counter({
      name: 'headgate_xds_nacks_total',
      help: 'Responses that proxies refused, by type.',
      labelNames: ['type'],
      registers,
    }),
  };
}

function observeRollouts(before: LoopState, after: LoopState, count: Counters): void {
  for (const rollout of after.durable.rollouts.values()) {
    const previous = before.durable.rollouts.get(rollout.id);
    if (previous === rollout) {
      continue;
    }
    if (isEnded(rollout.phase) && previous !== undefined && !isEnded(previous.phase)) {
      const seconds = ((rollout.endedAtMs ?? rollout.startedAtMs) - rollout.startedAtMs) / 1000;
      count.rollouts.inc({ result: rollout.phase });
      count.rolloutSeconds.observe({ result: rollout.phase }, seconds);
    }
    for (const { name, verdict } of rollout.gates) {
      const last = previous?.gates.find((gate) => gate.name === name)?.verdict ?? 'none';
      // Gates are judged several times a second: only a verdict that is new is one.
      if (verdict !== 'none' && verdict !== last) {
        count.verdicts.inc({ result: verdict });
      }
    }
  }
}

function observeMeasurements(before: LoopState, after: LoopState, count: Counters): void {
  for (const [order, measured] of after.measured) {
    if (measured !== before.measured.get(order)) {
      const { outcome } = measured;
      count.measurements.inc({ result: 'code' in outcome ? outcome.code : 'ok' });
    }
  }
}

function observeRefusals(before: LoopState, after: LoopState, count: Counters): void {
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
        count.refusals.inc({ type: name });
      }
    }
  }
}

function countBy<Key>(keys: readonly Key[]): ReadonlyMap<Key, number> {
  const counts = new Map<Key, number>();
  for (const key of keys) {
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
