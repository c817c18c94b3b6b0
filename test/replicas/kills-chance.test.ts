/** D02: the controller is killed with SIGKILL again and again at moments of chance, and starts anew each time. */
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import { seededRandom } from '../../controller/base/random.js';
import { startPostgres } from '../support/postgres.js';
import { openStage, type Undo } from '../support/stage.js';
import { endWith, type KilledStage, openKilledStage } from './killed-stage.js';

const kills = suite('killed at moments of chance');
const undo: Undo = [];
const stages = await openStage(kills, undo, async () => {
  const postgres = await startPostgres();
  undo.push(() => postgres.stop());
  const database = await postgres.createDatabase();
  return { file: await openKilledStage(undo), database: await openKilledStage(undo, database) };
});
const seed = Number(process.env.HEADGATE_SEED ?? 11);
const count = Number(process.env.HEADGATE_KILLS ?? 20);

kills('D02 killed again and again with a file, a rollout ends as if nothing had been', async () => {
  await killOften(stages.file, count, 600);
});

kills(
  'D02 killed again and again with PostgreSQL, a rollout ends as if nothing had been',
  async () => {
    // Whoever comes next leads when the lease of the one before has ended.
    await killOften(stages.database, count / 2, 2_500);
  },
);

kills.run();

/** Each life lasts up to `longestMs` from when it serves. */
async function killOften(stage: KilledStage, times: number, longestMs: number): Promise<void> {
  const random = seededRandom(seed);
  await stage.release();
  for (let kill = 0; kill < times; kill += 1) {
    const controller = await stage.startWhole();
    stage.connect(controller);
    // The moment is what the test is about: nothing is waited for.
    await delay(random() * longestMs);
    await controller.stop('SIGKILL');
  }
  await endWith(stage);
  console.log(`figures D02 ${JSON.stringify({ kills: times, seed })}`);
}
