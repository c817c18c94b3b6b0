/** When connections are looked at, by a clock on which timers may come late. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  alertMs,
  alertProbeMs,
  busyBytes,
  inspectionMs,
  quietProbeMs,
} from '../../controller/xds/limits.js';
import { keepVigil } from '../../controller/xds/vigil.js';

function setUp(tookMs = 0) {
  let nowMs = 1_000;
  let pending: { readonly dueMs: number; readonly callback: () => void } | undefined;
  let looks = 0;
  let cameBytes = 0;
  const clock = {
    now: () => nowMs,
    after(delayMs: number, callback: () => void) {
      const timer = { dueMs: nowMs + delayMs, callback };
      pending = timer;
      return () => {
        pending = pending === timer ? undefined : pending;
      };
    },
  };
  const vigil = keepVigil(clock, () => {
    looks += 1;
    nowMs += tookMs;
    return cameBytes;
  });
  return {
    ...vigil,
    isOver: () => pending === undefined,
    waitsMs: () => (pending?.dueMs ?? Number.NaN) - nowMs,
    /** From now on so much comes between two looks. */
    comes(bytes: number): void {
      cameBytes = bytes;
    },
    /** The timer comes `lateMs` after it was due; how often connections were looked at so far. */
    probe(lateMs = 0): number {
      nowMs = (pending?.dueMs ?? nowMs) + lateMs;
      pending?.callback();
      return looks;
    },
    /** Timers come when they are due, for `ms`. */
    passes(ms: number): number {
      const endMs = nowMs + ms;
      while (pending !== undefined && pending.dueMs <= endMs) {
        nowMs = pending.dueMs;
        pending.callback();
      }
      nowMs = endMs;
      return looks;
    },
  };
}

test('in calm times it is every quarter of a second, or a little later', () => {
  const { passes, waitsMs } = setUp();
  assert.is(passes(inspectionMs - 1), 0);
  assert.is(passes(quietProbeMs), 1);
  const looks = passes(60_000);
  assert.ok(looks > 60_000 / (inspectionMs + quietProbeMs) && looks <= 60_000 / inspectionMs + 1);
  assert.ok(waitsMs() > alertProbeMs, 'and the process is not woken for more');
});

test('where the process is held up it is at once', () => {
  const { probe } = setUp();
  assert.is(probe(2), 0, 'a timer is never quite on time');
  assert.is(probe(10), 1);
  assert.is(probe(10), 2);
  assert.is(probe(), 2);
});

test('for a while after somebody has connected, that is noticed sooner', () => {
  const { alert, passes, waitsMs } = setUp();
  passes(quietProbeMs / 2);
  alert();
  assert.is(waitsMs(), alertProbeMs, 'from the connection on');
  passes(alertMs - alertProbeMs);
  assert.ok(waitsMs() <= alertProbeMs);
  passes(2 * alertProbeMs);
  assert.ok(waitsMs() > alertProbeMs, 'and no longer');
});

test('the same while much comes in', () => {
  const { comes, passes, waitsMs } = setUp();
  comes(busyBytes + 1);
  passes(inspectionMs + quietProbeMs);
  assert.ok(waitsMs() <= alertProbeMs);
  comes(busyBytes);
  passes(alertMs + inspectionMs + quietProbeMs);
  assert.ok(waitsMs() > alertProbeMs);
});

test('with many connections it takes no more than its share', () => {
  const { probe, waitsMs } = setUp(10);
  assert.is(probe(10), 1);
  let passedMs = 0;
  do {
    passedMs += waitsMs() + 10;
  } while (probe(10) === 1);
  assert.ok(passedMs >= 200, `the next was ${passedMs} ms later`);
});

test('it ends', () => {
  const { end, isOver } = setUp();
  end();
  assert.ok(isOver());
});

test.run();
