/** The controller's clock: it never goes back, and its timers never fire early. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClock } from '../controller/clock.js';

const clock = suite('clock');

/** Keeps the process alive while `body` waits, since the clock's own timers do not. */
async function whileAlive<T>(body: Promise<T>): Promise<T> {
  const keeper = setInterval(() => {}, 1000);
  try {
    return await body;
  } finally {
    clearInterval(keeper);
  }
}

clock('it starts at the wall clock and goes on when that is set back', () => {
  const wall = Date.now;
  const { now } = createClock();
  const startMs = now();
  assert.ok(Math.abs(startMs - wall()) < 1000, `${startMs} is the time`);
  try {
    Date.now = () => 0;
    assert.ok(now() >= startMs, `${now()} is not before ${startMs}`);
  } finally {
    Date.now = wall;
  }
});

clock('a timer fires once its delay has passed, and not before', async () => {
  const { after } = createClock();
  for (const delayMs of [0, 1, 5, 20]) {
    const startMs = performance.now();
    await whileAlive(new Promise<void>((resolve) => after(delayMs, resolve)));
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs >= delayMs, `${tookMs} ms are at least ${delayMs} ms`);
  }
});

clock('a delay beyond what timers hold does not fire at once', async () => {
  const { after } = createClock();
  let fired = false;
  const cancel = after(2 ** 31 + 1000, () => {
    fired = true;
  });
  await whileAlive(new Promise<void>((resolve) => after(20, resolve)));
  cancel();
  assert.not(fired);
});

clock('a cancelled timer does not fire', async () => {
  const { after } = createClock();
  let fired = false;
  const cancel = after(1, () => {
    fired = true;
  });
  cancel();
  await whileAlive(new Promise<void>((resolve) => after(10, resolve)));
  assert.not(fired);
});

clock.run();
