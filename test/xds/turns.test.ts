/** In what turns many streams are flushed, and what may happen between two of them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Turns } from '../../controller/xds/turns.js';
import { manualClock } from '../support/clock.js';

const many = 200;

function setUp() {
  const clock = manualClock();
  const turns = new Turns(clock);
  let flushed = 0;
  const streams = Array.from({ length: many }, () => ({
    flush() {
      flushed += 1;
      clock.advance(1);
    },
  }));
  return { turns, streams, flushed: () => flushed };
}

test('every stream gets its turn, and once however often it asks', async () => {
  const { turns, streams, flushed } = setUp();
  for (const stream of [...streams, ...streams]) {
    turns.add(stream);
  }
  assert.is(flushed(), 0, 'what arrives together is answered together');
  while (flushed() < many) {
    const before = flushed();
    await nextTurn();
    assert.ok(flushed() - before <= 64, 'and others get theirs in between');
  }
  await nextTurn();
  assert.is(flushed(), many);
});

test('while connections come in, a turn is short, and never empty', async () => {
  const { turns, streams, flushed } = setUp();
  for (const stream of streams) {
    turns.add(stream);
  }
  for (let count = 1; count <= 20; count += 1) {
    turns.noteArrival();
    await nextTurn();
    assert.is(flushed(), count);
  }
  await nextTurn();
  assert.is(flushed(), 20 + 64, 'nobody waits any more');
});

test.run();
