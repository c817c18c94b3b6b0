/**
 * One replica among several: it follows what the leader stores, leads when it has the lease, and tells the
 * others of its proxies either way. A term of leadership is a loop of its own that starts from the store
 * as after a restart; when it ends, what is served stays until somebody stores something newer.
 */
import { failpoint } from '../base/failpoint.js';
import { errorText, OpError } from '../base/op-error.js';
import type { Secrets } from '../envoy/secrets.js';
import type { CommandReply, LoopEvent } from '../loop/events.js';
import { Follower } from '../loop/follower.js';
import { Loop, type LoopDeps } from '../loop/loop.js';
import { initialDurableState } from '../loop/persist.js';
import type { Clock, Logger, ProxyStatus, Publisher, Store } from '../loop/ports.js';
import { PublicationFactory } from '../loop/publication.js';
import { startState } from '../loop/start-state.js';
import type { DurableState, LoopState } from '../loop/state.js';
import type { StepSettings } from '../loop/step.js';
import type { SinkStatus } from '../notify/sink.js';
import { LoadHistory } from '../rollout/load-history.js';
import { type AskDeps, askLeader } from './ask-leader.js';
import { AskedCommands } from './asked-commands.js';
import { forwardOnly } from './forward-only.js';
import { LeaseKeeper } from './lease-keeper.js';
import { Peers } from './peers.js';
import type { LeaseState, Position, SharedDatabase } from './ports.js';
import { isBehind, newest, VoidAcks } from './position.js';
import { Task } from './task.js';
import { type MemberRow, type MemberView, viewMember } from './view.js';

/** What only a leader does besides the loop: polling Git, asking providers, telling people. */
export interface Duties extends Pick<LoopDeps, 'measurer' | 'wakeDispatcher'> {
  /** How each target of notifications fares. */
  sinks(): readonly SinkStatus[];
  /** Called once the loop serves. */
  start(): void;
  /** Looks at the repository of that name now, or at all of them. */
  pollNow(repository?: string): void;
  /** Gives up what is under way; resolves when nothing runs any more. */
  stop(): Promise<void>;
}

export interface MemberDeps extends Pick<LoopDeps, 'notificationsFor' | 'onHandled' | 'onState'> {
  readonly database: SharedDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publisher: Publisher;
  /** This start of this replica, which no other ever had. */
  readonly replica: string;
  readonly describe: () => Omit<MemberRow, 'role' | 'proxies'>;
  readonly duties: (term: {
    readonly store: Store;
    /** What the store has by the start of the duties, and the loop from then on. */
    readonly durable: () => DurableState;
    /** Takes what the duties find out. */
    readonly enqueue: (event: LoopEvent) => void;
  }) => Duties;
}

export interface MemberSettings extends StepSettings {
  readonly leaseMs: number;
}

interface Term {
  readonly epoch: number;
  readonly loop: Loop;
  readonly duties: Duties;
}

/** How old what a follower serves can be when no NOTIFY arrives. */
const followMs = 1_000;

export class Member {
  private readonly deps: MemberDeps;
  private readonly settings: MemberSettings;
  private readonly follower: Follower;
  private readonly peers: Peers;
  private readonly lease: LeaseKeeper;
  private readonly following: Task;
  private readonly answering: AskedCommands;
  private readonly publisher: Publisher;
  private readonly publications: PublicationFactory;
  private readonly voidAcks = new VoidAcks();
  private term: Term | undefined;
  /** Events that came while a term began or ended. */
  private waiting: LoopEvent[] | undefined;
  /** Terms begin and end one after another. */
  private changing: Promise<void> = Promise.resolve();
  /** Of the state that the follower has; undefined: it has to read all of it. */
  private position: Position | undefined;
  /** The newest that this replica has ever seen. */
  private highest: Position = { epoch: 0, seq: 0 };
  private isHeld = false;
  private isReached = true;
  private isStopping = false;
  private isStopped = false;

  constructor(deps: MemberDeps, settings: MemberSettings) {
    const { clock, logger, database } = deps;
    this.deps = deps;
    this.settings = settings;
    this.publisher = forwardOnly(deps.publisher, logger);
    this.publications = new PublicationFactory(logger);
    const state = startState(initialDurableState, new LoadHistory(), clock.now());
    const onState = (moved: LoopState, before: LoopState) => deps.onState(moved, [], before);
    const following = { publisher: this.publisher, publications: this.publications, onState };
    this.follower = new Follower(following, state);
    this.peers = new Peers({
      ...deps,
      proxies: () => deps.publisher.proxies().map((proxy) => this.known(proxy)),
      position: () => this.highest,
      describe: () => JSON.stringify(this.row()),
      onEvent: (event) => this.take(event),
    });
    this.lease = new LeaseKeeper({
      ...deps,
      leaseMs: settings.leaseMs,
      mayTake: (lease) => this.mayTake(lease),
      onTaken: (epoch) => this.change(() => this.lead(epoch)),
      onLost: (epoch, reason) => this.change(() => this.unlead(epoch, reason)),
    });
    this.following = new Task(
      clock,
      () => followMs,
      () => this.follow(),
    );
    this.answering = new AskedCommands({ ...deps, loop: () => this.term?.loop });
    database.onWake((topic) => {
      switch (topic) {
        case 'state':
          return void this.following.wake();
        case 'lease':
          return void this.lease.wake();
        case 'news':
          return this.peers.wake();
        case 'commands':
          return void this.answering.wake();
        case 'poll':
          return this.term?.duties.pollNow();
      }
    });
  }

