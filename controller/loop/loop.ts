/**
 * The loop: takes events one at a time, steps the state, and carries the effects out in their order:
 * store, publish, tell. Everything outside only adds events. While the store is down, nothing advances
 * and nothing new is served, but for ways back to the last good state.
 */
import { errorText } from '../base/op-error.js';
import type { Secrets } from '../envoy/secrets.js';
import { LoadHistory } from '../rollout/load-history.js';
import { isEnded } from '../rollout/rollout.js';
import { announcementsOf, historyOf } from './announce.js';
import { hasLost, hasUnready } from './announced.js';
import type { Announcement, CommandReply, LoopEvent, StepResult } from './events.js';
import { ordersOf } from './orders.js';
import { changedValues, initialDurableState, restoreState } from './persist.js';
import type {
  Clock,
  HistoryEntry,
  Logger,
  Measurer,
  Publisher,
  Store,
  StoredNotification,
} from './ports.js';
import { PublicationFactory } from './publication.js';
import { afterJump, startState } from './start-state.js';
import type { DurableState, LoopState } from './state.js';
import { isNews, retreatOnly, type StepSettings, stepLoop } from './step.js';

export interface LoopDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly publisher: Publisher;
  readonly measurer: Pick<Measurer, 'watch'>;
  /** The stored form of an announcement, one for each sink that wants it. */
  readonly notificationsFor: (announcement: Announcement) => readonly StoredNotification[];
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
}

/** How often time is looked at while a rollout runs: well below what a person notices. */
const tickMs = 200;

/** How often a store that failed is tried again. */
const storeRetryMs = 1000;

interface QueuedEvent {
  readonly event: LoopEvent;
  readonly reply?: (reply: CommandReply) => void;
}

/** What a failed commit left to store, besides the values that are found by comparison. */
interface Unsaved {
  readonly history: readonly HistoryEntry[];
  readonly announcements: readonly Announcement[];
}

/**
 * While anything runs there is a tick a second, so a minute without one is a machine that slept or a clock
 * that was set. A clock that is slewed goes back by milliseconds.
 */
const jumpMs = { forward: 60_000, back: 1000 } as const;

const nothingUnsaved: Unsaved = { history: [], announcements: [] };

/** A proxy that refuses again and again must not fill the memory while the store is down. */
const unsavedHistoryMax = 1000;

export class Loop {
  private readonly deps: LoopDeps;
  private readonly settings: StepSettings;
  private readonly publications: PublicationFactory;
  private state: LoopState;
  /** What the store has. */
  private saved: DurableState = initialDurableState;
  private unsaved = nothingUnsaved;
  private queue: QueuedEvent[] = [];
  private isStoreDown = false;
  /** Notifications were stored since the dispatcher was last woken. */
  private hasMail = false;
  private isStopped = false;
  /** When the last event was handled, by the wall clock. */
  private seenAtMs: number;
  private running: Promise<void> | undefined;
  private cancelTick: (() => void) | undefined;
  /** The newest revision that could not be stored comes again, unless a newer one has come. */
  private cancelRevision: (() => void) | undefined;

  constructor(deps: LoopDeps, settings: StepSettings) {
    this.deps = deps;
    this.settings = settings;
    this.publications = new PublicationFactory(deps.logger);
    this.seenAtMs = deps.clock.now();
    this.state = startState(initialDurableState, new LoadHistory(), deps.clock.now());
  }

  /** Loads the state and serves it with `secrets`, before anything else happens. */
  async start(secrets: Secrets = new Map()): Promise<void> {
    this.saved = restoreState(await this.deps.store.load());
    const started = startState(this.saved, new LoadHistory(), this.deps.clock.now());
    this.state = { ...started, secrets };
    if (this.state.generation > 0) {
      this.deps.publisher.publish(this.publications.create(this.state));
    }
    this.enqueue({ kind: 'tick' });
  }

  current(): LoopState {
    return this.state;
  }

  /** False while the store refuses to keep anything. */
  isStoring(): boolean {
    return !this.isStoreDown;
  }

  enqueue(event: LoopEvent): void {
    this.push({ event });
  }

  command(command: Omit<Extract<LoopEvent, { kind: 'command' }>, 'kind'>): Promise<CommandReply> {
    return new Promise((resolve) => {
      this.push({ event: { kind: 'command', ...command }, reply: resolve });
    });
  }

