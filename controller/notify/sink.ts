/** A place that people or programs read: a chat channel, a webhook. One file a kind implements it. */
import type { Announcement } from '../loop/events.js';

export interface Sink {
  /** Unique among the sinks: the outbox, the log and the metrics know it by this. */
  readonly name: string;
  /**
   * Resolves when the other side has taken the announcement. Throws `OpError`, whose `retry` says
   * whether another attempt can help: `stalled` means that this announcement never will be taken.
   */
  send(announcement: Announcement): Promise<void>;
  /** The body that would be sent, plain JSON; undefined where the announcement would pass by. */
  render(announcement: Announcement): object | undefined;
}

/** What one sink remembers over restarts: short texts by short keys. */
export interface SinkMemory {
  get(key: string): Promise<string | undefined>;
  /** Durable when it returns. The oldest keys are forgotten where there are very many. */
  set(key: string, value: string): Promise<void>;
}

/** How a sink fares, since the start of the process. */
export interface SinkStatus {
  readonly sink: string;
  readonly delivered: number;
  readonly failedAttempts: number;
  readonly givenUp: number;
  /** Of the newest attempt; undefined where that succeeded. */
  readonly error?: string;
}
