/**
 * What replicas need of the database that they share, as they want it. One adapter speaks PostgreSQL, one
 * in the tests simulates it. Every call may throw an `OpError` and may then have happened all the same.
 */
import type { Store, StoreWrite } from '../loop/ports.js';

/** Where the shared state stands. Both only rise; the epoch counts first. */
export interface Position {
  /** The term of leadership that wrote last. */
  readonly epoch: number;
  /** Commits so far. */
  readonly seq: number;
}

/** What of the state has changed. */
export interface StateChanges {
  readonly position: Position;
  /** True: `values` are all that there are; else those that changed, `json` null where one is gone. */
  readonly isWhole: boolean;
  readonly values: readonly StoreWrite[];
}

export interface LeaseState {
  readonly epoch: number;
  /** The replica that took it last; empty: nobody yet. */
  readonly holder: string;
  /** True: whoever comes may take it. */
  readonly isFree: boolean;
  /** True: a newer version has changed the tables, and this one may write to them no more. */
  readonly isLeftBehind: boolean;
}

/** One replica as the others see it. */
export interface PeerRow {
  /** Its name and its start: another one after a restart. */
  readonly replica: string;
  /** Since it was last heard of, by the database's clock. */
  readonly silentMs: number;
  /** The newest state that it has seen. */
  readonly position: Position;
  readonly json: string;
}

/** What a replica tells the others at once. */
export interface News {
  /** Rises by one with each of this replica. */
  readonly seq: number;
  readonly position: Position;
  /** Of the replica itself: where it listens, its version. */
  readonly json: string;
  /** Proxies that changed since the last news, by id; null: gone. */
  readonly proxies: ReadonlyMap<string, string | null>;
  /** What happened since; undefined: nothing. */
  readonly batch?: string;
}

export interface NewsBatch {
  /** That of the news that brought it. */
  readonly seq: number;
  readonly json: string;
  readonly ageMs: number;
}

/** What another replica told since the reader last asked. */
export interface PeerNews {
  readonly replica: string;
  readonly seq: number;
  readonly proxies: ReadonlyMap<string, string | null>;
  readonly batches: readonly NewsBatch[];
}

/** A command that waits for the leader. */
export interface AskedCommand {
  readonly id: number;
  readonly json: string;
}

/** What woke a reader. `poll`: somebody wants the repository looked at. */
export type WakeTopic = 'state' | 'lease' | 'news' | 'commands' | 'poll';

export interface SharedDatabase {
  /**
   * The state as a leader of `epoch` keeps it: each write checks that it still leads, and that nothing is
   * lost of the first `seenSeq` commits. `onCommit` is told of each commit's number.
   */
  term(epoch: number, seenSeq?: number, onCommit?: (seq: number) => void): Store;
  /** What everybody may read. */
  readonly reader: Pick<Store, 'history' | 'deadLetters'>;
  /** What changed since `since`; everything where that is undefined or too long ago. */
  changesSince(since: Position | undefined): Promise<StateChanges>;

  lease(): Promise<LeaseState>;
  /** The new epoch, which is above `above`; undefined where somebody else has the lease. */
  takeLease(above: number): Promise<number | undefined>;
  /** False where it is somebody else's by now, or something is lost of the first `seenSeq` commits. */
  renewLease(epoch: number, seenSeq: number): Promise<boolean>;
  /** Lets it go, so that the next one need not wait. */
  releaseLease(epoch: number): Promise<void>;

  /** Says what is new of this replica, and that it lives. */
  tell(news: News): Promise<void>;
  /** What others told after the numbers in `heard`, and who they are. */
  hear(heard: ReadonlyMap<string, number>): Promise<{
    readonly peers: readonly PeerRow[];
    readonly news: readonly PeerNews[];
  }>;
  /** This replica leaves: the others need not wait for its silence. */
  leave(): Promise<void>;

  /** Leaves a command for the leader; its number. */
  ask(json: string, patienceMs: number): Promise<number>;
  /** Commands that wait, oldest first. */
  asked(): Promise<readonly AskedCommand[]>;
  /** The answer; undefined: none yet. */
  answerTo(id: number): Promise<string | undefined>;
  /** Answers it with `json` in the leader's place, who then cannot carry it out. False: it is answered. */
  withdraw(id: number, json: string): Promise<boolean>;
  /** Wakes the leader's look at the repository. */
  askPoll(): Promise<void>;

  /** Calls `listener` when something is new, at best; whoever listens looks from time to time anyway. */
  onWake(listener: (topic: WakeTopic) => void): void;
  close(): Promise<void>;
}
