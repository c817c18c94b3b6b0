/** In what turns the work of many connections is done, and what may happen between two of them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Lane, type Task, Turns } from '../../controller/xds/turns.js';

const many = 200;

/** A second after which nobody has had more than its share lately. */
const startMs = 1_000;

function setUp() {
  let nowMs = startMs;
  const turns = new Turns(() => nowMs);
  const done: string[] = [];
  const spend = (name: string, ms: number): void => {
    nowMs += ms;
    done.push(name);
  };
  return {
    turns,
    done,
    passes: (ms: number) => {
      nowMs += ms;
    },
    sender: (name: string, ms = 1) => ({ flush: () => spend(name, ms) }),
    /** Is done after so many parts. */
    task(name: string, { parts = 1, ms = 1 } = {}): Task {
      let left = parts;
      return {
        run() {
          left -= 1;
          spend(`${name}${parts === 1 ? '' : left}`, ms);
          return left === 0;
        },
      };
    },
  };
}

test('every sender gets its turn, and once however often it asks', async () => {
  const { turns, sender, done } = setUp();
  const senders = Array.from({ length: many }, (_, at) => ({
    lane: new Lane(),
    sender: sender(`${at}`),
  }));
  for (const each of [...senders, ...senders]) {
    turns.add(each.lane, each.sender);
  }
  assert.is(done.length, 0, 'what arrives together is answered together');
  while (done.length < many) {
    const before = done.length;
    await nextTurn();
    assert.ok(done.length - before <= 8, 'a turn takes milliseconds, and others come in between');
  }
  await nextTurn();
  assert.equal(done, [...senders.keys()].map(String));
});

test('while connections come in, a turn is short, and never empty', async () => {
  const { turns, sender, done } = setUp();
  for (let count = 0; count < many; count += 1) {
    turns.add(new Lane(), sender('x'));
  }
  for (let count = 1; count <= 20; count += 1) {
    turns.noteArrival();
    await nextTurn();
    assert.is(done.length, count);
  }
  await nextTurn();
  assert.is(done.length, 20 + 8, 'nobody waits any more');
});

test('a connection of many streams has one place among the others', async () => {
  const { turns, sender, done } = setUp();
  const crowd = new Lane();
  for (let count = 0; count < 60; count += 1) {
    turns.add(crowd, sender('crowd'));
  }
  for (const name of ['a', 'b', 'c']) {
    turns.add(new Lane(), sender(name));
  }
  await nextTurn();
  assert.equal(done, ['crowd', 'a', 'b', 'c', 'crowd', 'crowd', 'crowd', 'crowd']);
});

test('a message is taken at once, and what follows from it is sent in the next turn', async () => {
  const { turns, task, sender, done } = setUp();
  const lane = new Lane();
  turns.add(lane, sender('answer'));
  assert.ok(turns.enter(lane, task('first')), 'before an answer that waits');
  assert.ok(turns.enter(lane, task('second')));
  assert.equal(done, ['first', 'second']);
  await nextTurn();
  assert.equal(done, ['first', 'second', 'answer']);
});

test('a long message is gone on with in turns, and later ones wait behind it', async () => {
  const { turns, task, done } = setUp();
  const [long, other] = [new Lane(), new Lane()];
  assert.not(turns.enter(long, task('long', { parts: 12 })));
  assert.is(done.length, 5, 'a turn is as long as it may be');
  assert.not(turns.enter(long, task('next')));
  assert.not(turns.enter(other, task('other')), 'and there is but one before others get theirs');
  await nextTurn();
  assert.equal(done.slice(5), [
    'long6',
    'other',
    'long5',
    'long4',
    'long3',
    'long2',
    'long1',
    'long0',
  ]);
  while (!done.includes('next')) {
    await nextTurn();
  }
  assert.equal(done.slice(-2), ['long0', 'next']);
});

test('who has had more than its share comes last, and not never', async () => {
  const { turns, task, sender, done, passes } = setUp();
  const [greedy, modest] = [new Lane(), new Lane()];
  turns.enter(greedy, task('greedy', { ms: 60 }));
  await nextTurn();
  assert.not(turns.enter(greedy, task('greedy')), 'nothing at once');
  for (let count = 0; count < 12; count += 1) {
    turns.add(modest, sender('modest'));
    turns.add(new Lane(), sender('modest'));
  }
  done.length = 0;
  await nextTurn();
  assert.equal(done, [...Array.from({ length: 8 }, () => 'modest'), 'greedy']);
  passes(startMs);
  assert.ok(turns.enter(greedy, task('greedy')), 'until it has been quiet for a while');
});

test('what was held back is read before anything is answered', async () => {
  const { turns, task, sender, done } = setUp();
  const lane = new Lane();
  turns.enter(lane, task('first', { parts: 6 }));
  turns.add(lane, sender('answer'));
  lane.holdBack({
    pause: () => {},
    // As streams do, in a moment.
    resume: () => queueMicrotask(() => turns.enter(lane, task('second'))),
  });
  while (!done.includes('answer')) {
    await nextTurn();
  }
  assert.equal(done.slice(-3), ['first0', 'second', 'answer']);
});

test('streams are held back for as long as something of their connection waits', async () => {
  const { turns, task } = setUp();
  const lane = new Lane();
  const calls: string[] = [];
  const stream = { pause: () => calls.push('pause'), resume: () => calls.push('resume') };
  turns.enter(lane, task('long', { parts: 30 }));
  lane.holdBack(stream);
  lane.holdBack(stream);
  await nextTurn();
  assert.equal(calls, ['pause']);
  while (lane.hasBacklog) {
    await nextTurn();
  }
  assert.equal(calls, ['pause', 'resume']);
});

test.run();
