/**
 * Keeps the loop's state in the store. A commit that failed may be durable all the same, at once or later,
 * so after one the store is read again before anything is written: each commit leaves a mark of its own,
 * and what was durable after all counts. What would be lost with the others waits for the next.
 */
import { errorText, OpError } from '../base/op-error.js';
import { announcementsOf, historyOf } from './announce.js';
import type { Announcement, CommandReply, StepResult } from './events.js';
import { changedSaved, nothingSaved, restoreSaved, type SavedState } from './persist.js';
import type { HistoryEntry, Logger, Store, StoredNotification, StoreWrite } from './ports.js';
import type { LoopState } from './state.js';

export interface KeeperDeps {
  readonly logger: Logger;
  readonly store: Store;
  /** The stored form of an announcement, one for each sink that wants it. */
  readonly notificationsFor: (announcement: Announcement) => readonly StoredNotification[];
}

/**
 * `stored`: all of it is durable. `failed`: it is not, and nothing may be served of it but ways back.
 * `doubtful`: the same, but it may be durable. `fenced`: another replica leads; nothing may be served of it
 * at all. `withdrawn`: whoever asked for it no longer wants it; nothing of it is durable.
 */
export type KeepOutcome = 'stored' | 'failed' | 'doubtful' | 'fenced' | 'withdrawn';

/** A step whose commit failed, and what it was to lead to. */
export interface UnstoredStep {
  readonly before: LoopState;
  readonly result: StepResult;
}

/** One of which it was not known whether it had failed. */
export interface Doubt extends UnstoredStep {
  /** True where the clock has jumped since: the times of `result` say nothing. */
  readonly hasJumped: boolean;
}

interface Attempt extends Doubt {
  readonly mark: number;
  readonly unsaved: Unsaved;
}

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

/** Only the last commits can become durable late: each one waits for the one before it. */
const doubtsMax = 8;

/** The value that says which commit was the last. */
const markKind = 'commit';

export class Keeper {
  private readonly deps: KeeperDeps;
  /** What the store has. */
  private known: SavedState = nothingSaved;
  private unsaved = nothingUnsaved;
  private isDown = false;
  /** False after a commit that failed: it may be durable all the same. */
  private isKnown = true;
  /** That of the newest commit, durable or not. */
  private mark = 0;
  /** Commits that may be durable, oldest first. */
  private doubts: readonly Attempt[] = [];
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
    await this.read();
    return this.known;
  }

  /**
   * After a failure: finds out what the store has; before that nothing is stored. The commit that is
   * durable after all; undefined: none is, or the store does not answer.
   */
  async lookAgain(): Promise<Doubt | undefined> {
    if (this.isKnown) {
      return undefined;
    }
    let last: number;
    try {
      last = await this.read();
    } catch {
      return undefined;
    }
    const durable = this.doubts.find(({ mark }) => mark === last);
    if (durable !== undefined) {
      this.doubts = this.doubts.filter(({ mark }) => mark > last);
      this.unsaved = without(this.unsaved, durable.unsaved);
      this.hasStoredMail ||= durable.unsaved.announcements.length > 0;
    }
    return durable;
  }

  /** True once it is known what became of all commits so far. */
  isCertain(): boolean {
    return this.isKnown;
  }

  /** What may be durable was decided by a clock that has jumped since. */
  jumped(): void {
    this.doubts = this.doubts.map((doubt) => ({ ...doubt, hasJumped: true }));
  }

  /** True where notifications were stored since this was last asked. */
  takeMail(): boolean {
    const hasMail = this.hasStoredMail;
    this.hasStoredMail = false;
    return hasMail;
  }

  /**
   * Stores what the step from `before` led to. `command` is the number under which the shared store knows
   * what the step answers.
   */
  async keep(before: LoopState, result: StepResult, command?: number): Promise<KeepOutcome> {
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
    this.mark += 1;
    const mark: StoreWrite = { kind: markKind, key: '', json: JSON.stringify(this.mark) };
    try {
      await this.deps.store.commit({ writes: [...writes, mark], history, notifications, answers });
    } catch (error) {
      return this.fail(error, {
        before,
        result,
        hasJumped: false,
        mark: this.mark,
        unsaved: { history, announcements },
      });
    }
    this.noteRecovery();
    this.known = result.state;
    this.unsaved = nothingUnsaved;
    this.doubts = [];
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

  /** What the store has from now on; the mark of the newest commit that is in it. */
  private async read(): Promise<number> {
    const values = await this.deps.store.load();
    this.known = restoreSaved(values);
    this.isKnown = true;
    const last = Number(values.find(({ kind }) => kind === markKind)?.json ?? 0);
    this.mark = Math.max(this.mark, last);
    return last;
  }

  private fail(error: unknown, attempt: Attempt): KeepOutcome {
    const code = error instanceof OpError ? error.code : 'store-doubtful';
    if (code === 'store-withdrawn') {
      return 'withdrawn';
    }
    const isFenced = endOfTerm.includes(code);
    if (!this.isDown || isFenced) {
      this.deps.logger.error('store.failed', { error: errorText(error) });
    }
    this.isDown = true;
    this.isKnown = false;
    if (isFenced) {
      return 'fenced';
    }
    this.doubts = [...this.doubts, attempt].slice(-doubtsMax);
    return code === 'store-doubtful' ? 'doubtful' : 'failed';
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

/** What of `unsaved` is not among `stored`. */
function without(unsaved: Unsaved, stored: Unsaved): Unsaved {
  const texts = new Set(
    [...stored.history, ...stored.announcements].map((one) => JSON.stringify(one)),
  );
  const isMissing = (one: HistoryEntry | Announcement) => !texts.has(JSON.stringify(one));
  return {
    history: unsaved.history.filter(isMissing),
    announcements: unsaved.announcements.filter(isMissing),
  };
}
