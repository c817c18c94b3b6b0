/** When connections are looked at, by a clock on which timers may come late. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inspectionMs, probeMs } from '../../controller/xds/limits.js';
import { keepVigil } from '../../controller/xds/vigil.js';

function setUp(tookMs = 0) {
  let nowMs = 1_000;
  let pending: (() => void) | undefined;
  let looks = 0;
  const clock = {
    now: () => nowMs,
    after(_delayMs: number, callback: () => void) {
      pending = callback;
      return () => {
        pending = undefined;
      };
    },
  };
  const end = keepVigil(clock, () => {
    looks += 1;
    nowMs += tookMs;
  });
  return {
    end,
    isOver: () => pending === undefined,
    /** The timer comes `lateMs` after it was due; how often connections were looked at so far. */
    probe(lateMs: number): number {
      nowMs += probeMs + lateMs;
      pending?.();
      return looks;
    },
  };
}

test('in calm times it is every quarter of a second', () => {
  const { probe } = setUp();
  const probes = inspectionMs / probeMs;
  for (let count = 1; count < probes; count += 1) {
    assert.is(probe(0), 0);
  }
  assert.is(probe(0), 1);
  for (let count = 1; count < probes; count += 1) {
    assert.is(probe(0), 1);
  }
  assert.is(probe(0), 2);
});

test('where the process is held up it is at once', () => {
  const { probe } = setUp();
  assert.is(probe(2), 0, 'a timer is never quite on time');
  assert.is(probe(10), 1);
  assert.is(probe(10), 2);
  assert.is(probe(0), 2);
});

test('with many connections it takes no more than its share', () => {
  const { probe } = setUp(10);
  assert.is(probe(10), 1);
  let passedMs = 0;
  do {
    passedMs += probeMs + 10;
  } while (probe(10) === 1);
  assert.ok(passedMs >= 200, `the next was ${passedMs} ms later`);
});

test('it ends', () => {
  const { end, isOver } = setUp();
  end();
  assert.ok(isOver());
});

test.run();
