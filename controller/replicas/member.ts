/**
 * One replica among several: it follows what the leader stores, leads when it has the lease, and tells the
 * others of its proxies either way.
 */
import { assertNever } from '../base/assert.js';
import { errorText } from '../base/op-error.js';
import type { Secrets } from '../envoy/secrets.js';
import type { CommandReply, LoopEvent } from '../loop/events.js';
import { Follower } from '../loop/follower.js';
import type { LoopDeps } from '../loop/loop.js';
import { initialDurableState } from '../loop/persist.js';
import type { Clock, Logger, ProxyStatus, Publisher } from '../loop/ports.js';
import { PublicationFactory } from '../loop/publication.js';
import { startState } from '../loop/start-state.js';
import type { LoopState } from '../loop/state.js';
import type { StepSettings } from '../loop/step.js';
import type { SinkStatus } from '../notify/sink.js';
import { LoadHistory } from '../rollout/load-history.js';
import { type AskDeps, askLeader } from './ask-leader.js';
import { AskedCommands } from './asked-commands.js';
import { forwardOnly } from './forward-only.js';
import { LeaseKeeper } from './lease-keeper.js';
import { Peers } from './peers.js';
import type { LeaseState, SharedDatabase, WakeTopic } from './ports.js';
import { isBehind, newest } from './position.js';
import { StateReader } from './state-reader.js';
import { Task } from './task.js';
import type { DutiesOf } from './term.js';
import { Terms } from './terms.js';
import { type MemberRow, type MemberView, viewMember } from './view.js';

export interface MemberDeps extends Pick<LoopDeps, 'notificationsFor' | 'onHandled' | 'onState'> {
  readonly database: SharedDatabase;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publisher: Publisher;
  /** This start of this replica, which no other ever had. */
  readonly replica: string;
  readonly describe: () => Omit<MemberRow, 'role' | 'proxies'>;
  readonly duties: DutiesOf;
}

export interface MemberSettings extends StepSettings {
  readonly leaseMs: number;
}

/** How old what a follower serves can be when no NOTIFY arrives. */
const followMs = 1_000;

export class Member {
  private readonly deps: MemberDeps;
  private readonly follower: Follower;
  private readonly reader: StateReader;
  private readonly terms: Terms;
  private readonly peers: Peers;
  private readonly lease: LeaseKeeper;
  private readonly following: Task;
  private readonly answering: AskedCommands;
  private isStopping = false;
  private isStopped = false;

  constructor(deps: MemberDeps, settings: MemberSettings) {
    const { clock, logger, database } = deps;
    this.deps = deps;
    const publisher = forwardOnly(deps.publisher, logger);
    const publications = new PublicationFactory(logger);
    const state = startState(initialDurableState, new LoadHistory(), clock.now());
    const onState = (moved: LoopState, before: LoopState) => deps.onState(moved, [], before);
    this.follower = new Follower({ publisher, publications, onState }, state);
    this.reader = new StateReader({
      ...deps,
      isWanted: () => !this.leads(),
      take: (values, isWhole) => this.follower.follow(values, isWhole),
    });
    this.peers = new Peers({
      ...deps,
      proxies: () => deps.publisher.proxies().map((proxy) => this.terms.known(proxy)),
      position: () => this.reader.seen(),
      describe: () => JSON.stringify(this.row()),
      onEvent: (event) => this.terms.take(event),
    });
    this.lease = new LeaseKeeper({
      ...deps,
      leaseMs: settings.leaseMs,
      mayTake: (lease) => this.mayTake(lease),
      seenSeq: () => this.reader.seen().seq,
      onTaken: (epoch) => this.terms.begin(epoch),
      onLost: (epoch, reason) => this.terms.end(reason, epoch),
    });
    this.terms = new Terms(
      {
        ...deps,
        ...{ publisher, publications },
        ...{ lease: this.lease, follower: this.follower, reader: this.reader },
        mayBegin: () => !this.isStopping,
        onBegun: () => void this.answering.wake(),
        onEnded: () => void this.following.wake(),
      },
      settings,
    );
    this.following = new Task(
      clock,
      () => followMs,
      () => this.follow(),
    );
    this.answering = new AskedCommands({ ...deps, loop: () => this.terms.loop() });
    database.onWake((topic) => this.wake(topic));
  }

