/** Hears what other replicas tell of their proxies, and notices when one of them says nothing any more. */
import { proxyId } from '../base/brand.js';
import { errorText } from '../base/op-error.js';
import type { LoopEvent } from '../loop/events.js';
import type { Clock, Logger, ProxyStatus } from '../loop/ports.js';
import type { Fleet } from './fleet.js';
import { unpackHappened } from './happened.js';
import type { NewsBatch, PeerNews, PeerRow, SharedDatabase } from './ports.js';
import { Task } from './task.js';

export interface HearerDeps {
  readonly database: Pick<SharedDatabase, 'hear'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly fleet: Fleet;
  /** Takes what follows for the fleet. */
  readonly pass: (events: readonly LoopEvent[]) => void;
}

/** How often it is looked, whatever wakes. */
const lookMs = 1_000;

/** A replica that was silent for longer is gone, and its proxies are with it until they show up elsewhere. */
export const silenceMaxMs = 10_000;

/** The database forgets after a minute who went: a reader that was away for so long reads all there is. */
const awayMaxMs = 30_000;

/** Before the first number of anybody's news. */
const nothingHeard = -1;

export class Hearer {
  private readonly deps: HearerDeps;
  private readonly task: Task;
  /** The number of the newest news of each replica that has a row. */
  private readonly heard = new Map<string, number>();
  /** Replicas whose proxies have to be read anew, all of them. */
  private readonly stale = new Set<string>();
  /** Replicas that were silent for too long, while their rows are still there. */
  private readonly gone = new Set<string>();
  private rows: readonly PeerRow[] = [];
  /** Since when the database has answered each time; a silence before that is no replica's. */
  private hearsSinceMs = Number.POSITIVE_INFINITY;
  private lastHeardAtMs = 0;

  constructor(deps: HearerDeps) {
    this.deps = deps;
    this.task = new Task(
      deps.clock,
      () => lookMs,
      () => this.hear(),
    );
  }

  /** Others that were heard of lately. */
  others(): readonly PeerRow[] {
    return this.rows.filter(({ silentMs }) => silentMs < silenceMaxMs);
  }

  /** Resolves once what is new is heard, or could not be. */
  wake(): Promise<void> {
    return this.task.wake();
  }

  /** Resolves once nothing is being heard any more. */
  stop(): Promise<void> {
    return this.task.stop();
  }

  private async hear(): Promise<void> {
    const { database, clock, logger } = this.deps;
    if (clock.now() - this.lastHeardAtMs > awayMaxMs) {
      this.readAnew(this.heard.keys());
    }
    try {
      const { peers, news } = await database.hear(this.numbers());
      const nowMs = clock.now();
      const wasAway = nowMs - this.lastHeardAtMs > silenceMaxMs / 2;
      this.hearsSinceMs = wasAway ? nowMs : Math.min(this.hearsSinceMs, nowMs);
      this.lastHeardAtMs = nowMs;
      this.rows = peers;
      for (const one of news) {
        this.hearOne(one);
      }
      this.forgetSilent(nowMs);
    } catch (error) {
      this.hearsSinceMs = Number.POSITIVE_INFINITY;
      logger.warn('replica.hearsNothing', { error: errorText(error) });
    }
  }

  /** Where to read on, for each replica. */
  private numbers(): ReadonlyMap<string, number> {
    return new Map(
      [...this.heard].map(([replica, seq]) => [
        replica,
        this.stale.has(replica) ? nothingHeard : seq,
      ]),
    );
  }

  private readAnew(replicas: Iterable<string>): void {
    for (const replica of replicas) {
      this.stale.add(replica);
    }
  }

  private hearOne({ replica, seq, proxies, batches }: PeerNews): void {
    if (this.gone.delete(replica)) {
      // It was only silent. Its proxies were taken for gone, so what changed since is not enough.
      this.readAnew([replica]);
      void this.task.wake();
      return;
    }
    const last = this.heard.get(replica) ?? nothingHeard;
    const isWhole = this.stale.delete(replica);
    this.heard.set(replica, seq);
    const lost = isWhole ? this.deps.fleet.idsOf(replica).filter((id) => !proxies.has(id)) : [];
    const news = batches.filter((batch) => batch.seq > last);
    this.take(replica, new Map([...proxies, ...lost.map((id) => [id, null] as const)]), news);
  }

  private take(
    replica: string,
    proxies: ReadonlyMap<string, string | null>,
    batches: readonly NewsBatch[],
  ): void {
    const clean = new Map<string, boolean>();
    for (const { json, ageMs } of batches) {
      const { left, events } = unpackHappened(json, this.deps.clock.now() - ageMs);
      for (const [id, isClean] of left) {
        clean.set(id, isClean);
      }
      this.deps.pass(events);
    }
    for (const [id, json] of proxies) {
      this.deps.pass(
        json === null
          ? this.deps.fleet.remove(replica, proxyId(id), clean.get(id) ?? false)
          : this.deps.fleet.set(replica, JSON.parse(json) as ProxyStatus),
      );
    }
  }

  /** A replica that left said so by its absence; one that died is silent. */
  private forgetSilent(nowMs: number): void {
    const hasListened = nowMs - this.hearsSinceMs >= silenceMaxMs;
    const there = new Map(this.rows.map((row) => [row.replica, row]));
    for (const replica of this.heard.keys()) {
      const row = there.get(replica);
      const isSilent = row === undefined || (hasListened && row.silentMs >= silenceMaxMs);
      if (isSilent && !this.gone.has(replica)) {
        this.gone.add(replica);
        this.deps.pass(this.deps.fleet.removeReplica(replica));
        this.deps.logger.warn('replica.gone', { replica, silentMs: row?.silentMs });
      }
      if (row === undefined) {
        this.heard.delete(replica);
        this.stale.delete(replica);
        this.gone.delete(replica);
      }
    }
  }
}