  /** Serves what is stored. Throws what the database throws: then nothing was started. */
  async start(secrets: Secrets): Promise<void> {
    this.follower.adopt({ ...this.follower.current(), secrets });
    await this.readChanges();
  }

  /** Takes part from now on: this replica listens. */
  async join(): Promise<void> {
    await this.peers.start();
    await Promise.all([this.following.wake(), this.lease.wake(), this.answering.wake()]);
    await this.changing;
  }

  current(): LoopState {
    return this.term?.loop.current() ?? this.follower.current();
  }

  /** Something of this replica's own: a proxy of its, or its secrets. */
  enqueue(event: LoopEvent): void {
    this.peers.note(this.knownEvent(event));
  }

  /** Proxies of other replicas. */
  remoteProxies(): readonly ProxyStatus[] {
    return this.peers.fleet.besides(this.deps.replica);
  }

  /** False while nothing can be stored. */
  isStoring(): boolean {
    return this.term?.loop.isStoring() ?? this.isReached;
  }

  async command(
    command: Omit<Extract<LoopEvent, { kind: 'command' }>, 'kind'>,
  ): Promise<CommandReply> {
    if (this.term !== undefined) {
      return this.term.loop.command(command);
    }
    const { database, clock } = this.deps;
    const deps: AskDeps = { database, clock, isStopped: () => this.isStopping };
    const reply = await askLeader(command, deps);
    // Whoever asked reads the answer from here.
    await this.following.wake();
    return reply;
  }

  /** Whoever leads is asked to look at all of them. */
  pollNow(repository?: string): void {
    if (this.term !== undefined) {
      this.term.duties.pollNow(repository);
      return;
    }
    this.deps.database.askPoll().catch((error) => {
      this.deps.logger.warn('replica.notAsked', { error: errorText(error) });
    });
  }

  sinks(): readonly SinkStatus[] {
    return this.term?.duties.sinks() ?? [];
  }

  view(): MemberView {
    return viewMember({
      own: this.row(),
      replica: this.deps.replica,
      lease: this.lease.last(),
      position: this.highest,
      others: this.peers.others(),
    });
  }

