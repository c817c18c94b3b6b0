/**
 * What `/api/v1/events` sends, kept for those who come back. Each look at the state is compared with the
 * one before, and what differs becomes an event; so a burst of changes is one event, and nobody has to
 * remember to announce anything. Pure but for its own memory: the HTTP side is `event-stream.ts`.
 */
import { canonicalJson } from '../base/hash.js';
import { isEnded, type Rollout } from '../rollout/rollout.js';
import { viewProxy } from './proxy-view.js';
import type { SourceView } from './repository-view.js';
import { type RolloutView, viewRollout } from './rollout-view.js';
import { type Moment, type StatusView, viewStatus } from './view.js';

export interface ApiEvent {
  /** `<epoch>-<number>`: the number rises by one; the epoch tells one run of the controller from another. */
  readonly id: string;
  /**
   * - `status`: a `StatusView`: when somebody connects, and when anything outside its rollouts changed.
   * - `rollout`: a `RolloutView` that is new or changed, or ended.
   * - `proxy`: a `ProxyView` that is new or changed.
   * - `proxyGone`: `{ id }` of one that has disconnected.
   */
  readonly type: 'status' | 'rollout' | 'proxy' | 'proxyGone';
  readonly json: string;
}

interface Seen {
  readonly rollout: Rollout;
  readonly comparable: string;
}

/** A few minutes of a busy rollout; who was away for longer gets the whole status instead. */
const eventsKeptMax = 500;

export class EventLog {
  private readonly epoch: string;
  private readonly events: ApiEvent[] = [];
  private newest = 0;
  private seenStatus = '';
  private seenRollouts: ReadonlyMap<string, Seen> = new Map();
  /** The JSON of each, by id. */
  private seenProxies: ReadonlyMap<string, string> = new Map();

  /** `startedAtMs` becomes the epoch: no earlier run of this controller had it. */
  constructor(startedAtMs: number) {
    this.epoch = startedAtMs.toString(36);
  }

  /** Appends an event for each thing that differs from the last look. */
  look(moment: Moment): void {
    this.lookAtRollouts(moment);
    this.lookAtProxies(moment);
    const status = viewStatus(moment);
    const comparable = comparableStatus(status);
    if (comparable !== this.seenStatus) {
      this.append('status', status);
    }
    this.seenStatus = comparable;
  }

  private lookAtRollouts({ state, nowMs }: Moment): void {
    const seen = new Map<string, Seen>();
    for (const rollout of state.durable.rollouts.values()) {
      const last = this.seenRollouts.get(rollout.id);
      if (last?.rollout === rollout && isEnded(rollout.phase)) {
        // Most of them, most of the time: nothing of one that has ended changes any more.
        seen.set(rollout.id, last);
        continue;
      }
      const view = viewRollout(state, rollout, nowMs);
      const comparable = comparableRollout(view);
      if (comparable !== last?.comparable) {
        this.append('rollout', view);
      }
      seen.set(rollout.id, { rollout, comparable });
    }
    this.seenRollouts = seen;
  }

  private lookAtProxies({ proxies }: Moment): void {
    const seen = new Map<string, string>();
    for (const view of proxies.map(viewProxy)) {
      const json = JSON.stringify(view);
      if (this.seenProxies.get(view.id) !== json) {
        this.append('proxy', view);
      }
      seen.set(view.id, json);
    }
    for (const id of this.seenProxies.keys()) {
      if (!seen.has(id)) {
        this.append('proxyGone', { id });
      }
    }
    this.seenProxies = seen;
  }

  /** The events after `lastId`, oldest first; undefined where that is not known any more, or never was. */
  since(lastId: string): readonly ApiEvent[] | undefined {
    const [epoch, digits] = lastId.split('-');
    const last = Number(digits);
    const oldest = this.newest - this.events.length;
    if (
      epoch !== this.epoch ||
      !/^\d+$/.test(digits ?? '') ||
      last > this.newest ||
      last < oldest
    ) {
      return undefined;
    }
    return this.events.slice(last - oldest);
  }

  /** The whole status, as an event after which everything that was appended so far is known. */
  snapshot(moment: Moment): ApiEvent {
    return { id: this.idOf(this.newest), type: 'status', json: JSON.stringify(viewStatus(moment)) };
  }

  private append(type: ApiEvent['type'], view: object): void {
    this.newest += 1;
    this.events.push({ id: this.idOf(this.newest), type, json: JSON.stringify(view) });
    if (this.events.length > eventsKeptMax) {
      this.events.shift();
    }
  }

  private idOf(number: number): string {
    return `${this.epoch}-${number}`;
  }
}

/** `view` without what changes while nothing happens: the time of the last measurement. */
function comparableRollout(view: RolloutView): string {
  return canonicalJson({ ...view, gates: view.gates.map((gate) => ({ ...gate, at: '' })) });
}

/** Rollouts have events of their own; here it counts which there are. A poll alone is no news. */
function comparableStatus(status: StatusView): string {
  return canonicalJson({
    ...status,
    rollouts: status.rollouts.map((rollout) => rollout.id),
    source: comparableSource(status.source),
    repositories: status.repositories.map((repository) => ({
      ...repository,
      source: comparableSource(repository.source),
    })),
  });
}

/** When it was last asked changes with every poll, and is nobody's news. */
function comparableSource({ state, fetchedPercent, error }: SourceView) {
  return { state, fetchedPercent, code: error?.code };
}
