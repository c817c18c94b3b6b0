/**
 * What this replica tells the others of its proxies, and what it hears of theirs. Times go as ages, since
 * no two machines have the same clock: the database says how old a batch is, and its writer how old each
 * figure was.
 */
import { proxyId } from '../base/brand.js';
import { errorText } from '../base/op-error.js';
import type { LoopEvent } from '../loop/events.js';
import type { Clock, Logger, ProxyStatus } from '../loop/ports.js';
import { type Figures, packFigures, unpackFigures } from './figures.js';
import { Fleet } from './fleet.js';
import type { NewsBatch, PeerNews, PeerRow, Position, SharedDatabase } from './ports.js';
import { Task } from './task.js';

export interface PeersDeps {
  readonly database: Pick<SharedDatabase, 'tell' | 'hear' | 'leave'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** This start of this replica. */
  readonly replica: string;
  /** This replica's proxies, as they are now and as others may know them. */
  readonly proxies: () => readonly ProxyStatus[];
  readonly position: () => Position;
  /** What else the others are to know of this replica, as JSON. */
  readonly describe: () => string;
  /** What follows for the fleet. */
  readonly onEvent: (event: LoopEvent) => void;
}

/** How long what is not urgent waits for more, and how often a sign of life is given. */
const gatherMs = 500;
const aliveMs = 2_000;
/** An acknowledgement is waited for; the others that come with it go along. */
const urgentMs = 25;

/** A replica that was silent for longer is gone, and its proxies are with it until they show up elsewhere. */
export const silenceMaxMs = 10_000;

/** The database forgets after a minute who went: a reader that was away for so long reads all there is. */
const awayMaxMs = 30_000;

/** Before the first number of anybody's news. */
const nothingHeard = -1;

/** Figures of one batch: of some thousand proxies at once. What is beyond is lost, and said. */
const figuresMax = 20_000;

interface Happened {
  readonly left: readonly (readonly [id: string, clean: boolean])[];
  readonly refused: readonly Extract<LoopEvent, { kind: 'proxyNacked' }>[];
  readonly figures: Figures;
}

export class Peers {
  readonly fleet = new Fleet();
  private readonly deps: PeersDeps;
  private readonly telling: Task;
  private readonly hearing: Task;
  private seq = 0;
  /** Proxies as they are in the database; one of which nobody knows is `inDoubt` there. */
  private readonly told = new Map<string, string>();
  private happened: LoopEvent[] = [];
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
  private cancelTell: (() => void) | undefined;
  private tellAtMs = Number.POSITIVE_INFINITY;

  constructor(deps: PeersDeps) {
    this.deps = deps;
    this.telling = new Task(
      deps.clock,
      () => aliveMs,
      () => this.tell(),
    );
    this.hearing = new Task(
      deps.clock,
      () => 1_000,
      () => this.hear(),
    );
  }

  /** Others that were heard of lately. */
  others(): readonly PeerRow[] {
    return this.rows.filter(({ silentMs }) => silentMs < silenceMaxMs);
  }

  async start(): Promise<void> {
    await Promise.all([this.telling.wake(), this.hearing.wake()]);
  }

  /** Something of this replica's own proxies; what follows for the fleet is told to `onEvent`. */
  note(event: LoopEvent): void {
    const { replica, onEvent } = this.deps;
    switch (event.kind) {
      case 'proxyConnected':
      case 'proxyAcked':
        this.pass(this.fleet.set(replica, event.proxy));
        this.tellSoon(urgentMs);
        break;
      case 'proxyNacked':
        this.pass(this.fleet.set(replica, event.proxy));
        this.happened.push(event);
        onEvent(event);
        this.tellSoon(urgentMs);
        break;
      case 'proxyDisconnected':
        this.pass(this.fleet.remove(replica, event.id, event.clean));
        this.happened.push(event);
        this.tellSoon(urgentMs);
        break;
      case 'loadReported':
      case 'statsReported':
        this.happened.push(event);
        onEvent(event);
        this.tellSoon(gatherMs);
        break;
      default:
        onEvent(event);
        break;
    }
  }

  wake(): void {
    void this.hearing.wake();
  }