  /**
   * Lets the lease go, so that another replica leads while this one says goodbye to its proxies: until
   * they are gone it follows.
   */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.answering.stop();
    // A term that is just beginning ends too, and nothing is under way any more when the next one begins.
    await this.change(() => this.unlead(this.term?.epoch, 'the controller is stopping'));
    await this.lease.stop();
    await this.changing;
  }

  /** The proxies are gone: the others need not wait for this replica. */
  async leave(): Promise<void> {
    this.isStopped = true;
    await this.following.stop();
    await this.peers.stop();
  }

  // Terms

  /** Nobody leads who knows that the database has lost what was stored. */
  private async mayTake({ epoch }: LeaseState): Promise<number | undefined> {
    await this.following.wake();
    await this.changing;
    const others = this.peers.others().map(({ position }) => position);
    const known = newest([this.highest, ...others]);
    if (this.isHeld || !this.isReached || this.isStopping || isBehind(this.highest, known)) {
      return undefined;
    }
    return Math.max(epoch, known.epoch);
  }

  private change(work: () => Promise<void>): Promise<void> {
    this.changing = this.changing.then(work).catch((error) => {
      this.deps.logger.error('replica.changeFailed', { error: errorText(error) });
    });
    return this.changing;
  }

  private async lead(epoch: number): Promise<void> {
    const { database, logger, clock } = this.deps;
    if (this.isStopping || !this.lease.holds(epoch)) {
      return;
    }
    this.waiting = [];
    const store = database.term(epoch, this.highest.seq, (seq) => this.saw({ epoch, seq }));
    const duties = this.deps.duties({
      store,
      durable: () => loop.current().durable,
      enqueue: (event) => this.take(event),
    });
    const loop: Loop = new Loop(
      {
        ...{ clock, logger, store, publisher: this.publisher, publications: this.publications },
        measurer: duties.measurer,
        wakeDispatcher: () => duties.wakeDispatcher(),
        notificationsFor: this.deps.notificationsFor,
        onState: this.deps.onState,
        onHandled: this.deps.onHandled,
        lease: {
          mayLead: () => this.lease.holds(epoch),
          onOver: () => this.lease.lose(epoch, 'the store belongs to a newer leader'),
        },
      },
      this.settings,
    );
    try {
      await loop.start({ epoch, seen: () => this.seen() });
    } catch (error) {
      logger.error('replica.cannotLead', { epoch, error: errorText(error) });
      await Promise.all([loop.stop(), duties.stop(), this.lease.release()]);
      this.handOn((event) => this.follower.take(event));
      return;
    }
    const refusals = this.follower.refusals();
    const before = this.follower.current();
    this.term = { epoch, loop, duties };
    this.handOn((event) => loop.enqueue(event));
    for (const refusal of refusals) {
      loop.enqueue(refusal);
    }
    duties.start();
    duties.wakeDispatcher();
    logger.info('replica.leads', { epoch });
    this.deps.onState(loop.current(), [], before);
    void this.answering.wake();
  }

  /** What is known of the world when a loop starts. */
  private seen(): Pick<LoopState, 'proxies' | 'load' | 'secrets'> {
    const { proxies, load, secrets } = this.follower.current();
    const known = new Map([...proxies].map(([id, proxy]) => [id, this.known(proxy)]));
    return { proxies: known, load, secrets };
  }

  private async unlead(epoch: number | undefined, reason: string): Promise<void> {
    const { term } = this;
    if (term === undefined || term.epoch !== epoch) {
      return;
    }
    this.deps.logger.warn('replica.leadsNoMore', { epoch, reason });
    this.waiting = [];
    const untaken = await term.loop.stop();
    const last = term.loop.current();
    this.voidAcks.add(term.loop.savedGeneration(), last.generation);
    this.follower.adopt(last);
    this.position = undefined;
    this.term = undefined;
    // Who came or went while the loop waited for the store is known no less than others.
    this.waiting = [...untaken, ...this.waiting];
    this.handOn((event) => this.follower.take(event));
    await term.duties.stop();
    void this.following.wake();
  }

  private take(event: LoopEvent): void {
    if (this.waiting !== undefined) {
      this.waiting.push(event);
    } else if (this.term !== undefined) {
      this.term.loop.enqueue(event);
    } else {
      this.follower.take(event);
    }
  }

  private handOn(to: (event: LoopEvent) => void): void {
    const waiting = this.waiting ?? [];
    this.waiting = undefined;
    for (const event of waiting) {
      to(event);
    }
  }

  // Following

  private async follow(): Promise<void> {
    if (this.term !== undefined || this.isStopped) {
      return;
    }
    try {
      await this.readChanges();
      this.isReached = true;
    } catch (error) {
      if (this.isReached) {
        this.deps.logger.error('store.failed', { error: errorText(error) });
      }
      this.isReached = !(error instanceof OpError);
    }
  }

  private async readChanges(): Promise<void> {
    const { position, isWhole, values } = await this.deps.database.changesSince(this.position);
    if (this.term !== undefined) {
      return;
    }
    if (isBehind(position, this.highest)) {
      this.hold(position);
      return;
    }
    if (this.isHeld) {
      this.isHeld = false;
      this.position = undefined;
      this.deps.logger.info('replica.goesOn', { position });
      await this.readChanges();
      return;
    }
    failpoint('follow.read');
    this.position = position;
    this.saw(position);
    if (isWhole || values.length > 0) {
      this.follower.follow(values, isWhole);
    }
  }

  private saw(position: Position): void {
    this.highest = newest([this.highest, position]);
  }

  /** Invariant H5: what was served is never followed by something older. */
  private hold(position: Position): void {
    if (!this.isHeld) {
      this.deps.logger.error('state.regressed', {
        found: position,
        seen: this.highest,
        advice:
          'the database has lost commits; what is served stays. Bring back the database that has ' +
          'them, or accept the loss with `headgate state accept`',
      });
    }
    this.isHeld = true;
  }

  // What others are told

  private row(): MemberRow {
    return {
      ...this.deps.describe(),
      role: this.role(),
      proxies: this.deps.publisher.proxies().length,
      sources: this.term === undefined ? undefined : [...this.current().sources],
    };
  }

  private role(): MemberRow['role'] {
    if (this.term !== undefined) {
      return 'leading';
    }
    return this.isHeld ? 'held' : 'following';
  }

  /** A proxy as it may count: what it took that was never stored is nothing that it has. */
  private known(proxy: ProxyStatus): ProxyStatus {
    return this.voidAcks.without(proxy, this.term?.loop.savedGeneration());
  }

  private knownEvent(event: LoopEvent): LoopEvent {
    return 'proxy' in event && this.term === undefined
      ? { ...event, proxy: this.known(event.proxy) }
      : event;
  }
}
