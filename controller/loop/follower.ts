/**
 * A replica that does not lead: it serves what the leader stored, knows the fleet as the leader does, and
 * decides nothing. Values that did not change stay the objects that they were, so that nothing is
 * translated anew.
 */
import { sameValue } from '../base/same-value.js';
import type { Rollout } from '../rollout/rollout.js';
import type { LoopEvent } from './events.js';
import { isMeshRow, shareMeshRows } from './mesh-rows.js';
import { isOriginRow } from './origin-rows.js';
import { assembleSaved, noRows, type ParsedValue, takeRows } from './persist.js';
import type { Publisher, StoreWrite } from './ports.js';
import type { PublicationFactory } from './publication.js';
import type { LoopState } from './state.js';
import { withProxies } from './take-proxy.js';

export interface FollowerDeps {
  readonly publisher: Publisher;
  readonly publications: PublicationFactory;
  readonly onState: (state: LoopState, before: LoopState) => void;
}

type Refusal = Extract<LoopEvent, { kind: 'proxyNacked' }>;

export class Follower {
  private readonly deps: FollowerDeps;
  private state: LoopState;
  private rows = noRows;
  /** The other stored values as they were read, by kind and key. */
  private values = new Map<string, ParsedValue>();
  /** The newest word of each proxy that refused something and has not taken anything since. */
  private readonly refused = new Map<string, Refusal>();

  constructor(deps: FollowerDeps, state: LoopState) {
    this.deps = deps;
    this.state = state;
  }

  current(): LoopState {
    return this.state;
  }

  /** What a leader that takes over has to judge yet. */
  refusals(): readonly Refusal[] {
    return [...this.refused.values()];
  }

  /** Goes on from `state`, which is another one's: a term of leadership has ended. */
  adopt(state: LoopState): void {
    this.state = state;
  }

  /** Takes in what is news; what only a leader acts on is dropped. */
  take(event: LoopEvent): void {
    const { state } = this;
    switch (event.kind) {
      case 'proxyConnected':
      case 'proxyAcked':
        this.refused.delete(event.proxy.id);
        this.move(withProxies(state, (proxies) => proxies.set(event.proxy.id, event.proxy)));
        break;
      case 'proxyNacked':
        this.refused.set(event.proxy.id, event);
        this.move(withProxies(state, (proxies) => proxies.set(event.proxy.id, event.proxy)));
        break;
      case 'proxyDisconnected':
        this.refused.delete(event.id);
        this.move(withProxies(state, (proxies) => proxies.delete(event.id)));
        break;
      case 'loadReported':
        for (const sample of event.samples) {
          state.load.record(sample);
        }
        break;
      case 'statsReported':
        for (const sample of event.latencies) {
          state.load.latency.record(sample);
        }
        for (const sample of event.health) {
          state.load.health.record(sample);
        }
        break;
      case 'secretsChanged':
        this.move({ ...state, secrets: event.secrets });
        if (state.generation > 0) {
          this.deps.publisher.publish(this.deps.publications.create(this.state));
        }
        break;
      default:
        break;
    }
  }

  /** Takes in what the leader stored; `isWhole`: what is not among `values` is gone. */
  follow(values: readonly StoreWrite[], isWhole: boolean): void {
    const known = this.values;
    const parsed = values.map(({ kind, key, json }) => ({
      ...{ kind, key },
      value: json === null ? null : JSON.parse(json),
    }));
    const before = this.rows;
    const after = takeRows(isWhole ? noRows : before, parsed);
    this.rows = isWhole ? { ...after, meshes: shareMeshRows(before.meshes, after.meshes) } : after;
    this.values = isWhole ? new Map() : new Map(known);
    for (const row of parsed.filter((one) => !isMeshRow(one) && !isOriginRow(one))) {
      const { kind, key } = row;
      const id = JSON.stringify([kind, key]);
      if (row.value === null) {
        this.values.delete(id);
      } else {
        const value = shared(kind, known.get(id)?.value, row.value);
        this.values.set(id, { kind, key, value });
      }
    }
    const { state } = this;
    const saved = assembleSaved([...this.values.values()], this.rows);
    // What was served and could never be stored has a higher number: the next leader's is higher still.
    const isNewer = saved.generation > state.generation;
    this.move({
      ...state,
      ...saved,
      generation: Math.max(saved.generation, state.generation),
    });
    if (isNewer) {
      this.deps.publisher.publish(this.deps.publications.create(this.state));
    }
  }

  private move(state: LoopState): void {
    const before = this.state;
    this.state = state;
    this.deps.onState(state, before);
  }
}

/** `next`, with what it has in common with `previous` as the same objects. */
function shared(kind: string, previous: unknown, next: unknown): unknown {
  if (previous === undefined) {
    return next;
  }
  if (kind === 'rollout') {
    const { group, plan } = previous as Rollout;
    const rollout = next as Rollout;
    return {
      ...rollout,
      group: sameValue(group, rollout.group) ? group : rollout.group,
      plan: sameValue(plan, rollout.plan) ? plan : rollout.plan,
    };
  }
  return next;
}