  /** Tells what the others must know before this replica goes, and leaves. */
  async stop(): Promise<void> {
    this.cancelTell?.();
    await Promise.all([this.telling.stop(), this.hearing.stop()]);
    await this.deps.database.leave().catch(() => undefined);
  }

  private pass(events: readonly LoopEvent[]): void {
    for (const event of events) {
      this.deps.onEvent(event);
    }
  }

  private tellSoon(delayMs: number): void {
    const { clock } = this.deps;
    const atMs = clock.now() + delayMs;
    if (atMs < this.tellAtMs) {
      this.cancelTell?.();
      this.tellAtMs = atMs;
      this.cancelTell = clock.after(delayMs, () => {
        this.tellAtMs = Number.POSITIVE_INFINITY;
        void this.telling.wake();
      });
    }
  }

  private async tell(): Promise<void> {
    const { database, clock, logger, position, describe } = this.deps;
    const happened = this.happened.splice(0);
    const proxies = this.changedProxies();
    const batch = packHappened(happened, clock.now());
    this.seq += 1;
    try {
      await database.tell({
        seq: this.seq,
        position: position(),
        json: describe(),
        proxies,
        batch,
      });
    } catch (error) {
      // Refusals and goodbyes are told until they are heard; figures of a second ago are of no use.
      this.happened.unshift(...happened.filter(({ kind }) => isLasting(kind)).slice(-figuresMax));
      // What was told just now may have been heard all the same, and a database that was away may have
      // lost what was told before: each is told again, and of each that it went.
      for (const id of [...this.told.keys(), ...proxies.keys()]) {
        this.told.set(id, inDoubt);
      }
      logger.warn('replica.notTold', { error: errorText(error) });
      return;
    }
    for (const [id, json] of proxies) {
      if (json === null) {
        this.told.delete(id);
      } else {
        this.told.set(id, json);
      }
    }
  }

  private changedProxies(): ReadonlyMap<string, string | null> {
    const now = new Map<string, string>(
      this.deps.proxies().map((proxy) => [proxy.id, JSON.stringify(proxy)]),
    );
    const changed = new Map<string, string | null>();
    for (const [id, json] of now) {
      if (this.told.get(id) !== json) {
        changed.set(id, json);
      }
    }
    for (const id of this.told.keys()) {
      if (!now.has(id)) {
        changed.set(id, null);
      }
    }
    return changed;
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
      void this.hearing.wake();
      return;
    }
    const last = this.heard.get(replica) ?? nothingHeard;
    const isWhole = this.stale.delete(replica);
    this.heard.set(replica, seq);
    const lost = isWhole ? this.fleet.idsOf(replica).filter((id) => !proxies.has(id)) : [];
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
      const { left, refused, figures } = JSON.parse(json) as Happened;
      for (const [id, isClean] of left) {
        clean.set(id, isClean);
      }
      for (const event of refused) {
        this.deps.onEvent(event);
      }
      this.pass(unpackFigures(figures, this.deps.clock.now() - ageMs));
    }
    for (const [id, json] of proxies) {
      this.pass(
        json === null
          ? this.fleet.remove(replica, proxyId(id), clean.get(id) ?? false)
          : this.fleet.set(replica, JSON.parse(json) as ProxyStatus),
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
        this.pass(this.fleet.removeReplica(replica));
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

/** Unlike any proxy's JSON, so it is told whatever it is. */
const inDoubt = '';

function isLasting(kind: LoopEvent['kind']): boolean {
  return kind === 'proxyNacked' || kind === 'proxyDisconnected';
}

/** Undefined where nothing happened that the others must know. */
function packHappened(events: readonly LoopEvent[], nowMs: number): string | undefined {
  const happened: Happened = {
    left: events.flatMap((event) =>
      event.kind === 'proxyDisconnected' ? [[event.id, event.clean] as const] : [],
    ),
    refused: events.filter((event) => event.kind === 'proxyNacked'),
    figures: packFigures(events, nowMs, figuresMax),
  };
  const isEmpty =
    happened.left.length === 0 &&
    happened.refused.length === 0 &&
    Object.values(happened.figures).every((list) => list.length === 0);
  return isEmpty ? undefined : JSON.stringify(happened);
}
