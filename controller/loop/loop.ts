/**
 * The loop: takes events one at a time, steps the state, and carries the effects out in their order:
 * store, publish, tell. Everything outside only adds events. While the store is down, nothing advances
 * and nothing new is served, but for ways back to the last good state.
 */
import { failpoint } from '../base/failpoint.js';
import type { Secrets } from '../envoy/secrets.js';
import { LoadHistory } from '../rollout/load-history.js';
import { adoptDurable } from './adopt-durable.js';
import { ClockWatch } from './clock-watch.js';
import { hasMoved, isWaiting } from './due.js';
import type { Announcement, CommandReply, LoopEvent } from './events.js';
import { type Doubt, Keeper, type KeeperDeps } from './keeper.js';
import { Leftovers, type QueuedEvent, replies, replyOf, storeRetryMs } from './leftovers.js';
import { ordersOf } from './orders.js';
import { initialDurableState } from './persist.js';
import type { Clock, Measurer, Publisher } from './ports.js';
import { PublicationFactory } from './publication.js';
import { afterJump, startState } from './start-state.js';
import type { LoopState } from './state.js';
import { isNews, retreatOnly, type StepSettings, stepLoop } from './step.js';

export interface LoopDeps extends KeeperDeps {
  readonly clock: Clock;
  readonly publisher: Publisher;
  readonly measurer: Pick<Measurer, 'watch'>;
  /** New notifications are in the outbox. */
  readonly wakeDispatcher: () => void;
  /** The state has changed from `before`. */
  readonly onState: (
    state: LoopState,
    announcements: readonly Announcement[],
    before: LoopState,
  ) => void;
  /** An event was carried out, in so many milliseconds. */
  readonly onHandled?: (event: LoopEvent['kind'], tookMs: number) => void;
  /** Undefined: nobody else ever leads. */
  readonly lease?: LoopLease;
  /** What earlier terms of this process made of their states. Undefined: there were none. */
  readonly publications?: PublicationFactory;
}

/** Where several replicas share a store, one of them leads. */
export interface LoopLease {
  /** False once another replica may lead: nothing is decided or served any more. */
  mayLead(): boolean;
  /** The store, or `mayLead`, says that the term is over. Called once. */
  onOver(): void;
}

/** What is known already when a term begins. */
export interface LoopStart {
  readonly secrets?: Secrets;
  /** The term's; undefined: there are no terms. */
  readonly epoch?: number;
  /** Asked once the state is loaded: what happened meanwhile is in it. */
  readonly seen?: () => Pick<LoopState, 'proxies' | 'load' | 'secrets'>;
}

/** How often time is looked at while a rollout runs: well below what a person notices. */
const tickMs = 200;

export class Loop {
  private readonly deps: LoopDeps;
  private readonly settings: StepSettings;
  private readonly publications: PublicationFactory;
  private readonly keeper: Keeper;
  private state: LoopState;
  private queue: QueuedEvent[] = [];
  /** Events that came when another replica might lead already. */
  private readonly untaken: LoopEvent[] = [];
  private readonly leftovers: Leftovers;
  private isStopped = false;
  private isOver = false;
  private readonly watch: ClockWatch;
  private running: Promise<void> | undefined;
  private cancelTick: (() => void) | undefined;

  constructor(deps: LoopDeps, settings: StepSettings) {
    this.deps = deps;
    this.settings = settings;
    this.publications = deps.publications ?? new PublicationFactory(deps.logger);
    this.keeper = new Keeper(deps);
    this.leftovers = new Leftovers(deps.clock, (item) => this.push(item));
    this.watch = new ClockWatch(deps.clock.now());
    this.state = startState(initialDurableState, new LoadHistory(), deps.clock.now());
  }

  /** Loads the state and serves it, before anything else happens. Throws what the store throws. */
  async start({ secrets = new Map(), epoch = 0, seen }: LoopStart = {}): Promise<void> {
    const { durable, origins, ...served } = await this.keeper.load();
    const { load, ...known } = seen?.() ?? { load: new LoadHistory(), secrets };
    const term = { epoch, served, origins };
    const started = startState(durable, load, this.deps.clock.now(), term);
    this.state = { ...started, ...known };
    this.publish();
    this.enqueue({ kind: 'tick' });
  }

  current(): LoopState {
    return this.state;
  }

  /** False while the store refuses to keep anything. */
  isStoring(): boolean {
    return this.keeper.isStoring();
  }

  /** The newest publication that the store knows of: what was published since may never have been. */
  savedGeneration(): number {
    return this.keeper.saved().generation;
  }

  enqueue(event: LoopEvent): void {
    this.push({ event });
  }

  /** `number`: of a command that came through the shared store, which keeps the answer too. */
  command(
    command: Omit<Extract<LoopEvent, { kind: 'command' }>, 'kind'>,
    number?: number,
  ): Promise<CommandReply> {
    return new Promise((resolve) => {
      this.push({ event: { kind: 'command', ...command }, command: number, reply: resolve });
    });
  }

  /**
   * Finishes the event in hand. The events that were not taken in, in their order: news are among them, and
   * refusals that could not be stored, whose proxies would not tell of them again.
   */
  async stop(): Promise<readonly LoopEvent[]> {
    this.isStopped = true;
    const rest = this.queue.splice(0);
    for (const item of rest) {
      item.reply?.(replies.stopping);
    }
    this.cancelTick?.();
    await this.running;
    const left = this.leftovers.end();
    return [...left, ...this.untaken, ...rest.map(({ event }) => event)];
  }

