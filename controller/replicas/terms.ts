/**
 * The terms of leadership of one replica, which begin and end one after another. Between two the follower
 * has what happens; when one ends, what is served stays until somebody stores something newer.
 */
import { errorText } from '../base/op-error.js';
import type { LoopEvent } from '../loop/events.js';
import type { Follower } from '../loop/follower.js';
import type { Loop } from '../loop/loop.js';
import type { ProxyStatus } from '../loop/ports.js';
import type { LoopState } from '../loop/state.js';
import type { StepSettings } from '../loop/step.js';
import { EventSwitch } from './event-switch.js';
import type { LeaseKeeper } from './lease-keeper.js';
import type { SharedDatabase } from './ports.js';
import { VoidAcks } from './position.js';
import type { StateReader } from './state-reader.js';
import { type Duties, prepareTerm, type Term, type TermDeps } from './term.js';

export interface TermsDeps extends TermDeps {
  readonly database: Pick<SharedDatabase, 'term'>;
  readonly lease: Pick<LeaseKeeper, 'holds' | 'lose' | 'abandon'>;
  /** Has what is known between two terms. */
  readonly follower: Follower;
  readonly reader: StateReader;
  /** False once no term may begin any more. */
  readonly mayBegin: () => boolean;
  readonly onBegun: () => void;
  /** The term is over, and this replica follows from now on. */
  readonly onEnded: () => void;
}

export class Terms {
  private readonly deps: TermsDeps;
  private readonly settings: StepSettings;
  private readonly events: EventSwitch;
  private readonly voidAcks = new VoidAcks();
  private term: Term | undefined;
  private changing: Promise<void> = Promise.resolve();

  constructor(deps: TermsDeps, settings: StepSettings) {
    this.deps = deps;
    this.settings = settings;
    this.events = new EventSwitch((event) => deps.follower.take(event));
  }

  /** Undefined while this replica does not lead. */
  loop(): Loop | undefined {
    return this.term?.loop;
  }

  duties(): Duties | undefined {
    return this.term?.duties;
  }

  /** Hands the event to the loop of the term, or to the follower. */
  take(event: LoopEvent): void {
    this.events.take(event);
  }

  /** A proxy as it may count: what it took that was never stored is nothing that it has. */
  known(proxy: ProxyStatus): ProxyStatus {
    return this.voidAcks.without(proxy, this.loop()?.savedGeneration());
  }

  /** Leads, where the lease is still this replica's by then. */
  begin(epoch: number): Promise<void> {
    return this.change(() => this.lead(epoch));
  }

  /** Ends the term of that epoch, or whichever there is by then. */
  end(reason: string, epoch?: number): Promise<void> {
    return this.change(() => this.unlead(reason, epoch ?? this.term?.epoch));
  }

  /** Resolves when no term begins or ends any more. */
  settled(): Promise<void> {
    return this.changing;
  }

  private change(work: () => Promise<void>): Promise<void> {
    this.changing = this.changing.then(work).catch((error) => {
      this.deps.logger.error('replica.changeFailed', { error: errorText(error) });
    });
    return this.changing;
  }

  private async lead(epoch: number): Promise<void> {
    const { database, logger, follower, reader, lease } = this.deps;
    if (!this.deps.mayBegin() || !lease.holds(epoch)) {
      return;
    }
    this.events.wait();
    const term = prepareTerm(this.deps, this.settings, {
      epoch,
      store: database.term(epoch, reader.seen().seq, (seq) => reader.saw({ epoch, seq })),
      enqueue: (event) => this.take(event),
      lease: {
        mayLead: () => lease.holds(epoch),
        onOver: () => lease.lose(epoch, 'the store belongs to a newer leader'),
      },
    });
    const { loop, duties } = term;
    try {
      await loop.start({ epoch, seen: () => this.seen() });
    } catch (error) {
      logger.error('replica.cannotLead', { epoch, error: errorText(error) });
      // Let go, it would be taken at once, by this replica or by another that cannot read it either.
      lease.abandon();
      await Promise.all([loop.stop(), duties.stop()]);
      this.events.handOver((event) => follower.take(event));
      return;
    }
    const refusals = follower.refusals();
    const before = follower.current();
    this.term = term;
    this.events.handOver((event) => loop.enqueue(event));
    for (const refusal of refusals) {
      loop.enqueue(refusal);
    }
    duties.start();
    duties.wakeDispatcher();
    logger.info('replica.leads', { epoch });
    this.deps.onState(loop.current(), [], before);
    this.deps.onBegun();
  }

  /** What is known of the world when a loop starts. */
  private seen(): Pick<LoopState, 'proxies' | 'load' | 'secrets'> {
    const { proxies, load, secrets } = this.deps.follower.current();
    const known = new Map([...proxies].map(([id, proxy]) => [id, this.known(proxy)]));
    return { proxies: known, load, secrets };
  }

  private async unlead(reason: string, epoch: number | undefined): Promise<void> {
    const { term } = this;
    const { logger, follower, reader } = this.deps;
    if (term === undefined || term.epoch !== epoch) {
      return;
    }
    logger.warn('replica.leadsNoMore', { epoch, reason });
    this.events.wait();
    const untaken = await term.loop.stop();
    const last = term.loop.current();
    this.voidAcks.add(term.loop.savedGeneration(), last.generation);
    follower.adopt(last);
    reader.startOver();
    this.term = undefined;
    // Who came or went while the loop waited for the store is known no less than others.
    this.events.handOver((event) => follower.take(event), untaken);
    await term.duties.stop();
    this.deps.onEnded();
  }
}
