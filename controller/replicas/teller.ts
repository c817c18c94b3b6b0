/** Tells the other replicas of this one's proxies: what changed since the last time, until they have it. */
import { errorText } from '../base/op-error.js';
import type { LoopEvent } from '../loop/events.js';
import type { Clock, Logger, ProxyStatus } from '../loop/ports.js';
import { figuresMax, packHappened } from './happened.js';
import type { Position, SharedDatabase } from './ports.js';
import { Task } from './task.js';

export interface TellerDeps {
  readonly database: Pick<SharedDatabase, 'tell'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** This replica's proxies, as they are now and as others may know them. */
  readonly proxies: () => readonly ProxyStatus[];
  readonly position: () => Position;
  /** What else the others are to know of this replica, as JSON. */
  readonly describe: () => string;
}

/** How often a sign of life is given. */
const aliveMs = 2_000;

/** Unlike any proxy's JSON, so it is told whatever it is. */
const inDoubt = '';

export class Teller {
  private readonly deps: TellerDeps;
  private readonly task: Task;
  private seq = 0;
  /** Proxies as they are in the database; one of which nobody knows is `inDoubt` there. */
  private readonly told = new Map<string, string>();
  private happened: LoopEvent[] = [];
  private cancelTell: (() => void) | undefined;
  private tellAtMs = Number.POSITIVE_INFINITY;

  constructor(deps: TellerDeps) {
    this.deps = deps;
    this.task = new Task(
      deps.clock,
      () => aliveMs,
      () => this.tell(),
    );
  }

  /** Resolves once the others can know what there is now, or could not be told. */
  start(): Promise<void> {
    return this.task.wake();
  }

  /** `event` is among what the others are told next. */
  add(event: LoopEvent): void {
    this.happened.push(event);
  }

  /** Tells what changed within `delayMs`, together with what comes until then. */
  tellSoon(delayMs: number): void {
    const { clock } = this.deps;
    const atMs = clock.now() + delayMs;
    if (atMs < this.tellAtMs) {
      this.cancelTell?.();
      this.tellAtMs = atMs;
      this.cancelTell = clock.after(delayMs, () => {
        this.tellAtMs = Number.POSITIVE_INFINITY;
        void this.task.wake();
      });
    }
  }

  /** Resolves once nothing is being told any more. */
  async stop(): Promise<void> {
    this.cancelTell?.();
    await this.task.stop();
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
}

function isLasting(kind: LoopEvent['kind']): boolean {
  return kind === 'proxyNacked' || kind === 'proxyDisconnected';
}
