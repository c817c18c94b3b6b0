/** What this replica and the others know of one another's proxies: one fleet, wherever a proxy is connected. */
import type { LoopEvent } from '../loop/events.js';
import { Fleet } from './fleet.js';
import { Hearer } from './hearer.js';
import type { PeerRow, SharedDatabase } from './ports.js';
import { Teller, type TellerDeps } from './teller.js';

export interface PeersDeps extends Omit<TellerDeps, 'database'> {
  readonly database: Pick<SharedDatabase, 'tell' | 'hear' | 'leave'>;
  /** This start of this replica. */
  readonly replica: string;
  /** What follows for the fleet. */
  readonly onEvent: (event: LoopEvent) => void;
}

/** How long what is not urgent waits for more. */
const gatherMs = 500;
/** An acknowledgement is waited for; the others that come with it go along. */
const urgentMs = 25;

export class Peers {
  readonly fleet = new Fleet();
  private readonly deps: PeersDeps;
  private readonly teller: Teller;
  private readonly hearer: Hearer;

  constructor(deps: PeersDeps) {
    this.deps = deps;
    this.teller = new Teller(deps);
    this.hearer = new Hearer({
      ...deps,
      fleet: this.fleet,
      pass: (events) => this.pass(events),
    });
  }

  /** Others that were heard of lately. */
  others(): readonly PeerRow[] {
    return this.hearer.others();
  }

  async start(): Promise<void> {
    await Promise.all([this.teller.start(), this.hearer.wake()]);
  }

  /** Something of this replica's own proxies; what follows for the fleet is told to `onEvent`. */
  note(event: LoopEvent): void {
    const { replica, onEvent } = this.deps;
    switch (event.kind) {
      case 'proxyConnected':
      case 'proxyAcked':
        this.pass(this.fleet.set(replica, event.proxy));
        this.teller.tellSoon(urgentMs);
        break;
      case 'proxyNacked':
        this.pass(this.fleet.set(replica, event.proxy));
        this.teller.add(event);
        onEvent(event);
        this.teller.tellSoon(urgentMs);
        break;
      case 'proxyDisconnected':
        this.pass(this.fleet.remove(replica, event.id, event.clean));
        this.teller.add(event);
        this.teller.tellSoon(urgentMs);
        break;
      case 'loadReported':
      case 'statsReported':
        this.teller.add(event);
        onEvent(event);
        this.teller.tellSoon(gatherMs);
        break;
      default:
        onEvent(event);
        break;
    }
  }

  wake(): void {
    void this.hearer.wake();
  }

  /** Tells what the others must know before this replica goes, and leaves. */
  async stop(): Promise<void> {
    await Promise.all([this.teller.stop(), this.hearer.stop()]);
    await this.deps.database.leave().catch(() => undefined);
  }

  private pass(events: readonly LoopEvent[]): void {
    for (const event of events) {
      this.deps.onEvent(event);
    }
  }
}
