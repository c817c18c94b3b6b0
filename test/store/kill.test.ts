/** A process that commits is killed with SIGKILL at any moment, from its very first start on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Random, seededRandom } from '../../controller/base/random.js';
import type { Store } from '../../controller/loop/ports.js';
import { createSqliteStore } from '../../controller/store/sqlite.js';
import { openStateFile } from '../../controller/store/sqlite-file.js';
import { manualClock } from '../support/clock.js';
import { recordingLogger } from '../support/recording-logger.js';
import { opError } from './store-suite.js';

const killsMax = 50;
/** A new state file after this many kills, so that its making is hit too. */
const killsPerFile = 10;
/** Making of the file, or some dozens of commits, fall into this time. */
const longestLifeMs = 60;

const test = suite<{ folder: string }>('a killed controller');

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'headgate-kill-'));
});

test.after.each(({ folder }) => rmSync(folder, { recursive: true }));

test('keeps every commit that had returned and no half of another', async ({ folder }) => {
  const seed = Number(process.env.HEADGATE_SEED ?? 7);
  const random = seededRandom(seed);
  let stored = 0;
  for (let kill = 0; kill < killsMax; kill += 1) {
    const path = join(folder, `${Math.floor(kill / killsPerFile)}.db`);
    // By turns the start and the commits are hit, however slow the machine is.
    const printed = await runAndKill(path, kill % 2 === 0 ? /started/ : /\d/, random);
    const before = kill % killsPerFile === 0 ? 0 : stored;
    const message = `seed ${seed}, kill ${kill}, ${before} before, ${printed} printed`;
    stored = await readStored(path, message);
    const reported = Math.max(before, printed ?? 0);
    // The last commit may have been durable and not yet reported.
    assert.ok(stored === reported || stored === reported + 1, `${message}, ${stored} stored`);
  }
});

test('gives its file to the next one at once', async ({ folder }) => {
  const path = join(folder, 'headgate.db');
  const child = startLoop(path);
  child.stderr.pipe(process.stderr);
  const ended = once(child, 'close');
  await untilPrinted(child.stdout, /\d/);
  const refused = await opError(openAtOnce(path));
  assert.is(refused.code, 'store-locked');
  child.kill('SIGKILL');
  await ended;
  await (await openAtOnce(path)).close();
});

test('of several that start at once on no file, one gets it and the others say why not', async ({
  folder,
}) => {
  const path = join(folder, 'headgate.db');
  const children = [1, 2, 3, 4].map(() => startLoop(path));
  const ended = children.map(async (child) => {
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    await once(child, 'close');
    return errors;
  });
  const winner = await Promise.race(
    children.map(async (child, index) => {
      await untilPrinted(child.stdout, /\d/);
      return index;
    }),
  );
  const refused = await Promise.all(ended.filter((_, index) => index !== winner));
  for (const errors of refused) {
    assert.match(errors, 'is in use by another process');
  }
  children[winner]?.kill('SIGKILL');
  await ended[winner];
  assert.ok((await readStored(path, 'after the race')) > 0);
});

test.run();

/**
 * Kills the program some time after its output has matched `after`. The last number that it printed;
 * undefined: none.
 */
async function runAndKill(
  path: string,
  after: RegExp,
  random: Random,
): Promise<number | undefined> {
  const child = startLoop(path);
  child.stderr.pipe(process.stderr);
  const ended = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await untilPrinted(child.stdout, after);
  // The moment of the kill is what the test is about: nothing is waited for here.
  await delay(random() * longestLifeMs);
  child.kill('SIGKILL');
  await ended;
  const last = output.trimEnd().split('\n').at(-1);
  return last === 'started' ? undefined : Number(last);
}

/** The number in the file, after checking that every part of its transaction is there. */
async function readStored(path: string, message: string): Promise<number> {
  const store = await openAtOnce(path);
  try {
    const values = (await store.load()).map((value) => value.json);
    const stored = Number(values[0] ?? 0);
    const expected = stored === 0 ? undefined : `${stored}`;
    assert.equal(values, expected === undefined ? [] : [expected, expected], message);
    const [newest] = await store.history({ limit: 1 });
    assert.is(newest?.json, expected, message);
    const waiting = await store.outbox({ sink: 'chat', limit: 1_000_000 });
    assert.is(waiting.at(-1)?.id, expected, message);
    return stored;
  } finally {
    await store.close();
  }
}

/** Opens the file without waiting for a lock: that of a dead process must be gone. */
async function openAtOnce(path: string): Promise<Store> {
  const driver = await openStateFile(path, { nowMs: 0, lockWaitMs: 0 });
  return createSqliteStore(driver, { path, clock: manualClock(), logger: recordingLogger() });
}

function startLoop(path: string) {
  const program = fileURLToPath(new URL('commit-loop.js', import.meta.url));
  return spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Resolves at a match; the stream stays open, since its program dies of a closed one. */
function untilPrinted(output: NodeJS.ReadableStream, pattern: RegExp): Promise<void> {
  return new Promise((resolve) => {
    output.on('data', (text) => {
      if (pattern.test(String(text))) {
        resolve();
      }
    });
  });
}
