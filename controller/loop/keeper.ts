/**
 * Keeps the loop's state in the store. A commit that failed may be durable all the same, so after one the
 * store is read again before anything is written; what would be lost with it waits for the next.
 */
import { errorText, OpError } from '../base/op-error.js';
import { announcementsOf, historyOf } from './announce.js';
import type { Announcement, CommandReply, StepResult } from './events.js';
import { changedSaved, nothingSaved, restoreSaved, type SavedState } from './persist.js';
import type { HistoryEntry, Logger, Store, StoredNotification } from './ports.js';
import type { LoopState } from './state.js';

export interface KeeperDeps {
  readonly logger: Logger;
  readonly store: Store;
  /** The stored form of an announcement, one for each sink that wants it. */
  readonly notificationsFor: (announcement: Announcement) => readonly StoredNotification[];
}

/**
 * `stored`: all of it is durable. `failed`: nothing may be served of it but ways back. `fenced`: another
 * replica leads; nothing may be served of it at all.
 */
export type KeepOutcome = 'stored' | 'failed' | 'fenced';

/** What a failed commit left to store, besides the values that are found by comparison. */
interface Unsaved {
  readonly history: readonly HistoryEntry[];
  readonly announcements: readonly Announcement[];
}

const nothingUnsaved: Unsaved = { history: [], announcements: [] };

/** Another one leads, or the store has lost what this one has stored. */
const endOfTerm: readonly string[] = ['store-fenced', 'store-regressed'];

/** A proxy that refuses again and again must not fill the memory while the store is down. */
const unsavedHistoryMax = 1000;

export class Keeper {
  private readonly deps: KeeperDeps;
  /** What the store has. */
  private known: SavedState = nothingSaved;
  private unsaved = nothingUnsaved;
  private isDown = false;
  /** False after a commit that failed: it may be durable all the same. */
  private isKnown = true;
  private hasStoredMail = false;

  constructor(deps: KeeperDeps) {
    this.deps = deps;
  }

  /** False while the store refuses to keep anything. */
  isStoring(): boolean {
    return !this.isDown;
  }

  /** What the store has, as far as this process knows. */
  saved(): SavedState {
    return this.known;
  }

  /** Throws what the store throws. */
  async load(): Promise<SavedState> {
    this.known = restoreSaved(await this.deps.store.load());
    this.isKnown = true;
    return this.known;
  }

  /** After a failure: finds out what the store has. Before that nothing is stored. */
  async lookAgain(): Promise<void> {
    if (!this.isKnown) {
      await this.load().catch(() => undefined);
    }
  }

  /** True where notifications were stored since this was last asked. */
  takeMail(): boolean {
    const hasMail = this.hasStoredMail;
    this.hasStoredMail = false;
    return hasMail;
  }

  /** `command` is the number under which the shared store knows what the step answers. */
  async keep(result: StepResult, command?: number): Promise<KeepOutcome> {
    if (!this.isKnown) {
      return 'failed';
    }
    const writes = changedSaved(this.known, result.state);
    const history = [...this.unsaved.history, ...result.history];
    const announcements = [...this.unsaved.announcements, ...result.announcements];
    const answers = command === undefined ? [] : [answerOf(command, result.reply)];
    if ([writes, history, announcements, answers].every((list) => list.length === 0)) {
      this.noteRecovery();
      return 'stored';
    }
    const notifications = announcements.flatMap(this.deps.notificationsFor);
    try {
      await this.deps.store.commit({ writes, history, notifications, answers });
    } catch (error) {
      return this.fail(error);
    }
    this.noteRecovery();
    this.known = result.state;
    this.unsaved = nothingUnsaved;
    this.hasStoredMail ||= notifications.length > 0;
    return 'stored';
  }

  /** What happened only once, and the ways back of `served`, which are served unsaved, are told later. */
  keepUnsaved(before: LoopState, served: LoopState, result: StepResult, nowMs: number): void {
    const isRetreat = served.durable !== before.durable;
    const happened = result.history.filter(
      ({ kind }) => kind === 'proxy' || (kind === 'command' && isRetreat),
    );
    const moved = historyOf(before, served, nowMs);
    const announcements = announcementsOf(before, served, nowMs);
    this.unsaved = {
      history: [...this.unsaved.history, ...happened, ...moved].slice(-unsavedHistoryMax),
      announcements: [...this.unsaved.announcements, ...announcements],
    };
  }

  private fail(error: unknown): KeepOutcome {
    const isFenced = error instanceof OpError && endOfTerm.includes(error.code);
    if (!this.isDown || isFenced) {
      this.deps.logger.error('store.failed', { error: errorText(error) });
    }
    this.isDown = true;
    this.isKnown = false;
    return isFenced ? 'fenced' : 'failed';
  }

  private noteRecovery(): void {
    if (this.isDown) {
      this.deps.logger.info('store.recovered');
    }
    this.isDown = false;
  }
}

function answerOf(command: number, reply: CommandReply | undefined) {
  return { command, json: JSON.stringify(reply ?? { ok: true, rollout: '' }) };
}
