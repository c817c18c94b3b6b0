/** A source under test: what it reports, one event at a time, and what an operator would read. */
import * as assert from 'uvu/assert';
import { seededRandom } from '../../controller/base/random.js';
import type { Revision } from '../../controller/base/revision.js';
import { createClock } from '../../controller/clock.js';
import type { SourceDeps } from '../../controller/git/poller.js';
import type { Clock, Source, SourceEvent } from '../../controller/loop/ports.js';
import { type RecordingLogger, recordingLogger } from './recording-logger.js';

export interface TestSource {
  readonly logger: RecordingLogger;
  readonly source: Source;
  /** The next event that was not taken yet; fails after 30 s without one. */
  next(): Promise<SourceEvent>;
  /** Asks for a poll and returns its event. */
  poll(): Promise<SourceEvent>;
  stop(): Promise<void>;
}

/** No step of these tests takes seconds; half a minute without an event is a hang. */
const eventTimeoutMs = 30_000;

/** `promise`, or an error that says `what` did not happen in time. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within 30 s`)), eventTimeoutMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Starts the source that `make` makes. */
export function startSource(
  make: (deps: SourceDeps) => Source,
  clock: Clock = createClock(),
): TestSource {
  const logger = recordingLogger();
  const source = make({ clock, logger, random: seededRandom(1) });
  const events: SourceEvent[] = [];
  let onEvent: (() => void) | undefined;
  source.start((event) => {
    events.push(event);
    onEvent?.();
  });
  const next = async (): Promise<SourceEvent> => {
    if (events.length === 0) {
      const arrival = new Promise<void>((resolve) => {
        onEvent = resolve;
      });
      await within(arrival, 'no event of the source');
    }
    const event = events.shift();
    assert.ok(event, 'an event arrived');
    return event as SourceEvent;
  };
  return {
    logger,
    source,
    next,
    poll() {
      source.pollNow();
      return next();
    },
    stop: () => source.stop(),
  };
}

/** The revision of `event`; fails with the event's text where it has none. */
export function revisionOf(event: SourceEvent): Revision {
  if (event.kind !== 'revision') {
    throw new Error(`expected a revision, got ${JSON.stringify(event)}`);
  }
  return event.revision;
}

/** The code of `event`; fails with the event's text where it is no failure. */
export function failureOf(event: SourceEvent): Extract<SourceEvent, { kind: 'failed' }> {
  if (event.kind !== 'failed') {
    throw new Error(`expected a failure, got ${JSON.stringify(event)}`);
  }
  return event;
}

/** `path: content` of every file, one a line, for comparison. */
export function filesOf(revision: Revision): string {
  const lines = revision.files.map(
    (file) => `${file.path}: ${Buffer.from(file.bytes).toString('utf8').trim()}`,
  );
  return lines.join('\n');
}

/** `code file` of every problem, one a line. */
export function problemsOf(revision: Revision): string {
  return revision.problems.map((problem) => `${problem.code} ${problem.file}`).join('\n');
}