  /** Finishes the event in hand; queued ones are dropped. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.queue = [];
    this.cancelTick?.();
    this.cancelRevision?.();
    await this.running;
  }

  private push(item: QueuedEvent): void {
    if (this.isStopped) {
      item.reply?.({ ok: false, status: 409, message: 'the controller is stopping' });
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
    const passedMs = nowMs - this.seenAtMs;
    this.seenAtMs = nowMs;
    if (passedMs < -jumpMs.back || (passedMs > jumpMs.forward && this.isWaiting())) {
      this.deps.logger.warn('clock.jumped', { passedMs });
      this.state = afterJump(this.state, nowMs);
    }
  }

  private async handle(item: QueuedEvent): Promise<void> {
    if (item.event.kind === 'revisionRead') {
      this.cancelRevision?.();
    }
    const before = this.state;
    const nowMs = this.deps.clock.now();
    const result = stepLoop(before, item.event, this.settings, nowMs);
    const isStored = await this.store(result);
    if (isStored) {
      this.state = result.state;
      item.reply?.(result.reply ?? { ok: true, rollout: '' });
    } else {
      this.state = retreatOnly(before, result.state);
      this.keepUnsaved(before, result, nowMs);
      this.putBack(item, before);
    }
    if (this.state.generation !== before.generation) {
      this.deps.publisher.publish(this.publications.create(this.state));
    }
    if (this.state.durable.rollouts !== before.durable.rollouts) {
      this.deps.measurer.watch(ordersOf(this.state.durable));
    }
    if (this.state !== before) {
      this.deps.onState(this.state, isStored ? result.announcements : [], before);
    }
    if (this.hasMail) {
      this.hasMail = false;
      this.deps.wakeDispatcher();
    }
    if (isNews(item.event) || (isStored && hasMoved(before, this.state))) {
      // One transition a step: what became due by this one is due now.
      this.tickNext();
    }
  }

  /** At the end of the queue: all that came together is looked at together. */
  private tickNext(): void {
    if (!this.queue.some(({ event }) => event.kind === 'tick')) {
      this.queue.push({ event: { kind: 'tick' } });
    }
  }

  /** True once everything that `result` changes is durable. */
  private async store(result: StepResult): Promise<boolean> {
    if (this.isStoreDown && !(await this.lookAgain())) {
      return false;
    }
    const writes = changedValues(this.saved, result.state.durable);
    const history = [...this.unsaved.history, ...result.history];
    const announcements = [...this.unsaved.announcements, ...result.announcements];
    if (writes.length === 0 && history.length === 0 && announcements.length === 0) {
      this.noteRecovery();
      return true;
    }
    const notifications = announcements.flatMap(this.deps.notificationsFor);
    try {
      await this.deps.store.commit({ writes, history, notifications });
    } catch (error) {
      if (!this.isStoreDown) {
        this.deps.logger.error('store.failed', { error: errorText(error) });
      }
      this.isStoreDown = true;
      return false;
    }
    this.noteRecovery();
    this.saved = result.state.durable;
    this.unsaved = nothingUnsaved;
    this.hasMail ||= notifications.length > 0;
    return true;
  }

  private noteRecovery(): void {
    if (this.isStoreDown) {
      this.deps.logger.info('store.recovered');
    }
    this.isStoreDown = false;
  }

  /** A commit that failed may be durable all the same: only the store knows what it has. */
  private async lookAgain(): Promise<boolean> {
    try {
      this.saved = restoreState(await this.deps.store.load());
      return true;
    } catch {
      return false;
    }
  }

  /** What happened only once, and the ways back that are served unsaved, are told later. */
  private keepUnsaved(before: LoopState, result: StepResult, nowMs: number): void {
    const isRetreat = this.state.durable !== before.durable;
    const happened = result.history.filter(
      ({ kind }) => kind === 'proxy' || (kind === 'command' && isRetreat),
    );
    const moved = historyOf(before, this.state, nowMs);
    const announcements = announcementsOf(before, this.state, nowMs);
    this.unsaved = {
      history: [...this.unsaved.history, ...happened, ...moved].slice(-unsavedHistoryMax),
      announcements: [...this.unsaved.announcements, ...announcements],
    };
  }

  /** What would be lost with a failed commit comes again; the rest is found again by looking. */
  private putBack(item: QueuedEvent, before: LoopState): void {
    const { event } = item;
    if (event.kind === 'command') {
      const rolloutIn = (state: LoopState) => state.durable.rollouts.get(event.rollout);
      const isBack = rolloutIn(this.state) !== rolloutIn(before);
      const message = 'the state cannot be stored now; nothing was changed';
      item.reply?.(
        isBack ? { ok: true, rollout: event.rollout } : { ok: false, status: 409, message },
      );
    } else if (event.kind === 'revisionRead') {
      this.cancelRevision = this.deps.clock.after(storeRetryMs, () => this.push(item));
    }
  }

  private scheduleTick(): void {
    this.cancelTick?.();
    this.cancelTick = undefined;
    const delayMs = this.isStoreDown ? storeRetryMs : tickMs;
    if (!this.isStopped && this.isWaiting()) {
      this.cancelTick = this.deps.clock.after(delayMs, () => this.enqueue({ kind: 'tick' }));
    }
  }

  /** True where something may become due by the passing of time alone. */
  private isWaiting(): boolean {
    const { proxies, durable } = this.state;
    const { rollouts, announced } = durable;
    const isRunning = [...rollouts.values()].some((rollout) => !isEnded(rollout.phase));
    return (
      isRunning || this.isStoreDown || hasLost(announced) || hasUnready(announced, proxies.values())
    );
  }
}

/** True where a rollout is in another phase or step, or what is applied or held is not what it was. */
function hasMoved(before: LoopState, after: LoopState): boolean {
  if (
    before.durable.meshes !== after.durable.meshes ||
    before.durable.held !== after.durable.held
  ) {
    return true;
  }
  return [...after.durable.rollouts.values()].some((rollout) => {
    const previous = before.durable.rollouts.get(rollout.id);
    return previous?.phase !== rollout.phase || previous.step !== rollout.step;
  });
}
