/**
 * The rhythm of a source: polls one after the other, never two at once; after a success it waits for
 * the poll interval, after a failure it backs off, and every outcome becomes one event. What a poll
 * does is the caller's.
 */
import { errorText, OpError } from '../base/op-error.js';
import type { Random } from '../base/random.js';
import type { Revision } from '../base/revision.js';
import type { Clock, Logger, Source, SourceEvent } from '../loop/ports.js';
import type { SourceTimings } from './limits.js';

export interface SourceDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  /** How much of the first revision has come, in whole percent, at most once a second. */
  readonly onProgress?: (percent: number) => void;
}

export interface PollerOptions extends SourceDeps {
  readonly pollMs: number;
  readonly timings: SourceTimings;
  /** The new revision, or undefined where nothing is new. Throws OpError; ends soon after `stop`. */
  poll(stop: AbortSignal): Promise<Revision | undefined>;
  /** Gives up what the polls hold; called once, when no poll runs any more. */
  close(): Promise<void>;
}

/** Waits are cut by up to a tenth, so that many controllers do not ask one server in step. */
const jitterShare = 0.1;

export function createPoller(options: PollerOptions): Source {
  return new Poller(options);
}

class Poller implements Source {
  readonly #options: PollerOptions;
  readonly #stop = new AbortController();
  #onEvent: Parameters<Source['start']>[0] | undefined;
  #cancelTimer: () => void = () => {};
  /** The poll that runs, and those that follow it without a wait. */
  #running: Promise<void> | undefined;
  #isAskedAgain = false;
  #failures = 0;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  start(onEvent: Parameters<Source['start']>[0]): void {
    this.#onEvent = onEvent;
    this.pollNow();
  }

  pollNow(): void {
    if (this.#running !== undefined) {
      this.#isAskedAgain = true;
      return;
    }
    if (this.#onEvent !== undefined && !this.#stop.signal.aborted) {
      this.#cancelTimer();
      this.#running = this.#runPolls();
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#cancelTimer();
    await this.#running;
    await this.#options.close();
  }

  async #runPolls(): Promise<void> {
    let waitMs: number;
    do {
      this.#isAskedAgain = false;
      const startedAtMs = this.#options.clock.now();
      const event = await this.#pollOnce();
      if (this.#stop.signal.aborted) {
        return;
      }
      waitMs = event.kind === 'failed' ? event.retryInMs : this.#jittered(this.#options.pollMs);
      this.#onEvent?.(event, startedAtMs);
    } while (this.#isAskedAgain);
    this.#running = undefined;
    this.#cancelTimer = this.#options.clock.after(waitMs, () => this.pollNow());
  }

  async #pollOnce(): Promise<SourceEvent> {
    try {
      const revision = await this.#options.poll(this.#stop.signal);
      this.#failures = 0;
      return revision === undefined ? { kind: 'unchanged' } : { kind: 'revision', revision };
    } catch (error) {
      this.#failures += 1;
      return this.#failed(error);
    }
  }

  #failed(error: unknown): SourceEvent {
    const message = errorText(error);
    const retryInMs = this.#retryInMs(error);
    if (error instanceof OpError) {
      return { kind: 'failed', code: error.code, message, retryInMs };
    }
    if (this.#stop.signal.aborted) {
      // A poll that `stop` cut short: nobody hears of its end, and nothing is broken.
      return { kind: 'failed', code: 'source-stopped', message, retryInMs };
    }
    // Node's own error about a full or read-only disk, or a mistake of ours: the place tells them apart.
    const stack = error instanceof Error ? error.stack : undefined;
    this.#options.logger.error('source.broken', { message, stack });
    return { kind: 'failed', code: 'source-broken', message, retryInMs };
  }

  #retryInMs(error: unknown): number {
    if (error instanceof OpError && error.retry.kind === 'after') {
      return error.retry.ms;
    }
    const { backoffMinMs, backoffMaxMs } = this.#options.timings;
    // 2 ** 30 is past every sensible limit and short of Infinity.
    const doublings = Math.min(this.#failures - 1, 30);
    return this.#jittered(Math.min(backoffMinMs * 2 ** doublings, backoffMaxMs));
  }

  #jittered(ms: number): number {
    return Math.round(ms * (1 - jitterShare * this.#options.random()));
  }
}
