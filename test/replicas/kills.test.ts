/**
 * D01 and D02: the controller is killed with SIGKILL at every border to the store, the network and people,
 * on both kinds of state, and again and again at moments of chance. Each time it starts anew: the rollout
 * goes on to its end, no proxy is given anything that was over, and nothing happens twice but a message.
 */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Failpoint, failpoints } from '../../controller/base/failpoint.js';
import { seededRandom } from '../../controller/base/random.js';
import type { HeadgateProcess } from '../support/headgate.js';
import { startPostgres } from '../support/postgres.js';
import { openStage, type Undo } from '../support/stage.js';
import { until } from '../support/until.js';
import { type KilledStage, openKilledStage } from './killed-stage.js';

const kills = suite('killed');
const undo: Undo = [];
const stages = await openStage(kills, undo, async () => {
  const file = join(tmpdir(), `headgate-kills-${process.pid}.db`);
  undo.push(() =>
    Promise.all(['', '-wal', '-shm'].map((end) => rm(`${file}${end}`, { force: true }))),
  );
  const postgres = await startPostgres();
  undo.push(() => postgres.stop());
  const database = await postgres.createDatabase();
  return {
    file: await openKilledStage(undo, () => file),
    database: await openKilledStage(undo, () => database),
  };
});

/** Where there are no other replicas there is no lease and nobody follows. */
const ofReplicas: readonly Failpoint[] = ['lease.taken', 'lease.released', 'follow.read'];
let figure = 0;

for (const point of failpoints) {
  // The first time is while it starts; a later one in mid-rollout.
  const times = point.startsWith('store.commit') || point.startsWith('loop') ? [1, 3] : [1];
  for (const time of times) {
    if (!ofReplicas.includes(point)) {
      kills(`D01 with a file, killed at ${point}, time ${time}`, () =>
        killAt(stages.file, `${point}:${time}`),
      );
    }
    kills(`D01 with PostgreSQL, killed at ${point}, time ${time}`, () =>
      killAt(stages.database, `${point}:${time}`),
    );
  }
}

kills(
  'D02 killed again and again at moments of chance, a rollout ends as if nothing had been',
  async () => {
    const random = seededRandom(Number(process.env.HEADGATE_SEED ?? 11));
    const count = Number(process.env.HEADGATE_KILLS ?? 20);
    const stage = stages.file;
    await stage.release();
    for (let kill = 0; kill < count; kill += 1) {
      const controller = await stage.startWhole();
      stage.connect(controller);
      // The moment is what the test is about: nothing is waited for.
      await delay(random() * 600);
      await controller.stop('SIGKILL');
    }
    await endWith(stage);
    console.log(`figures D02 ${JSON.stringify({ kills: count })}`);
  },
);

kills('every point was reached', () => {
  console.log(`figures D01 ${JSON.stringify({ points: failpoints.length, kills: figure })}`);
  assert.ok(figure >= failpoints.length);
});

kills.run();

async function killAt(stage: KilledStage, failpoint: string): Promise<void> {
  const armed = await stage.start({ HEADGATE_FAILPOINT: failpoint });
  if (armed !== undefined) {
    stage.connect(armed);
  }
  await stage.release();
  if (armed !== undefined) {
    if (failpoint.startsWith('lease.released')) {
      await stage.rolloutOn(armed).catch(() => undefined);
      armed.signal('SIGTERM');
    }
    await until(`killed at ${failpoint}`, () => !armed.isRunning());
  }
  figure += 1;
  await endWith(stage);
}

/** A last start, which nothing kills, takes the rollout to its end. */
async function endWith(stage: KilledStage): Promise<void> {
  const controller: HeadgateProcess = await stage.startWhole();
  stage.connect(controller);
  await stage.expectWhole(controller);
  await controller.stop();
}
