/** Gauges of what is so at the moment of the scrape, read from the state: nothing has to keep them up. */
import type { Registry } from 'prom-client';
import { proxyState } from '../api/proxy-view.js';
import { problemsIn } from '../api/repository-view.js';
import { type Moment, viewMeshes } from '../api/view.js';
import { clusterName } from '../envoy/names.js';
import type { LoopState } from '../loop/state.js';
import { isEnded, type Rollout } from '../rollout/rollout.js';
import { type RolloutTarget, rolloutTargets } from '../rollout/targets.js';
import { addGauge } from './instruments.js';

const syncStates = ['synced', 'progressing', 'held', 'pending'] as const;
const proxyStates = ['synced', 'stale', 'rejected', 'notSent'] as const;

export function addStateGauges(registry: Registry, moment: () => Moment): void {
  const durable = () => moment().state.durable;
  addGauge(registry, 'headgate_git_last_success_timestamp_seconds', () => {
    return [...moment().state.sources].flatMap(([repository, { succeededAtMs }]) =>
      succeededAtMs === undefined ? [] : [[{ repository }, succeededAtMs / 1000] as const],
    );
  });
  addGauge(registry, 'headgate_revision_timestamp_seconds', () => {
    return [...durable().repositories].flatMap(([repository, { desired, applied }]) =>
      Object.entries({ desired, applied }).flatMap(([what, commit]) =>
        commit === undefined ? [] : [[{ repository, what }, commit.committedAtMs / 1000] as const],
      ),
    );
  });
  addGauge(registry, 'headgate_sync_status', () =>
    viewMeshes(durable()).flatMap(({ name, sync }) =>
      syncStates.map((status) => [{ mesh: name, status }, status === sync ? 1 : 0] as const),
    ),
  );
  addGauge(registry, 'headgate_config_errors', () => {
    const errors = problemsIn(durable()).filter(({ severity }) => severity === 'error');
    return [...countBy(errors.map(({ code }) => code))].map(([code, n]) => [{ code }, n] as const);
  });
  addGauge(registry, 'headgate_held_changes', () => {
    const counts = countBy([...durable().held.values()].map(({ mesh }) => mesh));
    return [...durable().meshes.keys()].map((mesh) => [{ mesh }, counts.get(mesh) ?? 0] as const);
  });
  addGauge(registry, 'headgate_proxies', () => {
    const counts = countBy(moment().proxies.map(proxyState));
    return proxyStates.map((state) => [{ state }, counts.get(state) ?? 0] as const);
  });
  addRolloutGauges(registry, moment);
}

/** Of the rollouts that have not ended, by the name of what they change. */
function addRolloutGauges(registry: Registry, moment: () => Moment): void {
  const running = () =>
    [...moment().state.durable.rollouts.values()].filter(({ phase }) => !isEnded(phase));
  const labelsOf = ({ mesh, name }: Rollout) => ({ mesh, rollout: name });
  addGauge(registry, 'headgate_rollout_phase', () =>
    running().map((rollout) => [{ ...labelsOf(rollout), phase: rollout.phase }, 1] as const),
  );
  addGauge(registry, 'headgate_rollout_step', () =>
    running().map((rollout) => [labelsOf(rollout), rollout.step + 1] as const),
  );
  addGauge(registry, 'headgate_rollout_steps', () =>
    running().map((rollout) => [labelsOf(rollout), rollout.plan.steps.length] as const),
  );
  const gateFigures = (key: 'observed' | 'limit') => () =>
    running().flatMap((rollout) =>
      rollout.gates.flatMap(({ name, [key]: figure }) =>
        figure === undefined ? [] : [[{ ...labelsOf(rollout), gate: name }, figure] as const],
      ),
    );
  addGauge(registry, 'headgate_gate_value', gateFigures('observed'));
  addGauge(registry, 'headgate_gate_limit', gateFigures('limit'));
  addGauge(registry, 'headgate_route_weight', () => {
    const now = moment();
    return running().flatMap((rollout) => weightsOf(rollout, now));
  });
}

function weightsOf(rollout: Rollout, { state, nowMs }: Moment) {
  return rolloutTargets(rollout, state.load, nowMs).flatMap((target) => {
    const { router, route, applied, desired, served, actual } = target;
    const labels = {
      mesh: rollout.mesh,
      rollout: rollout.name,
      router,
      route,
      target: `${target.virtualNode}:${target.port}`,
      envoy_cluster_name: clusterOf(rollout.mesh, target, state),
      role: desired > applied ? 'canary' : 'stable',
    };
    return Object.entries({ set: desired, served, actual }).flatMap(([kind, percent]) =>
      percent === undefined ? [] : [[{ ...labels, kind }, percent] as const],
    );
  });
}

/** As its callers' Envoys know the target; empty where the node is in no mesh any more. */
function clusterOf(mesh: string, target: RolloutTarget, { durable }: LoopState): string {
  const { applied, desired } = durable.meshes.get(mesh) ?? {};
  const nodes = [...(desired?.virtualNodes ?? []), ...(applied?.virtualNodes ?? [])];
  const node = nodes.find(({ name }) => name === target.virtualNode);
  const listener = node?.listeners.find(({ port }) => port === target.port);
  return node && listener ? clusterName('egress', mesh, node, listener) : '';
}

function countBy<Key>(keys: readonly Key[]): ReadonlyMap<Key, number> {
  const counts = new Map<Key, number>();
  for (const key of keys) {
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
