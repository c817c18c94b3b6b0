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
import type { PeerRow, Position, SharedDatabase } from './ports.js';
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
  private readonly told = new Map<string, string>();
  private happened: LoopEvent[] = [];
  private readonly heard = new Map<string, number>();
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
      for (const id of proxies.keys()) {
        this.told.delete(id);
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
    try {
      const { peers, news } = await database.hear(this.heard);
      const nowMs = clock.now();
      const wasAway = nowMs - this.lastHeardAtMs > silenceMaxMs / 2;
      this.hearsSinceMs = wasAway ? nowMs : Math.min(this.hearsSinceMs, nowMs);
      this.lastHeardAtMs = nowMs;
      this.rows = peers;
      for (const one of news) {
        this.heard.set(one.replica, one.seq);
        this.take(one.replica, one.proxies, one.batches);
      }
      this.forgetSilent(nowMs);
    } catch (error) {
      this.hearsSinceMs = Number.POSITIVE_INFINITY;
      logger.warn('replica.hearsNothing', { error: errorText(error) });
    }
  }

  private take(
    replica: string,
    proxies: ReadonlyMap<string, string | null>,
    batches: readonly { readonly json: string; readonly ageMs: number }[],
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
      if (row === undefined || (hasListened && row.silentMs >= silenceMaxMs)) {
        this.heard.delete(replica);
        this.pass(this.fleet.removeReplica(replica));
        this.deps.logger.warn('replica.gone', { replica, silentMs: row?.silentMs });
      }
    }
  }
}

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
