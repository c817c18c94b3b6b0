/**
 * A mesh of many services that all release at once, and the few proxies that call them: what the engine's
 * benchmark runs. Nothing of it touches a network, a disk or the translator.
 */
import { proxyId } from '../../../controller/base/brand.js';
import type { LoopEvent } from '../../../controller/loop/events.js';
import { changedValues, initialDurableState } from '../../../controller/loop/persist.js';
import type { ProxyStatus } from '../../../controller/loop/ports.js';
import { startState } from '../../../controller/loop/start-state.js';
import type { LoopState } from '../../../controller/loop/state.js';
import { stepLoop } from '../../../controller/loop/step.js';
import { policyDefaults } from '../../../controller/mesh/policy-defaults.js';
import { LoadHistory, type LoadSample } from '../../../controller/rollout/load-history.js';
import { isEnded, type Rollout } from '../../../controller/rollout/rollout.js';
import { meshOf, policyOf } from '../../support/mesh.js';
import { accepted } from '../../support/reading.js';

const settings = { ackDeadlineMs: 30_000 };
const proxyNames = ['web1', 'web2', 'web3'];

/** What each proxy counts of each canary in a second. */
const requestsPerSecond = 20;

export class BenchFleet {
  state: LoopState;
  nowMs = Date.UTC(2026, 0, 1);
  /** Transitions of rollouts: another phase or step. */
  transitions = 0;
  /** Values that a store would have been given. */
  writes = 0;
  private readonly services: readonly string[];

  constructor(count: number) {
    this.services = Array.from({ length: count }, (_, index) => `service-${index}`);
    this.state = startState(initialDurableState, new LoadHistory(), this.nowMs);
    this.commit('c1', { v1: 100, v2: 0 });
    for (const name of proxyNames) {
      this.send({ kind: 'proxyConnected', proxy: proxy(name, 0) });
    }
    this.acknowledge();
    this.look();
  }

  /** Every service releases its second version. */
  release(): void {
    this.commit('c2', { v1: 0, v2: 100 });
    this.look();
  }

  /** A second passes: every proxy reports, and acknowledges what it was given. */
  pass(): void {
    this.nowMs += 1000;
    this.send({ kind: 'loadReported', samples: this.samples() });
    this.acknowledge();
    this.look();
  }

  running(): number {
    return [...this.state.durable.rollouts.values()].filter(({ phase }) => !isEnded(phase)).length;
  }

  rollouts(): readonly Rollout[] {
    return [...this.state.durable.rollouts.values()];
  }

  /** One look at everything, as the loop takes it five times a second. */
  tick(): void {
    this.send({ kind: 'tick' });
  }

  /** Looks until nothing is due any more. */
  private look(): void {
    for (
      let before: LoopState | undefined;
      before?.durable.rollouts !== this.state.durable.rollouts;
    ) {
      before = this.state;
      const count = this.transitions;
      this.tick();
      if (count === this.transitions) {
        return;
      }
    }
  }

  private commit(id: string, weights: Readonly<Record<string, number>>): void {
    const policy = { ...policyOf(), ...policyDefaults };
    const services = this.services.map((name) => ({ name, weights }));
    const revision = { id, author: 'ann', title: id, committedAtMs: this.nowMs };
    this.send(accepted(revision, [meshOf(services, [policy])]));
  }

  private acknowledge(): void {
    for (const name of proxyNames) {
      this.send({ kind: 'proxyAcked', proxy: proxy(name, this.state.generation) });
    }
  }

  private send(event: LoopEvent): void {
    const before = this.state.durable.rollouts;
    const saved = this.state.durable;
    this.state = stepLoop(this.state, event, settings, this.nowMs).state;
    // The loop looks for what it must store after each step.
    this.writes += changedValues(saved, this.state.durable).length;
    const after = this.state.durable.rollouts;
    if (after !== before) {
      for (const rollout of after.values()) {
        const previous = before.get(rollout.id);
        this.transitions +=
          previous?.phase !== rollout.phase || previous.step !== rollout.step ? 1 : 0;
      }
    }
  }

  private samples(): readonly LoadSample[] {
    return this.services.flatMap((name) =>
      ['v1', 'v2'].flatMap((version) =>
        proxyNames.map((instance) => ({
          mesh: 'demo',
          virtualNode: `${name}-${version}`,
          direction: 'egress' as const,
          instance,
          fromMs: this.nowMs - 1000,
          toMs: this.nowMs,
          successes: requestsPerSecond,
          errors: 0,
          issued: requestsPerSecond,
        })),
      ),
    );
  }
}

function proxy(name: string, ackedGeneration: number): ProxyStatus {
  return {
    id: proxyId(name),
    identity: {
      nodeId: 'mesh/demo/virtualNode/web',
      resource: { mesh: 'demo', kind: 'VirtualNode', name: 'web' },
      instance: name,
      kind: 'envoy',
    },
    address: '127.0.0.1:1',
    connectedAtMs: 0,
    ackedGeneration,
    types: {},
    userAgent: 'envoy 1.40.0',
  };
}