  /** Serves what is stored. Throws what the database throws: then nothing was started. */
  async start(secrets: Secrets): Promise<void> {
    this.follower.adopt({ ...this.follower.current(), secrets });
    await this.reader.read();
  }

  /** Takes part from now on: this replica listens. */
  async join(): Promise<void> {
    await this.peers.start();
    await Promise.all([this.following.wake(), this.lease.wake(), this.answering.wake()]);
    await this.terms.settled();
  }

  current(): LoopState {
    return this.terms.loop()?.current() ?? this.follower.current();
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
    return this.terms.loop()?.isStoring() ?? this.reader.isReached();
  }

  async command(
    command: Omit<Extract<LoopEvent, { kind: 'command' }>, 'kind'>,
  ): Promise<CommandReply> {
    const loop = this.terms.loop();
    if (loop !== undefined) {
      return loop.command(command);
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
    const duties = this.terms.duties();
    if (duties !== undefined) {
      duties.pollNow(repository);
      return;
    }
    this.deps.database.askPoll().catch((error) => {
      this.deps.logger.warn('replica.notAsked', { error: errorText(error) });
    });
  }

  sinks(): readonly SinkStatus[] {
    return this.terms.duties()?.sinks() ?? [];
  }

  view(): MemberView {
    return viewMember({
      own: this.row(),
      replica: this.deps.replica,
      lease: this.lease.last(),
      position: this.reader.seen(),
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
    await this.terms.end('the controller is stopping');
    await this.lease.stop();
    await this.terms.settled();
  }

  /** The proxies are gone: the others need not wait for this replica. */
  async leave(): Promise<void> {
    this.isStopped = true;
    await this.following.stop();
    await this.peers.stop();
  }

  /** Nobody leads who knows that the database has lost what was stored. */
  private async mayTake({ epoch }: LeaseState): Promise<number | undefined> {
    await this.following.wake();
    await this.terms.settled();
    const { reader } = this;
    const others = this.peers.others().map(({ position }) => position);
    const known = newest([reader.seen(), ...others]);
    const mayRead = reader.isReached() && !reader.isHeld();
    if (!mayRead || this.isStopping || isBehind(reader.seen(), known)) {
      return undefined;
    }
    return Math.max(epoch, known.epoch);
  }

  private async follow(): Promise<void> {
    if (!this.leads() && !this.isStopped) {
      await this.reader.tryRead();
    }
  }

  private wake(topic: WakeTopic): void {
    switch (topic) {
      case 'state':
        void this.following.wake();
        break;
      case 'lease':
        void this.lease.wake();
        break;
      case 'news':
        this.peers.wake();
        break;
      case 'commands':
        void this.answering.wake();
        break;
      case 'poll':
        this.terms.duties()?.pollNow();
        break;
      default:
        assertNever(topic);
    }
  }

  private leads(): boolean {
    return this.terms.loop() !== undefined;
  }

  // What others are told

  private row(): MemberRow {
    return {
      ...this.deps.describe(),
      role: this.role(),
      proxies: this.deps.publisher.proxies().length,
      sources: this.leads() ? [...this.current().sources] : undefined,
    };
  }

  private role(): MemberRow['role'] {
    if (this.leads()) {
      return 'leading';
    }
    if (this.reader.isHeld()) {
      return 'held';
    }
    return this.lease.last().isLeftBehind ? 'leftBehind' : 'following';
  }

  private knownEvent(event: LoopEvent): LoopEvent {
    return 'proxy' in event && !this.leads()
      ? { ...event, proxy: this.terms.known(event.proxy) }
      : event;
  }
}