  private push(item: QueuedEvent): void {
    if (this.isStopped) {
      item.reply?.(replies.stopping);
      return;
    }
    this.queue.push(item);
    this.running ??= this.drain();
  }

  private async drain(): Promise<void> {
    // Callers that publish or report from inside a callback never find themselves inside a step.
    await Promise.resolve();
    for (let item = this.queue.shift(); item !== undefined; item = this.queue.shift()) {
      this.lookAtClock();
      const startedMs = performance.now();
      await this.handle(item);
      this.deps.onHandled?.(item.event.kind, performance.now() - startedMs);
    }
    this.running = undefined;
    this.scheduleTick();
  }

  /**
   * Nothing may be judged by times from before a jump. What is served stays what it is, so this needs no
   * store, as the start of the process needs none.
   */
  private lookAtClock(): void {
    const nowMs = this.deps.clock.now();
    const passedMs = this.watch.look(nowMs, this.isWaiting());
    if (passedMs !== undefined) {
      this.deps.logger.warn('clock.jumped', { passedMs });
      this.state = afterJump(this.state, nowMs);
      this.keeper.jumped();
    }
  }

  private async handle(item: QueuedEvent): Promise<void> {
    if (this.mayLead() && !this.isStoring()) {
      this.goOnFrom(await this.keeper.lookAgain());
      // The store may have taken its time, and the machine may have slept meanwhile.
      this.lookAtClock();
    }
    if (!this.mayLead()) {
      this.end(item);
      return;
    }
    this.leftovers.take(item.event);
    const before = this.state;
    const nowMs = this.deps.clock.now();
    const result = stepLoop(before, item.event, this.settings, nowMs);
    for (const violation of result.violations ?? []) {
      this.deps.logger.error('invariant.violated', { ...violation });
    }
    const outcome = await this.keeper.keep(before, result, item.command);
    // While the store was asked the term may have run out: then even a way back may be old news.
    const isFailed = outcome === 'failed' || outcome === 'doubtful';
    if (outcome === 'fenced' || (isFailed && !this.mayLead())) {
      this.end(item, outcome === 'doubtful' ? replies.unknown : replies.leadsNoMore);
      return;
    }
    if (outcome === 'withdrawn') {
      item.reply?.(replies.withdrawn);
      return;
    }
    const isStored = outcome === 'stored';
    if (isStored) {
      this.state = result.state;
      this.leftovers.stored();
      item.reply?.(replyOf(result));
    } else {
      this.state = retreatOnly(before, result.state);
      this.keeper.keepUnsaved(before, this.state, result, nowMs);
      const served = this.state;
      this.leftovers.add(item, { before, result, served, isDoubtful: outcome === 'doubtful' });
    }
    this.carryOut(before, isStored ? result.announcements : []);
    if (isNews(item.event) || (isStored && hasMoved(before, this.state))) {
      // One transition a step: what became due by this one is due now.
      this.tickNext();
    }
  }

  private mayLead(): boolean {
    return !this.isOver && this.deps.lease?.mayLead() !== false;
  }

  /** A commit that failed was durable after all: other replicas and whoever asked for it go by it already. */
  private goOnFrom(doubt: Doubt | undefined): void {
    if (doubt !== undefined) {
      const before = this.state;
      this.state = adoptDurable(before, doubt, this.deps.clock.now());
      this.carryOut(before, []);
    }
    if (this.keeper.isCertain()) {
      this.leftovers.answer(doubt?.result);
    }
  }

  /** What follows from the state being another one than `before`. */
  private carryOut(before: LoopState, announcements: readonly Announcement[]): void {
    const { state } = this;
    if (state.generation !== before.generation || state.secrets !== before.secrets) {
      this.publish();
    }
    if (state.durable.rollouts !== before.durable.rollouts) {
      this.deps.measurer.watch(ordersOf(state.durable));
    }
    if (state !== before) {
      this.deps.onState(state, announcements, before);
    }
    if (this.keeper.takeMail()) {
      this.deps.wakeDispatcher();
    }
  }

  private publish(): void {
    if (this.state.generation > 0) {
      failpoint('loop.publish.before');
      this.deps.publisher.publish(this.publications.create(this.state));
      failpoint('loop.publish.after');
    }
  }

  /** Another replica leads: what is served stays as it is until it says otherwise. */
  private end(item: QueuedEvent, reply: CommandReply = replies.leadsNoMore): void {
    item.reply?.(reply);
    this.untaken.push(item.event);
    if (!this.isOver) {
      this.isOver = true;
      this.deps.lease?.onOver();
    }
  }

  /** At the end of the queue: all that came together is looked at together. */
  private tickNext(): void {
    if (!this.queue.some(({ event }) => event.kind === 'tick')) {
      this.queue.push({ event: { kind: 'tick' } });
    }
  }

  private scheduleTick(): void {
    this.cancelTick?.();
    this.cancelTick = undefined;
    const delayMs = this.isStoring() ? tickMs : storeRetryMs;
    if (!this.isStopped && !this.isOver && this.isWaiting()) {
      this.cancelTick = this.deps.clock.after(delayMs, () => this.enqueue({ kind: 'tick' }));
    }
  }

  /** True where something may become due by the passing of time alone. */
  private isWaiting(): boolean {
    return !this.isStoring() || isWaiting(this.state);
  }
}
