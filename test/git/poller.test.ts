/** The rhythm of polls, on a clock that stands still: waits, backoff, jitter, and never two at once. */
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { revisionId } from '../../controller/base/brand.js';
import { OpError } from '../../controller/base/op-error.js';
import type { Random } from '../../controller/base/random.js';
import type { Revision } from '../../controller/base/revision.js';
import { defaultSourceTimings } from '../../controller/git/limits.js';
import { createPoller } from '../../controller/git/poller.js';
import type { Source, SourceEvent } from '../../controller/loop/ports.js';
import { type ManualClock, manualClock } from '../support/clock.js';
import { type RecordingLogger, recordingLogger } from '../support/recording-logger.js';

interface Harness {
  readonly clock: ManualClock;
  readonly source: Source;
  readonly events: SourceEvent[];
  /** Polls that were begun. */
  readonly polls: (() => void)[];
  readonly logger: RecordingLogger;
  answer: () => Promise<Revision | undefined>;
  closed: number;
}

function start({ random = () => 0 }: { readonly random?: Random } = {}): Harness {
  const clock = manualClock();
  const events: SourceEvent[] = [];
  const polls: (() => void)[] = [];
  const harness: Omit<Harness, 'source'> = {
    clock,
    events,
    polls,
    logger: recordingLogger(),
    closed: 0,
    answer: async () => undefined,
  };
  const source = createPoller({
    clock,
    random,
    logger: harness.logger,
    pollMs: 5_000,
    timings: defaultSourceTimings,
    poll: () =>
      new Promise((resolve, reject) => {
        polls.push(() => harness.answer().then(resolve, reject));
      }),
    close: async () => {
      harness.closed += 1;
    },
  });
  source.start((event) => events.push(event));
  return Object.assign(harness, { source });
}

/** Lets the poll that runs come back with the harness's answer. */
async function finish(harness: Harness): Promise<SourceEvent | undefined> {
  harness.polls.at(-1)?.();
  await turn();
  return harness.events.at(-1);
}

const fails =
  (code = 'git-unreachable') =>
  async (): Promise<never> => {
    throw new OpError(code, 'no route');
  };

test('polls at once and then at each interval after the last one ended', async () => {
  const harness = start();
  assert.is(harness.polls.length, 1);
  harness.clock.advance(60_000);
  assert.is(harness.polls.length, 1, 'none begins while one runs');
  assert.equal(await finish(harness), { kind: 'unchanged' });
  harness.clock.advance(4_999);
  assert.is(harness.polls.length, 1);
  harness.clock.advance(1);
  assert.is(harness.polls.length, 2);
});

test('backs off from one second to five minutes and reports each failure', async () => {
  const harness = start();
  harness.answer = fails();
  const waits: number[] = [];
  for (let failure = 0; failure < 11; failure += 1) {
    const event = await finish(harness);
    assert.is(event?.kind, 'failed');
    const retryInMs = event?.kind === 'failed' ? event.retryInMs : 0;
    waits.push(retryInMs);
    const polls = harness.polls.length;
    harness.clock.advance(retryInMs - 1);
    assert.is(harness.polls.length, polls);
    harness.clock.advance(1);
    assert.is(harness.polls.length, polls + 1);
  }
  const seconds = waits.map((wait) => wait / 1000);
  assert.equal(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  assert.is(harness.events.length, 11);
});

test('begins at one second again after a success', async () => {
  const harness = start();
  harness.answer = fails();
  await finish(harness);
  harness.clock.advance(1_000);
  await finish(harness);
  harness.clock.advance(2_000);
  harness.answer = async () => undefined;
  await finish(harness);
  assert.equal(harness.clock.waitingMs(), [5_000]);
  harness.clock.advance(5_000);
  harness.answer = fails('git-auth');
  assert.equal(await finish(harness), {
    kind: 'failed',
    code: 'git-auth',
    message: 'no route',
    retryInMs: 1_000,
  });
});

test('cuts each wait by the share that its generator gives, up to a tenth', async () => {
  for (const [share, waitMs] of [
    [0, 5_000],
    [0.5, 4_750],
    [1, 4_500],
  ] as const) {
    const harness = start({ random: () => share });
    await finish(harness);
    assert.equal(harness.clock.waitingMs(), [waitMs]);
  }
});

test('keeps to the time that an error names', async () => {
  const harness = start();
  harness.answer = async () => {
    throw new OpError('throttled', 'slow down', { retry: { kind: 'after', ms: 42_000 } });
  };
  await finish(harness);
  assert.equal(harness.clock.waitingMs(), [42_000]);
});

test('makes one poll of all that are asked for while one runs', async () => {
  const harness = start();
  for (let call = 0; call < 5; call += 1) {
    harness.source.pollNow();
  }
  await finish(harness);
  assert.is(harness.polls.length, 2, 'the next poll follows without a wait');
  assert.equal(harness.clock.waitingMs(), []);
  await finish(harness);
  assert.is(harness.polls.length, 2);
  assert.equal(harness.clock.waitingMs(), [5_000]);
});

test('does not wait for its backoff when it is asked to poll', async () => {
  const harness = start();
  harness.answer = fails();
  await finish(harness);
  harness.source.pollNow();
  assert.is(harness.polls.length, 2);
  assert.equal(harness.clock.waitingMs(), [], 'the timer of the backoff is gone');
});

test('hands a revision on as it is', async () => {
  const harness = start();
  const revision: Revision = {
    id: revisionId('a'.repeat(40)),
    ref: 'main',
    author: '',
    committedAtMs: 0,
    message: '',
    files: [],
    problems: [],
  };
  harness.answer = async () => revision;
  assert.equal(await finish(harness), { kind: 'revision', revision });
});

test('reports what nobody expected as a failure and goes on', async () => {
  const harness = start();
  harness.answer = async () => {
    throw new Error('ENOSPC: no space left on device');
  };
  const event = await finish(harness);
  assert.is(event?.kind === 'failed' && event.code, 'source-broken');
  harness.clock.advance(1_000);
  assert.is(harness.polls.length, 2);
});

test('says nothing after it was stopped, and closes once the poll has ended', async () => {
  const harness = start();
  const stopped = harness.source.stop();
  await turn();
  assert.is(harness.closed, 0);
  await finish(harness);
  await stopped;
  assert.is(harness.closed, 1);
  assert.equal(harness.events, []);
  assert.equal(harness.clock.waitingMs(), []);
  harness.source.pollNow();
  assert.is(harness.polls.length, 1);
});

test('a poll that a stop cuts short is no mistake of anybody', async () => {
  const harness = start();
  harness.answer = () => Promise.reject(new DOMException('aborted', 'AbortError'));
  const stopped = harness.source.stop();
  await finish(harness);
  await stopped;
  assert.equal(harness.events, []);
  assert.equal(harness.logger.lines, []);
});

test.run();
